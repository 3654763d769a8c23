/**
 * Pairs and their negatives as what a loss trains on: anchor, positive, negative ….
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset, Pairs, Triplets } from "../data/dataset.ts";
import { randomPurpose, type RandomStream, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Candidates } from "./candidates.ts";
import type { Tuples } from "./formats.ts";

/** Options of {@linkcode withNegatives}. */
export interface WithNegativesOptions {
  /** Negatives of a row. Default 1. */
  readonly negatives?: number;
  /** What becomes of a row with too few: an easy negative from the other texts, or the row is left out. Default easy. */
  readonly missing?: "easy" | "drop";
  /** Of the easy ones. Default 42. */
  readonly seed?: number;
}

/** A dataset and how it came about. */
export interface WithNegatives {
  /** The column is `negative`, or, for several, `negative_1` …. */
  readonly dataset: Dataset<Triplets> | Dataset<Tuples>;
  /** Numbers of negatives that were found and that were filled in, of rows that had too few, and of rows left out. */
  readonly counts: {
    readonly found: number;
    readonly easy: number;
    readonly short: number;
    readonly dropped: number;
  };
}

/**
 * Gives every pair its anchor's negatives, best first, in the order of the pairs.
 *
 * Easy negatives are texts of the same documents at random, by the seed and the row alone: never the anchor, one of its
 * positives, or a text that the row has already.
 *
 * @param pairs The pairs that negatives were found for, or some of them.
 * @param negatives Negatives of every anchor.
 * @param options How many, and what becomes of a row with too few.
 * @returns The dataset, and how many negatives were found and filled in.
 * @throws {UsageError} A number that is not a whole number from 1.
 * @throws {DatasetError} An anchor that negatives were not found for, no row with enough, or too few texts for an easy
 *   one.
 *
 * @example
 * ```ts
 * import { withNegatives, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot", "wet"], positive: ["warm", "damp"] }, rows: 2 };
 * const { negatives } = await writtenNegatives(pairs, (requests) =>
 *   Promise.resolve(requests.map(({ messages }) => ({
 *     text: messages.at(-1)!.content.includes("hot") ? "cold" : "damp",
 *     finish: "stop",
 *   }))));
 * const { dataset, counts } = withNegatives(pairs, negatives, { missing: "drop" });
 * assert.deepEqual(dataset.columns, { anchor: ["hot"], positive: ["warm"], negative: ["cold"] });
 * assert.equal(counts.dropped, 1);
 * ```
 */
export function withNegatives(
  pairs: Dataset<Pairs>,
  negatives: Candidates,
  options: WithNegativesOptions = {},
): WithNegatives {
  const { negatives: wanted = 1, missing = "easy", seed = 42 } = options;
  expectWholeNumber("negatives", wanted);
  const { anchors, documents, offsets, positives, indices, width } = negatives;
  const rowOf = new Map(anchors.map((text, i) => [text, i]));
  const anchor: string[] = [];
  const positive: string[] = [];
  const columns: string[][] = Array.from({ length: wanted }, () => []);
  const counts = { found: 0, easy: 0, short: 0, dropped: 0 };
  pairs.columns.anchor.forEach((text, row) => {
    const i = rowOf.get(text);
    if (i === undefined) {
      throw new DatasetError("no negatives were looked for for this anchor", {
        where: `row ${row + 1}`,
        found: JSON.stringify(text.slice(0, 80)),
        hint: "find negatives for these pairs",
      });
    }
    const found = Math.min(wanted, negatives.counts[i]!);
    if (found < wanted) counts.short++;
    if (found < wanted && missing === "drop") {
      counts.dropped++;
      return;
    }
    const chosen = Array.from(indices.subarray(i * width, i * width + found), (document) => documents[document]!);
    const unwanted = new Set([text, pairs.columns.positive[row]!, ...chosen]);
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) unwanted.add(documents[positives[p]!]!);
    const stream = randomStream(seed, randomPurpose("negatives", 2), row);
    while (chosen.length < wanted) {
      const easy = anyOther(documents, unwanted, stream, row);
      chosen.push(easy);
      unwanted.add(easy);
    }
    counts.found += found;
    counts.easy += wanted - found;
    anchor.push(text);
    positive.push(pairs.columns.positive[row]!);
    chosen.forEach((negative, n) => columns[n]!.push(negative));
  });
  if (anchor.length === 0) {
    throw new DatasetError("no row has enough negatives", {
      expected: `rows with ${wanted}`,
      found: `${counted(pairs.rows, "row")} with fewer`,
      hint: "ask for fewer, widen the bounds, or fill up with easy ones",
    });
  }
  const named = wanted === 1 ? [["negative", columns[0]!]] : columns.map((column, n) => [`negative_${n + 1}`, column]);
  return {
    dataset: { columns: { anchor, positive, ...Object.fromEntries(named) }, rows: anchor.length },
    counts,
  };
}

/** A text at random that is not unwanted: by drawing, and by looking at all where most are. */
function anyOther(
  documents: readonly string[],
  unwanted: ReadonlySet<string>,
  stream: RandomStream,
  row: number,
): string {
  for (let draw = 0; draw < 20 && documents.length > 0; draw++) {
    const text = documents[stream.int(documents.length)]!;
    if (!unwanted.has(text)) return text;
  }
  const others = documents.filter((text) => !unwanted.has(text));
  if (others.length > 0) return others[stream.int(others.length)]!;
  throw new DatasetError("there are too few texts for an easy negative", {
    expected: "texts that are neither the anchor nor one of its positives",
    found: `${counted(documents.length, "text")} in all`,
    where: `row ${row + 1}`,
    hint: "leave such rows out, or give a larger corpus",
  });
}
