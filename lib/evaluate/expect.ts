/**
 * Checks of what is evaluated: a score that is none would count as the worst, or as no agreement, and nobody would know.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import type { Values } from "../numeric/correlation.ts";

/** Throws an `EvaluationError` unless there are so many values, all of them finite numbers. */
export function expectFinite(what: string, values: Values, rows: number = values.length): void {
  if (values.length !== rows) {
    throw new EvaluationError(`${what}: there is not one for each row`, {
      expected: `${rows}`,
      found: `${values.length}`,
    });
  }
  for (let row = 0; row < rows; row++) {
    if (Number.isFinite(values[row])) continue;
    throw new EvaluationError(`${what}: a value is not a number`, {
      where: `row ${row}`,
      expected: "finite numbers",
      found: typeof values[row] === "string" ? JSON.stringify(values[row]) : String(values[row]),
    });
  }
}

/** Throws an `EvaluationError` unless there are so many labels, each of them 0 or 1. */
export function expectBinary(labels: Values, rows: number): void {
  expectFinite("labels", labels, rows);
  for (let row = 0; row < rows; row++) {
    if (labels[row] === 0 || labels[row] === 1) continue;
    throw new EvaluationError("a label is neither 0 nor 1", { where: `row ${row}`, found: `${labels[row]}` });
  }
}
