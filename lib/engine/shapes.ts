/**
 * Shapes that kernels need.
 *
 * @module
 */
import { EngineError } from "../error.ts";
import { type Handle, sizeOf } from "./engine.ts";

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
