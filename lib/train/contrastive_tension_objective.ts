/**
 * Contrastive Tension (Carlsson et al. 2021) as an objective: two models with weights of their own, one of which is kept.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { contrastiveTension, contrastiveTensionInBatch } from "../loss/contrastive_tension.ts";
import { type BiEncoder, embed } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { prefixed } from "../model/parameters.ts";
import type { Parameters } from "../tensor/tensor.ts";
import { pack, type TokenizedTexts } from "../text/packed.ts";
import { activationBytesPerToken } from "./budget.ts";
import { differentiateEmbeddings } from "./embedding_gradients.ts";
import { equalTexts, hasNegative } from "./negatives.ts";
import type { Objective } from "./objective.ts";

/** What a text is told from: one other text in each pair, or all others of the batch. */
export type Tension = "pairs" | "in-batch";

/** Two models, and the texts that they must agree on. */
export interface ContrastiveTensionTask {
  /** The model that is kept: it embeds the second text of a pair. */
  readonly model: BiEncoder;
  /** The other one, which begins with the same weights: it embeds the first, and is of no use after training. */
  readonly first: BiEncoder;
  /** The texts, tokenised. */
  readonly texts: TokenizedTexts;
  /** Where negatives come from. */
  readonly tension: Tension;
  /** Of `pairs`: every so many pairs one is of equal texts, and the others of two different ones. Default 8. */
  readonly posNegRatio?: number | undefined;
  /** Of `in-batch`: the tensors of the loss. */
  readonly head?: Parameters | undefined;
  /** The texts themselves, if no text may occur twice in a batch. */
  readonly distinct?: readonly string[] | undefined;
  /** Leading tokens of every text that are a prompt's: for models that leave prompts out of their pooling. Default 0. */
  readonly skip?: number | undefined;
  /** Tokens that go through both models at once; default: what fits into the engine's activation budget. */
  readonly tokenBudget?: number | undefined;
}

/** One pair of every so many is of equal texts, where nothing is said: sentence-transformers' number. */
export const POS_NEG_RATIO = 8;

/**
 * How many texts so many pairs take: 1 for one of equal texts, 2 for any other.
 *
 * @param pairs Pairs of a batch.
 * @param posNegRatio Every so many pairs one is of equal texts. Default 8.
 * @returns Texts of a batch.
 * @throws {UsageError} The pairs cannot be shared out: 16 can with 8, 20 cannot.
 *
 * @example
 * ```ts
 * import { textsOfPairs } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * assert.equal(textsOfPairs(16, 8), 30); // twice one of equal texts and seven others
 * ```
 */
export function textsOfPairs(pairs: number, posNegRatio: number = POS_NEG_RATIO): number {
  if (pairs % posNegRatio !== 0) {
    throw new UsageError("the batch size does not fit the share of pairs of equal texts", {
      expected: `a multiple of ${posNegRatio} pairs`,
      found: `${pairs}`,
      hint: `--batch-size ${Math.ceil(pairs / posNegRatio) * posNegRatio}, or another --pos-neg-ratio`,
    });
  }
  return 2 * pairs - pairs / posNegRatio;
}

/**
 * The pairs of a batch of texts, in order: (a, a), (b, c), (d, e), …, and again from the `ratio`-th pair on; a text left
 * over at the end is in none. No text stands in two pairs.
 */
function pairsOf(texts: number, ratio: number): { readonly first: Int32Array; readonly second: Int32Array } {
  const [first, second]: [number[], number[]] = [[], []];
  for (let next = 0; next < texts;) {
    const same = first.length % ratio === 0;
    if (!same && next + 1 === texts) break;
    first.push(next);
    second.push(same ? next : next + 1);
    next += same ? 1 : 2;
  }
  return { first: Int32Array.from(first), second: Int32Array.from(second) };
}

/**
 * Both models embed the same texts and shall agree on each, and on no two different ones; both are trained, clipped and
 * saved in checkpoints. Dropout draws a mask of its own for each; sentence-transformers' trainer leaves the first model
 * without dropout, and does not clip it.
 *
 * With `pairs`, a batch of texts makes pairs by the rule of sentence-transformers' ContrastiveTensionDataLoader, and
 * pairs of equal tokens count as equal. A batch has then `textsOfPairs(pairs)` rows.
 *
 * @param task The models, the texts, where negatives come from.
 * @returns The objective.
 * @throws {UsageError} The ratio is no whole number from 2.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import { tokenize } from "@kindred/kindred/text";
 * import { contrastiveTensionObjective } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 *
 * const engine = createCpuEngine({ threads: 1 });
 * const load = async () => await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
 * const [model, first] = [await load(), await load()];
 * const plain = ["the cook follows the friend", "the nun helps the visitor", "the dog runs"];
 * const texts = await tokenize(model.tokenizer, plain, { maxLength: model.maxSeqLength });
 * // For train(engine, objective, …): one pair of equal texts, then one of two others.
 * const objective = contrastiveTensionObjective({ model, first, texts, tension: "pairs", posNegRatio: 2 });
 * const rows = Int32Array.of(0, 1, 2);
 * const loss = await engine.read(objective.differentiate(engine, { rows, streams: rows, seed: 42, step: 1 }, 1));
 * assert.ok(loss[0]! > 1); // the pair that differs looks alike to a model that was never trained on sentences
 * engine.close();
 * ```
 */
export function contrastiveTensionObjective(task: ContrastiveTensionTask): Objective {
  const { model, first, texts, tension, posNegRatio = POS_NEG_RATIO, head = {}, skip = 0 } = task;
  if (!Number.isSafeInteger(posNegRatio) || posNegRatio < 2) {
    throw new UsageError("the share of pairs of equal texts makes no sense", {
      expected: "one of 2 pairs or more",
      found: `${posNegRatio}`,
    });
  }
  const byPairs = tension === "pairs";
  const loss = byPairs ? contrastiveTension() : contrastiveTensionInBatch();
  /** The rows of both columns; `places`: those of the first in the batch. */
  const columnsOf = (rows: Int32Array) => {
    if (!byPairs) return { columns: [rows, rows] as const, places: rows.map((_, i) => i) };
    const { first, second } = pairsOf(rows.length, posNegRatio);
    return {
      columns: [first.map((place) => rows[place]!), second.map((place) => rows[place]!)] as const,
      places: first,
    };
  };
  /** 1 where both texts of a pair have the same tokens. */
  const labelsOf = ([a, b]: readonly [Int32Array, Int32Array]) =>
    Float32Array.from(a, (row, i) => equalTexts(texts, row, texts, b[i]!) ? 1 : 0);
  const lengthOf = (row: number) => texts.offsets[row + 1]! - texts.offsets[row]!;
  return {
    parameters: { ...model.parameters, ...prefixed(first.parameters, "first/"), ...head },
    rows: texts.offsets.length - 1,
    distinct: task.distinct && [task.distinct],
    hasNegative: (rows) => byPairs ? labelsOf(columnsOf(rows).columns).includes(0) : hasNegative([texts, texts], rows),
    tokens: (rows) =>
      columnsOf(rows).columns.reduce((sum, column) => column.reduce((all, row) => all + lengthOf(row), sum), 0),
    differentiate(engine, batch, scale) {
      const { columns, places } = columnsOf(batch.rows);
      const streams = places.map((place) => batch.streams[place]!);
      const packed = pack(columns.map((rows) => ({ texts, rows })), streams);
      const labels = byPairs ? engine.upload(labelsOf(columns), [places.length]) : undefined;
      const budget = task.tokenBudget ??
        Math.floor(engine.memory().activationBudget / activationBytesPerToken(model.encoder));
      return differentiateEmbeddings(engine, {
        packed,
        columns: 2,
        apart: true,
        embed: (tape, part, column) =>
          embed(tape, column === 0 ? first : model, uploadBatch(engine, part), batch, skip),
        lossOf: (tape, embeddings) => loss.apply(tape, embeddings, labels, head),
      }, { budget, scale });
    },
  };
}
