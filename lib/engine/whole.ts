/**
 * Models, and what trains them, come whole or not at all: an engine outlives a load that fails.
 *
 * @module
 */
import type { Engine, Handle } from "./engine.ts";

/**
 * Does what makes variables; where it fails, all of them are given back.
 *
 * @param engine Holds the variables.
 * @param make Is given the same engine.
 * @returns What `make` resolves to.
 * @throws What `make` throws.
 */
export async function wholeOrNothing<A>(engine: Engine, make: (engine: Engine) => Promise<A>): Promise<A> {
  const made: Handle[] = [];
  const noting: Engine = {
    ...engine,
    variable(...which) {
      const variable = engine.variable(...which);
      made.push(variable);
      return variable;
    },
    block(shapes) {
      const block = engine.block(shapes);
      made.push(block.all);
      return block;
    },
  };
  try {
    return await make(noting);
  } catch (error) {
    for (const each of made) engine.free(each);
    throw error;
  }
}
