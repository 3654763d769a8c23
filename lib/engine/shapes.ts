/**
 * What engines need of tensors, and what they say where it is not so.
 *
 * @module
 */
import { EngineError } from "../error.ts";
import { type Handle, sizeOf, type TopKBest } from "./engine.ts";

/** Dimensions that are shown: who takes data for a shape is not shown all of them. */
const SHOWN = 8;

/** A shape as errors show it. */
export function shapeText(shape: ArrayLike<number | undefined>): string {
  const shown = Array.from({ length: Math.min(shape.length, SHOWN) }, (_, i) => shape[i] ?? "any").join(", ");
  return shape.length <= SHOWN ? `[${shown}]` : `[${shown}, … ${shape.length.toLocaleString("en")} numbers]`;
}

/** What is said of a tensor that `free` does not take. */
export function noVariable({ shape }: Handle): EngineError {
  return new EngineError("free: no variable, or one that was given back", {
    expected: "a variable, or all of a block, once",
    found: shapeText(shape),
    hint: "temporaries end with their arena, or by release",
  });
}

/** Fails unless a shape has room for so many values, no more and no fewer. */
export function expectValues(kernel: string, data: ArrayLike<number>, shape: readonly number[]): void {
  if (sizeOf(shape) === data.length) return;
  throw new EngineError(`${kernel}: wrong number of values`, {
    expected: shapeText(shape),
    found: `${data.length}`,
    ...(shape.length > SHOWN && { hint: "data come first, and then their shape" }),
  });
}

/** Fails unless there is room for so many values from an element on. */
export function expectRoom({ shape }: Handle, data: ArrayLike<number>, offset: number): void {
  const room = sizeOf(shape) - offset;
  if (data.length <= room) return;
  throw new EngineError("more values than the tensor has room for", {
    expected: `at most ${room} from element ${offset} of ${shapeText(shape)}`,
    found: `${data.length}`,
  });
}

/** Fails with both shapes unless they are as a kernel needs them; undefined stands for any number. */
export function expectShape(kernel: string, handle: Handle, expected: readonly (number | undefined)[]): void {
  const { shape } = handle;
  if (shape.length === expected.length && expected.every((n, i) => n === undefined || n === shape[i])) return;
  throw new EngineError(`${kernel}: wrong shape`, {
    expected: shapeText(expected),
    found: shapeText(shape),
  });
}

/** Fails with both shapes unless one has as many elements as the other. */
export function expectSize(kernel: string, handle: Handle, expected: readonly number[]): void {
  if (sizeOf(handle.shape) === sizeOf(expected)) return;
  throw new EngineError(`${kernel}: sizes differ`, {
    expected: shapeText(expected),
    found: shapeText(handle.shape),
  });
}

/** Fails unless a kernel can take rows, or columns, from … to − 1 of so many. */
export function expectRange(kernel: string, count: number, from: number, to: number): void {
  if (Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= count) return;
  throw new EngineError(`${kernel}: a range of what is not there`, {
    expected: `from 0 to ${count}`,
    found: `from ${from} to ${to}`,
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
