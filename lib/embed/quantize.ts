/**
 * Embeddings in fewer bytes: half precision, one byte a feature, one bit a feature. Called `precision`, as
 * sentence-transformers' `encode(…, precision=…)` and `quantize_embeddings` call it, whose values these are.
 *
 * This is the precision of what comes out. The precision of the computation is another thing, and an option of engines.
 *
 * Scalars, with step = (max − min) / 255 of each feature, or 1 where that is 0:
 *
 *     uint8  code = ⌊(x − min) / step⌋, from 0 to 255        int8  code − 128        back  min + step · code
 *
 * Bits: 1 where x > 0, eight a byte, the first feature highest (numpy's `packbits`), 0 behind the last feature; ubinary
 * holds the byte, binary the byte − 128.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { expectOneOf, expectWholeNumber } from "../expect.ts";
import type { Embeddings } from "./pairwise.ts";

/** How the values of embeddings are kept. */
export type OutputPrecision = "float32" | "float16" | "int8" | "uint8" | "binary" | "ubinary";

/** All of them. */
export const OUTPUT_PRECISIONS: readonly OutputPrecision[] = [
  "float32",
  "float16",
  "int8",
  "uint8",
  "binary",
  "ubinary",
];

/** The values of each precision. */
export interface PrecisionArrays {
  /** As they were computed. */
  readonly float32: Float32Array<ArrayBuffer>;
  /** Rounded to the nearest half, ties to even. */
  readonly float16: Float16Array<ArrayBuffer>;
  /** Codes from −128. */
  readonly int8: Int8Array<ArrayBuffer>;
  /** Codes from 0. */
  readonly uint8: Uint8Array<ArrayBuffer>;
  /** Packed bits, − 128. */
  readonly binary: Int8Array<ArrayBuffer>;
  /** Packed bits. */
  readonly ubinary: Uint8Array<ArrayBuffer>;
}

/** The least and the greatest value of each feature. */
export interface Ranges {
  /** [width] */
  readonly min: Float32Array;
  /** [width] */
  readonly max: Float32Array;
}

/** Embeddings of some precision, one row each. */
export interface QuantizedEmbeddings<P extends OutputPrecision = OutputPrecision> {
  /** Which one. */
  readonly precision: P;
  /** [rows × columns] */
  readonly data: PrecisionArrays[P];
  /** Values of a row: as many as features; of bits, ⌈width / 8⌉. */
  readonly columns: number;
  /** Features of an embedding. */
  readonly width: number;
  /** Number of rows. */
  readonly rows: number;
  /** What int8 and uint8 were made with, and are read with. */
  readonly ranges?: Ranges;
}

/** What int8 and uint8 are measured by; the other precisions do not look at it. */
export interface Calibration {
  /** Of each feature; values beyond become the least or the greatest code. */
  readonly ranges?: Ranges | undefined;
  /** Embeddings whose ranges are taken instead. Default: those that are quantised. */
  readonly calibrationEmbeddings?: Embeddings | undefined;
}

/** Whether the codes of a precision mean something by their ranges alone. */
export const isScalar = (precision: OutputPrecision): precision is "int8" | "uint8" =>
  precision === "int8" || precision === "uint8";

/** Whether a precision is one bit a feature. */
export const isBinary = (precision: OutputPrecision): precision is "binary" | "ubinary" =>
  precision === "binary" || precision === "ubinary";

/** Values of a row of so many features. */
export const columnsOf = (precision: OutputPrecision, width: number): number =>
  isBinary(precision) ? Math.ceil(width / 8) : width;

/** Bytes of a row of so many features. */
export const rowBytes = (precision: OutputPrecision, width: number): number =>
  columnsOf(precision, width) * (precision === "float32" ? 4 : precision === "float16" ? 2 : 1);

/** An array of so many values of a precision. */
export function precisionArray<P extends OutputPrecision>(precision: P, length: number): PrecisionArrays[P];
export function precisionArray(precision: OutputPrecision, length: number): PrecisionArrays[OutputPrecision] {
  switch (precision) {
    case "float32":
      return new Float32Array(length);
    case "float16":
      return new Float16Array(length);
    case "int8":
    case "binary":
      return new Int8Array(length);
    case "uint8":
    case "ubinary":
      return new Uint8Array(length);
  }
}

/**
 * The least and the greatest value of each feature, to quantise by.
 *
 * @param embeddings [n, width], n from 2: a single embedding has no range.
 * @returns The ranges.
 * @throws {DatasetError} Fewer than two embeddings, or values that are not finite.
 *
 * @example
 * ```ts
 * import { embeddingRanges } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const { min, max } = embeddingRanges({ data: Float32Array.of(1, 5, 3, -5), width: 2, rows: 2 });
 * assert.deepEqual([[...min], [...max]], [[1, -5], [3, 5]]);
 * ```
 */
export function embeddingRanges(embeddings: Embeddings): Ranges {
  const { width, rows } = embeddings;
  if (rows < 2) {
    throw new DatasetError("a single embedding has no ranges to quantise by", {
      expected: "two embeddings or more; better a hundred",
      found: `${rows}`,
      hint: "give the ranges of many embeddings (ranges), or many embeddings (calibrationEmbeddings)",
    });
  }
  const ranges = { min: new Float32Array(width).fill(Infinity), max: new Float32Array(width).fill(-Infinity) };
  widenRanges(ranges, embeddings);
  return ranges;
}

/** Widens ranges, from [∞, −∞] on, so that they hold these embeddings as well. */
export function widenRanges({ min, max }: Ranges, embeddings: Embeddings): void {
  checkFinite(embeddings);
  const { data, width, rows } = embeddings;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < width; i++, at++) {
      const x = data[at]!;
      if (x < min[i]!) min[i] = x;
      if (x > max[i]!) max[i] = x;
    }
  }
}

/**
 * Embeddings in another precision, exactly as sentence-transformers' `quantize_embeddings` makes them: in single
 * precision, rounded down, cut to the codes there are. `float16`, which that function does not know, is rounded to the
 * nearest, ties to even.
 *
 * Other than there, what is not finite is refused (there NaN becomes some code, or the bit 0), and so are values that
 * float16 cannot hold, and ranges that are none.
 *
 * @param embeddings [n, width], finite.
 * @param precision Which one.
 * @param calibration By what int8 and uint8 are measured. Without it they are measured by the embeddings themselves, which
 *   must then be two at least; queries and corpus must be measured by the same.
 * @returns The same rows; of int8 and uint8 with the ranges, without which the codes mean nothing.
 * @throws {DatasetError} Values that are not finite, ranges that do not fit, or a single embedding without ranges.
 * @throws {UsageError} There is no such precision.
 *
 * @example
 * ```ts
 * import { dequantizeEmbeddings, quantizeEmbeddings } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const embeddings = { data: Float32Array.of(-1, 0, 1, 4, 0, 2), width: 2, rows: 3 };
 * const bits = quantizeEmbeddings(embeddings, "ubinary");
 * assert.deepEqual([...bits.data], [0b0000_0000, 0b1100_0000, 0b0100_0000]);
 * const bytes = quantizeEmbeddings(embeddings, "int8");
 * assert.deepEqual([...bytes.data], [-128, -128, 126, 126, -1, -1]);
 * const back = dequantizeEmbeddings(bytes);
 * assert.ok(back.data.every((x, i) => Math.abs(x - embeddings.data[i]!) < 4 / 255));
 * ```
 */
export function quantizeEmbeddings<P extends OutputPrecision>(
  embeddings: Embeddings,
  precision: P,
  calibration: Calibration = {},
): QuantizedEmbeddings<P> {
  checkOutputPrecision(precision);
  const { data, width, rows } = embeddings;
  checkFinite(embeddings);
  const columns = columnsOf(precision, width);
  const values = precisionArray<OutputPrecision>(precision, rows * columns);
  const result = { precision, data: values as PrecisionArrays[P], columns, width, rows };
  switch (precision) {
    case "float32":
      values.set(data);
      return result;
    case "float16": {
      values.set(data);
      const beyond = (values as Float16Array).findIndex((x) => !Number.isFinite(x));
      if (beyond < 0) return result;
      throw new DatasetError("a value is too large for float16", {
        expected: "up to 65504",
        found: `${data[beyond]}`,
        where: `row ${Math.floor(beyond / width)}, feature ${beyond % width}`,
      });
    }
    case "int8":
    case "uint8": {
      const ranges = rangesFor(embeddings, calibration);
      const steps = stepsOf(ranges);
      const first = precision === "int8" ? -128 : 0;
      for (let row = 0, at = 0; row < rows; row++) {
        for (let i = 0; i < width; i++, at++) {
          const code = Math.floor(Math.fround(Math.fround(data[at]! - ranges.min[i]!) / steps[i]!));
          values[at] = first + (code < 0 ? 0 : code > 255 ? 255 : code);
        }
      }
      return { ...result, ranges };
    }
    default: {
      const first = precision === "binary" ? 128 : 0;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let byte = 0;
          for (let bit = 0; bit < 8; bit++) {
            const i = 8 * column + bit;
            byte = 2 * byte + (i < width && data[row * width + i]! > 0 ? 1 : 0);
          }
          values[row * columns + column] = byte - first;
        }
      }
      return result;
    }
  }
}

/**
 * Rows of float32 again: of int8 and uint8, the lower end of each code's step, as sentence-transformers' search takes
 * them; of bits, 1 and −1.
 *
 * @param embeddings Of any precision.
 * @param from The first row. Default 0.
 * @param to The row behind the last. Default: to the end.
 * @returns [to − from, width], a copy.
 * @throws {DatasetError} int8 or uint8 without ranges, or rows that there are not.
 * @throws {UsageError} `from` or `to` that is not a whole number from 0.
 *
 * @example
 * ```ts
 * import { dequantizeEmbeddings, quantizeEmbeddings } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const bits = quantizeEmbeddings({ data: Float32Array.of(.5, -.25, .75), width: 3, rows: 1 }, "binary");
 * assert.deepEqual([...dequantizeEmbeddings(bits).data], [1, -1, 1]);
 * ```
 */
export function dequantizeEmbeddings(
  embeddings: QuantizedEmbeddings,
  from = 0,
  to: number = embeddings.rows,
): Embeddings {
  const { width } = embeddings;
  expectWholeNumber("from", from, 0);
  expectWholeNumber("to", to, 0);
  const rows = Math.max(0, to - from);
  if (rows > 0 && to > embeddings.rows) {
    throw new DatasetError("there are not so many rows", { expected: `${embeddings.rows} at most`, found: `${to}` });
  }
  const data = new Float32Array(rows * width);
  const decode = rowDecoder(embeddings);
  for (let row = 0; row < rows; row++) decode(from + row, data, row * width);
  return { data, width, rows };
}

/** Writes a row as float32 into an array, from a place on. What it needs for all rows is made once. */
export function rowDecoder(embeddings: QuantizedEmbeddings): (row: number, into: Float32Array, at: number) => void {
  const { precision, data, width, columns } = embeddings;
  if (isBinary(precision)) {
    const first = precision === "binary" ? 128 : 0;
    return (row, into, at) => {
      for (let i = 0; i < width; i++) {
        const byte = data[row * columns + (i >> 3)]! + first;
        into[at + i] = (byte >> (7 - (i & 7))) & 1 ? 1 : -1;
      }
    };
  }
  if (!isScalar(precision)) {
    return (row, into, at) => into.set(data.subarray(row * columns, (row + 1) * columns), at);
  }
  const { ranges } = embeddings;
  if (ranges === undefined) {
    throw new DatasetError(`embeddings in ${precision} cannot be read without their ranges`, {
      expected: "the ranges that they were quantised with",
    });
  }
  checkRanges(ranges, width);
  const [steps, { min }] = [stepsOf(ranges), ranges];
  const first = precision === "int8" ? 128 : 0;
  return (row, into, at) => {
    for (let i = 0; i < width; i++) into[at + i] = (data[row * columns + i]! + first) * steps[i]! + min[i]!;
  };
}

/** Refuses a name that is no precision. */
export function checkOutputPrecision(precision: string): asserts precision is OutputPrecision {
  expectOneOf("precision of embeddings", precision, OUTPUT_PRECISIONS);
}

function rangesFor(embeddings: Embeddings, { ranges, calibrationEmbeddings }: Calibration): Ranges {
  if (ranges === undefined) {
    // Nothing to quantise needs no ranges; but what is returned has some.
    if (embeddings.rows === 0 && calibrationEmbeddings === undefined) {
      return { min: new Float32Array(embeddings.width), max: new Float32Array(embeddings.width) };
    }
    const found = embeddingRanges(calibrationEmbeddings ?? embeddings);
    checkRanges(found, embeddings.width);
    return found;
  }
  checkRanges(ranges, embeddings.width);
  return ranges;
}

/** (max − min) / 255 in single precision; 1 where nothing varies. */
function stepsOf({ min, max }: Ranges): Float32Array {
  const steps = new Float32Array(min.length);
  for (let i = 0; i < steps.length; i++) steps[i] = Math.fround(Math.fround(max[i]! - min[i]!) / 255) || 1;
  return steps;
}

function checkRanges({ min, max }: Ranges, width: number): void {
  if (min.length !== width || max.length !== width) {
    throw new DatasetError("the ranges are those of embeddings of another width", {
      expected: `${width} features`,
      found: `${min.length} and ${max.length}`,
    });
  }
  const wrong = min.findIndex((low, i) => !(low <= max[i]! && Number.isFinite(Math.fround(max[i]! - low))));
  if (wrong < 0) return;
  throw new DatasetError("the range of a feature is none", {
    expected: "finite numbers, the least first",
    found: `${min[wrong]} to ${max[wrong]}`,
    where: `feature ${wrong}`,
  });
}

/** As many values as announced, all of them numbers: what is not would become some code or other. */
function checkFinite({ data, width, rows }: Embeddings): void {
  if (data.length !== rows * width) {
    throw new DatasetError("the number of values does not match rows and width", {
      expected: `${rows} × ${width} = ${rows * width}`,
      found: `${data.length}`,
    });
  }
  const wrong = data.findIndex((x) => !Number.isFinite(x));
  if (wrong < 0) return;
  throw new DatasetError("an embedding is not finite: it cannot be quantised", {
    expected: "finite numbers",
    found: `${data[wrong]}`,
    where: `row ${Math.floor(wrong / width)}, feature ${wrong % width}`,
  });
}
