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
  expectBest("topK", rows, columns, k, best);
  return [rows, columns];
}

/** The same for a product a bᵀ. Returns rows of a and of b, and their width. */
export function expectTopProducts(
  a: Handle,
  b: Handle,
  k: number,
  best: TopKBest | undefined,
): readonly [number, number, number] {
  expectShape("topProducts", a, [undefined, undefined]);
  const [rows, width] = a.shape as [number, number];
  expectShape("topProducts", b, [undefined, width]);
  const columns = b.shape[0]!;
  expectBest("topProducts", rows, columns, k, best);
  return [rows, columns, width];
}

function expectBest(kernel: string, rows: number, columns: number, k: number, best: TopKBest | undefined): void {
  if (best !== undefined) { for (const each of [best.values, best.indices]) expectShape(kernel, each, [rows, k]); }
  else if (k > columns) {
    throw new EngineError(`${kernel}: fewer columns than wanted`, { expected: `${k}`, found: `[${rows}, ${columns}]` });
  }
}
