/**
 * An engine whose tensors move between the call of a kernel and its turn in the queue, and whose old places are
 * overwritten at once: a kernel that looks at a handle late reads or writes what is not its own.
 */
import { type Engine, scope } from "../../lib/engine/engine.ts";

/** What makes or keeps no tensor of an arena. */
const PLAIN = new Set(["enter", "exit", "keep", "variable", "block", "free", "read", "memory", "close"]);

/** The same engine, with every kernel in an arena of its own, out of which its results are lifted before it runs. */
export function moving(engine: Engine): Engine {
  const moved = (kernel: (...args: never[]) => unknown) => (...args: never[]) => {
    const result = scope(engine, () => {
      engine.zeros([37]);
      return kernel(...args);
    });
    engine.upload(new Float32Array(512).fill(NaN), [512]);
    return result;
  };
  return Object.fromEntries(
    Object.entries(engine).map(([name, value]) =>
      typeof value === "function" && !PLAIN.has(name) ? [name, moved(value)] : [name, value]
    ),
  ) as unknown as Engine;
}
