/**
 * Shapes that kernels need.
 *
 * @module
 */
import { EngineError } from "../error.ts";
import { type Handle, sizeOf, type TopKBest } from "./engine.ts";

/** Fails with both shapes unless they are as a kernel needs them; undefined stands for any number. */
export function expectShape(kernel: string, handle: Handle, expected: readonly (number | undefined)[]): void {
  const { shape } = handle;
  if (shape.length === expected.length && expected.every((n, i) => n === undefined || n === shape[i])) return;
  throw new EngineError(`${kernel}: wrong shape`, {
    expected: `[${expected.map((n) => n ?? "any").join(", ")}]`,
    found: `[${shape.join(", ")}]`,
  });
}

/** Fails with both shapes unless one has as many elements as the other. */
export function expectSize(kernel: string, handle: Handle, expected: readonly number[]): void {
  if (sizeOf(handle.shape) === sizeOf(expected)) return;
  throw new EngineError(`${kernel}: sizes differ`, {
    expected: `[${expected.join(", ")}]`,
    found: `[${handle.shape.join(", ")}]`,
  });
}

/** Fails unless there are k of each row, and those before are as many. Returns the shape of x. */
export function expectTopK(x: Handle, k: number, best: TopKBest | undefined): readonly [number, number] {
  expectShape("topK", x, [undefined, undefined]);
  const [rows, columns] = x.shape as [number, number];
  if (best !== undefined) { for (const each of [best.values, best.indices]) expectShape("topK", each, [rows, k]); }
  else if (k > columns) {
    throw new EngineError("topK: fewer columns than wanted", { expected: `${k}`, found: `[${x.shape}]` });
  }
  return [rows, columns];
}
