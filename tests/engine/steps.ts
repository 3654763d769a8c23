import type { Engine } from "../../lib/engine/engine.ts";

/** The same engine, which wants so many rows of tokens, or a multiple of it. */
export function steps(engine: Engine, tokenStep: number): Engine {
  return { ...engine, info: { ...engine.info, tokenStep } };
}
