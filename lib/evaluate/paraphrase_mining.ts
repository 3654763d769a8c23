/**
 * Mining of paraphrases: how many of the closest pairs of texts are known to mean the same.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { nearest } from "../embed/nearest.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { startNumbering } from "../numbering.ts";

/** Texts, and which of them mean the same. */
export interface Paraphrases {
  /** Distinct texts. */
  readonly texts: readonly string[];
  /** Rows of texts that mean the same, in pairs. */
  readonly pairs: readonly (readonly [number, number])[];
}

/**
 * Texts and pairs from rows: equal texts are one.
 *
 * @param first A text of each row.
 * @param second The other.
 * @param same Whether the two mean the same. Default: all do.
 * @returns The distinct texts in order of first occurrence, and the rows of those that mean the same.
 * @throws {EvaluationError} Not as many of each.
 *
 * @example
 * ```ts
 * import { paraphrases } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const { texts, pairs } = paraphrases(["a", "b"], ["b", "c"], [true, false]);
 * assert.deepEqual(texts, ["a", "b", "c"]);
 * assert.deepEqual(pairs, [[0, 1]]);
 * ```
 */
export function paraphrases(
  first: readonly string[],
  second: readonly string[],
  same: readonly boolean[] = first.map(() => true),
): Paraphrases {
  if (second.length !== first.length || same.length !== first.length) {
    throw new EvaluationError("every row has two texts, and whether they mean the same", {
      expected: `${first.length} of each`,
      found: `${second.length} second texts, ${same.length} labels`,
    });
  }
  const { numberOf, texts } = startNumbering();
  const all = first.map((text, i) => [numberOf(text), numberOf(second[i]!)] as const);
  return { texts: texts(), pairs: all.filter(([a, b], i) => same[i] && a !== b) };
}

/** Options of {@linkcode evaluateParaphraseMining}. */
export interface ParaphraseMiningOptions {
  /** Neighbours of each text that are looked at. Default 100. */
  readonly topK?: number | undefined;
  /** Closest pairs that are looked at. Default 500,000. */
  readonly maxPairs?: number | undefined;
  /** What means the same as a third means the same as each other. Default false. */
  readonly transitive?: boolean | undefined;
}

/** What {@linkcode evaluateParaphraseMining} finds. */
export type ParaphraseMiningMetrics = {
  /** Of the list of closest pairs, over all that mean the same. */
  readonly average_precision: number;
  /** The best F1 of any threshold. */
  readonly f1: number;
  /** Precision at that threshold. */
  readonly precision: number;
  /** Recall at that threshold. */
  readonly recall: number;
  /** The cosine from which on pairs are then taken for paraphrases. */
  readonly threshold: number;
};

/**
 * sentence-transformers' ParaphraseMiningEvaluator: the closest pairs of all texts in order, compared with those that are
 * known to mean the same. Pairs of equal similarity count as one step.
 *
 * @param engine Compares embeddings.
 * @param embeddings [texts, width]
 * @param pairs Rows of texts that mean the same.
 * @param options How many neighbours and pairs are looked at.
 * @returns Average precision, and the best F1 with its threshold.
 * @throws {EvaluationError} There are fewer than two texts, none mean the same, or a pair is not of two of them.
 * @throws {UsageError} `topK` or `maxPairs` is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { evaluateParaphraseMining } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const embeddings = { data: Float32Array.of(1, 0, 1, .1, 0, 1), width: 2, rows: 3 };
 * const { average_precision, f1 } = await evaluateParaphraseMining(engine, embeddings, [[0, 1]]);
 * assert.deepEqual([average_precision, f1], [1, 1]);
 * engine.close();
 * ```
 */
export async function evaluateParaphraseMining(
  engine: Engine,
  embeddings: Embeddings,
  pairs: readonly (readonly [number, number])[],
  options: ParaphraseMiningOptions = {},
): Promise<ParaphraseMiningMetrics> {
  const { topK = 100, maxPairs = 500_000, transitive = false } = options;
  const { rows } = embeddings;
  expectWholeNumber("topK", topK);
  expectWholeNumber("maxPairs", maxPairs);
  const isRow = (row: number) => Number.isInteger(row) && row >= 0 && row < rows;
  const wrong = pairs.find(([a, b]) => !isRow(a) || !isRow(b) || a === b);
  if (wrong !== undefined) {
    throw new EvaluationError("a pair is not of two of the texts", {
      expected: `two different rows below ${rows}`,
      found: wrong.join(", "),
    });
  }
  const keyOf = (a: number, b: number) => Math.min(a, b) * rows + Math.max(a, b);
  const same = new Set((transitive ? closure(pairs, rows) : pairs).map(([a, b]) => keyOf(a, b)));
  if (rows < 2 || same.size === 0) {
    throw new EvaluationError("mining needs texts that mean the same", {
      expected: "at least one pair",
      found: `${counted(rows, "text")}, ${counted(same.size, "pair")}`,
    });
  }
  const { indices, scores, counts, k } = await nearest(engine, embeddings, embeddings, { k: topK, excludeSelf: true });
  const found = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    for (let at = row * k; at < row * k + counts[row]!; at++) {
      const key = keyOf(row, indices[at]!);
      if (!found.has(key)) found.set(key, scores[at]!);
    }
  }
  const list = [...found].sort(([, a], [, b]) => b - a).slice(0, maxPairs);

  let [correct, before, sum] = [0, 0, 0];
  let best = { f1: 0, precision: 0, recall: 0, threshold: 0 };
  list.forEach(([key, score], i) => {
    if (same.has(key)) correct++;
    const next = list[Math.min(i + 1, list.length - 1)]![1];
    if (i + 1 < list.length && next === score) return;
    if (correct > before) {
      const [precision, recall] = [correct / (i + 1), correct / same.size];
      const f1 = 2 * precision * recall / (precision + recall);
      sum += precision * (correct - before);
      if (f1 > best.f1) best = { f1, precision, recall, threshold: (score + next) / 2 };
    }
    before = correct;
  });
  return { average_precision: sum / same.size, ...best };
}

/** All pairs of texts that are linked by pairs. */
function closure(pairs: readonly (readonly [number, number])[], rows: number): (readonly [number, number])[] {
  const parent = Int32Array.from({ length: rows }, (_, row) => row);
  const rootOf = (row: number): number => {
    while (parent[row] !== row) row = parent[row] = parent[parent[row]!]!;
    return row;
  };
  for (const [a, b] of pairs) parent[rootOf(a)] = rootOf(b);
  const groups = new Map<number, number[]>();
  for (const row of new Set(pairs.flat())) {
    const root = rootOf(row);
    groups.set(root, [...groups.get(root) ?? [], row]);
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).map((b) => [a, b] as const))
  );
}
