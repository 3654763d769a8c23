/** Tensors of the reference: float64, row-major. */
import { randomPurpose, randomStream } from "../../../lib/engine/philox.ts";

/** A tensor in double precision. The values of inputs are such as f32 can hold, so that every engine gets the same. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** What it is on an engine. Default f32. */
  readonly dtype?: "f32" | "i32";
  /** The elements that count where it is compared, if not all do. */
  readonly only?: readonly number[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/** Values by place. */
export function tensor(shape: readonly number[], value: (i: number) => number): Tensor {
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => value(i)) };
}

/** These values, under a shape or as a vector. */
export function floats(values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor {
  return tensor(shape, (i) => Math.fround(values[i]!));
}

/** Whole numbers. */
export function integers(values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor {
  return { ...tensor(shape, (i) => values[i]!), dtype: "i32" };
}

/** Normal numbers that depend on the shape and a number alone. */
export function normals(shape: readonly number[], scale = 1, counter = 0): Tensor {
  const stream = randomStream(7, randomPurpose("sample"), 1000 * shape.reduce((sum, n) => 31 * sum + n, 0) + counter);
  return tensor(shape, () => Math.fround(scale * stream.normal()));
}

/** All elements the same. */
export const filled = (shape: readonly number[], value: number): Tensor => tensor(shape, () => value);

/** f(x) of each element, or f(x, y) of each pair. */
export function map(x: Tensor, f: (value: number, i: number) => number): Tensor {
  return tensor(x.shape, (i) => f(x.data[i]!, i));
}

/** a + scale · b, of which count the elements that count in b. */
export function add(a: Tensor, b: Tensor, scale = 1): Tensor {
  const sum = map(a, (value, i) => value + scale * b.data[i]!);
  return b.only === undefined ? sum : { ...sum, only: b.only };
}

/** Σ a ⊙ b: what a function of a tensor is multiplied with to have one number to differentiate. */
export function dot(a: Tensor, b: Tensor): number {
  return a.data.reduce((sum, value, i) => sum + value * b.data[i]!, 0);
}

/** The same tensor, of which these rows count. */
export function onlyRows(x: Tensor, rows: number): Tensor {
  return { ...x, only: Array.from({ length: rows * sizeOf(x.shape.slice(1)) }, (_, i) => i) };
}

/**
 * Some elements of many, the last among them, spread over all rows and columns; few of a large tensor, where each takes
 * long to differentiate by.
 */
export function some(x: Tensor, most: number): readonly number[] {
  const size = x.data.length;
  const count = Math.min(size, size > 4000 ? 24 : most);
  if (count === size) return [...x.data.keys()];
  const golden = (Math.sqrt(5) - 1) / 2;
  return Array.from({ length: count }, (_, i) => i === 0 ? size - 1 : Math.floor(size * (i * golden % 1)));
}

/**
 * df/dx by central differences, (f(x + h) − f(x − h)) / 2h: of all elements, or of some.
 */
export function differences(x: Tensor, f: (x: Tensor) => number, only?: readonly number[]): Tensor {
  const h = 1e-5;
  const data = x.data.slice();
  const gradient = new Float64Array(data.length);
  for (const i of only ?? data.keys()) {
    const value = data[i]!;
    data[i] = value + h;
    const above = f({ ...x, data });
    data[i] = value - h;
    gradient[i] = (above - f({ ...x, data })) / (2 * h);
    data[i] = value;
  }
  return { shape: x.shape, data: gradient, ...(only !== undefined && { only }) };
}
