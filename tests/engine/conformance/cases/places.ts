/** Where random numbers come from. */
import { randomPurpose } from "../../../../lib/engine/philox.ts";
import { integers, type Tensor } from "../tensor.ts";

/** Streams and positions of rows, as a batch of several sequences has them; two rows may be the same place. */
export const placesOf = (rows: number): Tensor =>
  integers(Int32Array.from({ length: 2 * rows }, (_, i) => i % 2 === 0 ? 100 + (i >> 3) * 1_000_003 : (i >> 1) % 4), [
    rows,
    2,
  ]);

/** With more in it than a kernel asks for, as the callers of engines have it. */
export const key = { rows: 1, width: 1, seed: 4_000_000_000, purpose: randomPurpose("hidden-dropout", 3), step: 5 };
