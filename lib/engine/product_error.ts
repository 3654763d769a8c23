/**
 * Whether an engine multiplies as 32 bits do: asked before one that nobody named is used.
 *
 * @module
 */
import { type Engine, scopeAsync } from "./engine.ts";
import { randomPurpose, randomStream } from "./philox.ts";

/** Above it a product is not one of 32 bits. */
export const TOLERANCE = 1e-5;
const SIDE = 96;

/**
 * The largest error of a product of matrices of random numbers, beside the same in double precision.
 *
 * @param engine The engine.
 * @returns The error in shares of the largest element; NaN where one is no number.
 */
export async function productError(engine: Engine): Promise<number> {
  const stream = randomStream(1, randomPurpose("sample"));
  const [a, b] = [0, 1].map(() => Float32Array.from({ length: SIDE * SIDE }, stream.normal)) as [
    Float32Array,
    Float32Array,
  ];
  const c = await scopeAsync(
    engine,
    () => engine.read(engine.matmul(engine.upload(a, [SIDE, SIDE]), engine.upload(b, [SIDE, SIDE]))),
  );
  let [most, off] = [0, 0];
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) sum += a[i * SIDE + k]! * b[k * SIDE + j]!;
      most = Math.max(most, Math.abs(sum));
      off = Math.max(off, Math.abs(sum - c[i * SIDE + j]!));
    }
  }
  return off / most;
}
