/**
 * A cross-encoder under a loss over lists: the way of a batch of lists from texts to gradients.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { type Engine, type Handle, scope } from "../engine/engine.ts";
import { TrainingError } from "../error.ts";
import { meanOf } from "../loss/cross_encoder/lists.ts";
import { countOf, type ListLoss, type Lists } from "../loss/list_loss.ts";
import type { CrossEncoder } from "../model/cross_encoder.ts";
import { affine } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TokenizedTexts } from "../text/packed.ts";
import { packPairs, pairLength } from "../text/pairs.ts";
import { runsWithin } from "./budget.ts";
import type { Objective, ObjectiveBatch } from "./objective.ts";
import { differentiateLogits, pairBudget } from "./pair_logits.ts";

/** What a cross-encoder learns from lists. */
export interface ListTask {
  /** The model, with one label; its parameters that want a gradient are trained. */
  readonly model: CrossEncoder;
  /** The loss. */
  readonly loss: ListLoss;
  /** Tokens of the query of every list, as `tokenizeBare` makes them. */
  readonly queries: TokenizedTexts;
  /** Tokens of all documents, list by list. */
  readonly documents: TokenizedTexts;
  /** [L + 1] list l has documents offsets[l] … offsets[l + 1] − 1, at least one. */
  readonly offsets: Int32Array;
  /** How relevant each document is. */
  readonly labels: Float32Array;
  /** Tokens that go through the encoder at once; default: what fits into the engine's activation budget. */
  readonly tokenBudget?: number | undefined;
}

/**
 * The objective that minimises `loss` over lists; its rows are the lists. A batch above the budget is split between lists,
 * and a list that alone is above it by gradient caching, as is the whole batch where its mean depends on all scores
 * (`lambda` and `rankNet` with `k`): the gradient is the same.
 *
 * @param task Model, loss, tokenised texts, labels.
 * @returns The objective.
 * @throws {TrainingError} The model gives classes, numbers of texts do not match, a label is no number, or no list has
 *   documents of different relevance.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import { tokenizeBare } from "@kindred/kindred/text";
 * import { listObjective } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 1, trained: true });
 * const objective = listObjective({
 *   model,
 *   loss: crossEncoder.lambda(),
 *   queries: await tokenizeBare(model.tokenizer, ["the boy eats"]),
 *   documents: await tokenizeBare(model.tokenizer, ["the child eats", "a castle", "a dog runs"]),
 *   offsets: Int32Array.of(0, 3),
 *   labels: Float32Array.of(1, 0, 0),
 * });
 * assert.equal(objective.rows, 1);
 * engine.close();
 * ```
 */
export function listObjective(task: ListTask): Objective {
  checkTask(task);
  const { model, loss, queries, documents, offsets, tokenBudget } = task;
  const rows = offsets.length - 1;
  const longest = offsets.reduce((most, offset, l) => Math.max(most, l === 0 ? 0 : offset - offsets[l - 1]!), 0);
  const sizeOf = ({ offsets }: TokenizedTexts, text: number) => offsets[text + 1]! - offsets[text]!;
  const tokensOf = (list: number) => {
    let tokens = 0;
    for (let document = offsets[list]!; document < offsets[list + 1]!; document++) {
      tokens += pairLength(model.pair, sizeOf(queries, list), sizeOf(documents, document), model.maxSeqLength);
    }
    return tokens;
  };
  return {
    parameters: model.parameters,
    rows,
    tokens: (batch) => batch.reduce((sum, list) => sum + tokensOf(list), 0),
    differentiate(engine, batch, scale) {
      const budget = pairBudget(engine, model, tokenBudget);
      const count = countOf(loss, chosenLists(task, batch.rows));
      const before = new Float64Array(batch.rows.length + 1); // tokens of the lists before each
      batch.rows.forEach((list, i) => before[i + 1] = before[i]! + tokensOf(list));
      const parts: readonly (readonly [number, number])[] = count === undefined
        ? [[0, batch.rows.length]]
        : runsWithin(batch.rows.length, (from, to) => before[to]! - before[from]!, budget);
      let total: Handle | undefined;
      for (const [from, to] of parts) {
        const part = scope(
          engine,
          () => differentiatePart(engine, task, batch, { from, to, longest, count, budget }, scale),
        );
        total = total === undefined ? part : engine.binary("add", total, part);
      }
      return total!;
    },
  };
}

/** Lists `from` … `to` − 1 of a batch. */
interface Part {
  readonly from: number;
  readonly to: number;
  /** Documents of the longest list there is. */
  readonly longest: number;
  /** What the loss of the whole batch is divided by; undefined: the part is the batch, and its scores tell. */
  readonly count: number | undefined;
  readonly budget: number;
}

function differentiatePart(engine: Engine, task: ListTask, batch: ObjectiveBatch, part: Part, scale: number): Handle {
  const { model, loss, queries, documents, offsets } = task;
  const { from, to, longest, count, budget } = part;
  const lists = chosenLists(task, batch.rows.subarray(from, to));
  const [query, document, streams]: [number[], number[], number[]] = [[], [], []];
  for (let i = from; i < to; i++) {
    const list = batch.rows[i]!;
    for (let place = 0; place < offsets[list + 1]! - offsets[list]!; place++) {
      query.push(list);
      document.push(offsets[list]! + place);
      streams.push(batch.streams[i]! * longest + place);
    }
  }
  const pairs = packPairs(
    model.pair,
    { texts: queries, rows: query },
    { texts: documents, rows: document },
    { maxLength: model.maxSeqLength, streams },
  );
  const lossOf = (tape: Tape, logits: Tensor) => {
    const total = loss.total(tape, logits, lists);
    return count === undefined ? meanOf(tape, total) : affine(tape, total.sum, 1 / Math.max(count, 1));
  };
  return differentiateLogits(engine, { model, pairs, batch, budget, lossOf }, scale);
}

/** The labels of these lists, end to end. */
function chosenLists({ offsets, labels }: ListTask, lists: Int32Array): Lists {
  const chosen = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => chosen[i + 1] = chosen[i]! + offsets[list + 1]! - offsets[list]!);
  const own = new Float32Array(chosen[lists.length]!);
  lists.forEach((list, i) => own.set(labels.subarray(offsets[list]!, offsets[list + 1]!), chosen[i]!));
  return { offsets: chosen, labels: own };
}

/** How many lists have documents that are all equally relevant: their order teaches nothing. */
export function uniformLists({ offsets, labels }: Lists): number {
  let uniform = 0;
  for (let list = 0; list + 1 < offsets.length; list++) {
    const own = labels.subarray(offsets[list]!, offsets[list + 1]!);
    if (own.every((label) => label === own[0])) uniform++;
  }
  return uniform;
}

function checkTask({ model, loss, queries, documents, offsets, labels }: ListTask): void {
  const lists = offsets.length - 1;
  if (model.labels !== 1) {
    throw new TrainingError(`${loss.name} needs a model with another number of labels`, {
      expected: "1 label",
      found: `${model.labels}`,
    });
  }
  const all = documents.offsets.length - 1;
  if (queries.offsets.length - 1 !== lists || offsets[lists] !== all || labels.length !== all) {
    throw new TrainingError("lists, documents and labels do not match", {
      expected: `a query for each of ${counted(lists, "list")}, a label for each of ${counted(all, "document")}`,
      found: `${counted(queries.offsets.length - 1, "query")}, ${counted(labels.length, "label")}, lists of ${
        offsets[lists]
      } documents`,
    });
  }
  const empty = offsets.findIndex((offset, list) => list > 0 && offset <= offsets[list - 1]!);
  if (empty >= 0) {
    throw new TrainingError("a list has no documents", { where: `list ${empty}`, expected: "at least one document" });
  }
  const bad = labels.findIndex((label) => !Number.isFinite(label));
  if (bad >= 0) {
    throw new TrainingError(`a label does not suit ${loss.name}`, {
      where: `list ${offsets.findLastIndex((offset) => offset <= bad) + 1}`,
      expected: "a number",
      found: `${labels[bad]}`,
    });
  }
  if (uniformLists({ offsets, labels }) === lists && loss.options["respectInputOrder"] !== true) {
    throw new TrainingError("no list has documents of different relevance: nothing could be learnt", {
      expected: "lists with at least two labels",
      found: counted(lists, "list"),
      hint: "each list needs documents that answer its query and documents that do not",
    });
  }
}
