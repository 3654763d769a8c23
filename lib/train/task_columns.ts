/**
 * The columns of a task beside its model: whether a loss can use them, and those of a batch.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { TrainingError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import type { TokenizedTexts } from "../text/packed.ts";

/**
 * Refuses text columns that a loss does not take, or that have unequally many rows.
 *
 * @param loss Its name, and how many columns it takes.
 * @param texts The columns.
 * @returns Rows.
 * @throws {TrainingError} It takes another number of them, or they are unequal.
 */
export function checkedRows(
  { name, texts: { min, max } }: {
    readonly name: string;
    readonly texts: { readonly min: number; readonly max: number };
  },
  texts: readonly TokenizedTexts[],
): number {
  if (texts.length < min || texts.length > max) {
    throw new TrainingError(`${name} takes another number of text columns`, {
      expected: min === max ? `${min}` : max === Infinity ? `${min} or more` : `${min} to ${max}`,
      found: `${texts.length}`,
    });
  }
  const rows = texts.map(({ offsets }) => offsets.length - 1);
  if (rows.every((count) => count === rows[0])) return rows[0]!;
  throw new TrainingError("the text columns have different lengths", { found: rows.join(", ") });
}

/** What the labels of a task must be. */
export interface WantedLabels {
  /** Of the loss, for errors. */
  readonly name: string;
  /** Which label it wants. */
  readonly label: LabelKind;
  /** How many a row may have. */
  readonly widths: readonly number[];
  /** Where each must lie. Default: anywhere. */
  readonly range?: readonly [least: number, most: number] | undefined;
}

/**
 * Labels in the type that an engine wants, every one of them checked.
 *
 * @param wanted What they must be.
 * @param rows How many rows there are.
 * @param labels Of one row after the other.
 * @returns i32 classes or f32 scores; undefined for a loss that wants none.
 * @throws {TrainingError} They are missing, would be ignored, or are none that the loss can use: it names the row.
 */
export function checkedLabels(
  { name, label, widths, range: [least, most] = [-Infinity, Infinity] }: WantedLabels,
  rows: number,
  labels: Int32Array | Float32Array | undefined,
): Int32Array | Float32Array | undefined {
  if (label === "none") {
    if (labels === undefined) return undefined;
    throw new TrainingError(`${name} would ignore the labels`, { expected: "no labels" });
  }
  if (labels === undefined || !widths.some((width) => width * rows === labels.length)) {
    throw new TrainingError("labels and rows do not match", {
      expected: widths.map((width) => `${width * rows}`).join(" or ") + ` labels for ${counted(rows, "row")}`,
      found: `${labels?.length ?? "none"}`,
    });
  }
  const isClass = label === "class";
  const isOne = isClass ? Number.isInteger : Number.isFinite;
  const bad = labels.findIndex((value) => !(value >= least && value <= most && isOne(value)));
  if (bad >= 0) {
    const range = least === -Infinity ? undefined : `${least} to ${most}`;
    throw new TrainingError(`a label does not suit ${name}`, {
      where: `row ${Math.floor(bad * rows / labels.length)}`,
      expected: isClass ? range === undefined ? "a whole number" : `a class from ${range}` : range ?? "a number",
      found: `${labels[bad]}`,
    });
  }
  return isClass ? Int32Array.from(labels) : Float32Array.from(labels);
}

/** The values of these rows, so many each. */
export function pickRows<A extends Int32Array | Float32Array>(values: A, rows: Int32Array, each: number): A {
  const picked = values.slice(0, rows.length * each) as A;
  rows.forEach((row, i) => picked.set(values.subarray(row * each, (row + 1) * each), i * each));
  return picked;
}
