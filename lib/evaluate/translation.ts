/**
 * Models beside each other: does a text's translation lie nearest to it, and how far is a student from its teacher?
 *
 * @module
 */
import { nearest } from "../embed/nearest.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";

/** What {@linkcode evaluateTranslation} finds. */
export interface TranslationResult {
  /** sentence-transformers' keys. */
  readonly metrics: {
    /** Share of the first texts whose nearest second text is the right one. */
    readonly src2trg_accuracy: number;
    /** Share of the second texts whose nearest first text is the right one. */
    readonly trg2src_accuracy: number;
    /** The mean of both. */
    readonly mean_accuracy: number;
  };
  /** [pairs] by key: 0 or 1, and their mean. */
  readonly values: Readonly<Record<string, Float64Array>>;
}

/**
 * sentence-transformers' TranslationEvaluator: of each text, whether the nearest text of the other language is its
 * translation, or one that reads the same. Of equal cosines the first is the nearest.
 *
 * @param engine Compares embeddings.
 * @param source Texts of the first language and their embeddings, row by row.
 * @param target Their translations.
 * @returns Accuracies, and what they are the means of.
 * @throws {EvaluationError} There are no texts, or not a translation for each, or not an embedding.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { evaluateTranslation } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const of = (...data: number[]) => ({ data: Float32Array.from(data), width: 2, rows: 2 });
 * const { metrics } = await evaluateTranslation(
 *   engine,
 *   { texts: ["dog", "cat"], embeddings: of(1, 0, 0, 1) },
 *   { texts: ["Hund", "Katze"], embeddings: of(1, .2, .9, 1) },
 * );
 * assert.equal(metrics.mean_accuracy, 1);
 * engine.close();
 * ```
 */
export async function evaluateTranslation(
  engine: Engine,
  source: { readonly texts: readonly string[]; readonly embeddings: Embeddings },
  target: { readonly texts: readonly string[]; readonly embeddings: Embeddings },
): Promise<TranslationResult> {
  const rows = source.texts.length;
  if (rows === 0 || target.texts.length !== rows) {
    throw new EvaluationError("every text needs its translation", {
      expected: `${Math.max(1, rows)} texts of either language`,
      found: `${rows} and ${target.texts.length}`,
    });
  }
  for (const { embeddings } of [source, target]) {
    if (embeddings.rows === rows) continue;
    throw new EvaluationError("every text needs an embedding", { expected: `${rows}`, found: `${embeddings.rows}` });
  }
  const hits = async (from: typeof source, to: typeof source) => {
    const { indices } = await nearest(engine, from.embeddings, to.embeddings, { k: 1 });
    return Float64Array.from(to.texts, (text, row) => Number(to.texts[indices[row]!] === text));
  };
  const [there, back] = [await hits(source, target), await hits(target, source)];
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / rows;
  const values = {
    src2trg_accuracy: there,
    trg2src_accuracy: back,
    mean_accuracy: there.map((hit, row) => (hit + back[row]!) / 2),
  };
  const [src2trg_accuracy, trg2src_accuracy] = [mean(there), mean(back)];
  return {
    metrics: { src2trg_accuracy, trg2src_accuracy, mean_accuracy: (src2trg_accuracy + trg2src_accuracy) / 2 },
    values,
  };
}

/** What {@linkcode evaluateMse} finds. */
export interface MseResult {
  /** sentence-transformers' key: −100 times the mean square, so that more is better. */
  readonly metrics: { readonly negative_mse: number };
  /** [texts] −100 times the mean square of each. */
  readonly values: Readonly<Record<string, Float64Array>>;
}

/**
 * sentence-transformers' MSEEvaluator: −100 · mean (teacher − student)², over all texts and features.
 *
 * @param teacher Embeddings of the teacher: [texts, width].
 * @param student Those of the student, of the same texts or of their translations.
 * @returns The metric, and what it is the mean of.
 * @throws {EvaluationError} There are no texts, or the shapes differ.
 *
 * @example
 * ```ts
 * import { evaluateMse } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const of = (...data: number[]) => ({ data: Float32Array.from(data), width: 2, rows: 1 });
 * assert.equal(evaluateMse(of(1, 0), of(.5, 0)).metrics.negative_mse, -12.5);
 * ```
 */
export function evaluateMse(teacher: Embeddings, student: Embeddings): MseResult {
  const { rows, width } = teacher;
  if (rows === 0 || student.rows !== rows || student.width !== width) {
    throw new EvaluationError("teacher and student embed the same texts into the same width", {
      expected: `[${Math.max(1, rows)}, ${width}]`,
      found: `[${student.rows}, ${student.width}]`,
      ...(student.width !== width && { hint: "truncate_dim cuts the wider ones" }),
    });
  }
  const negative_mse = Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += (teacher.data[i]! - student.data[i]!) ** 2;
    return -100 * sum / width;
  });
  return {
    metrics: { negative_mse: negative_mse.reduce((sum, value) => sum + value, 0) / rows },
    values: { negative_mse },
  };
}
