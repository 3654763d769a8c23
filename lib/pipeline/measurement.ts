/**
 * One model measured on rows: a bi-encoder or a cross-encoder, by the task of the rows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { asRankedDocuments } from "../data/lists.ts";
import { readChunks, readTable } from "../data/table.ts";
import { encodeTexts } from "../embed/encode.ts";
import { rolePrompts } from "../embed/roles.ts";
import type { Engine, PoolingMode } from "../engine/engine.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { Resampled } from "../evaluate/bootstrap.ts";
import { type BiEncoder, keptWidth } from "../model/bi_encoder.ts";
import { type PromptChoice, promptOf } from "../model/prompts.ts";
import { TensorEngine } from "../stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../stage/models.ts";
import { modelFolder } from "../stage/roots.ts";
import type { Services } from "../stage/stage.ts";
import type { Metrics } from "../train/record.ts";
import { lengthLimit } from "./card.ts";
import { rowCollector } from "./garbage.ts";
import { evaluateJudge, evaluateListsByCosine, judgeLabels } from "./judge_evaluation.ts";
import { columnsOf, type MeasuredRows } from "./measured_rows.ts";
import { pairEvaluation, type PairTask } from "./pair_evaluation.ts";
import type { ScoreTable } from "./score_table.ts";
import { evaluateSets, type SetPrompts } from "./sets_evaluation.ts";
import { evaluateTexts, isTextTask } from "./text_evaluation.ts";

/** What a model gave. */
export interface Measurement {
  readonly metrics: Metrics;
  readonly rows: number;
  readonly max_seq_length: number | null;
  /** Features of an embedding; null: a cross-encoder makes none. */
  readonly width: number | null;
  readonly prompts: Readonly<Record<string, string | null>>;
  readonly resampled: Resampled | undefined;
}

/** How a model is measured. */
export interface Measuring {
  /** Longest text in tokens. */
  readonly maxSeqLength: number | undefined;
  /** Features of an embedding that are looked at. */
  readonly truncateDim: number | undefined;
  /** How tokens become one embedding, instead of as the model's folder says. */
  readonly pooling?: PoolingMode | undefined;
  /** See `asRankedDocuments`. */
  readonly relevantFrom: number | undefined;
  /** Of corpora. */
  readonly prompts: SetPrompts | undefined;
  /** Of mse. */
  readonly teacher: string | undefined;
  /** How often rows are drawn anew, where it is said. */
  readonly resamples: number | undefined;
  /** Where every row goes. */
  readonly scores: ScoreTable | undefined;
}

/** Measures a model by its folder; what it opens is closed. */
export const measure: (
  folder: string,
  on: MeasuredRows,
  how: Measuring,
) => Effect.Effect<Measurement, KindredError, Services> = Effect.fnUntraced(
  function* (folder, on, how) {
    const isJudge = (yield* judgeLabels(folder)) !== undefined;
    return yield* (isJudge ? measureJudge : measureEncoder)(folder, on, how);
  },
  Effect.scoped,
);

/** A cross-encoder scores pairs, or ranks lists. */
const measureJudge = Effect.fnUntraced(
  function* (folder: string, on: MeasuredRows, { maxSeqLength, truncateDim, relevantFrom, scores }: Measuring) {
    const engine = yield* (yield* TensorEngine).open;
    const whole = on.kind === "table" ? on.whole : undefined;
    if (on.kind !== "table" || whole === undefined) {
      return yield* Effect.fail(
        new UsageError("a cross-encoder is asked for the scores of pairs, or to rank lists", {
          expected: "--task reranking, or no --task",
          found: on.task,
        }),
      );
    }
    if (truncateDim !== undefined) {
      return yield* Effect.fail(
        new UsageError("--truncate-dim is for embeddings, and a cross-encoder makes none", { where: folder }),
      );
    }
    const model = yield* openCrossEncoder(folder, { maxSeqLength });
    const { metrics, rows } = yield* attempt(async () => {
      const result = await evaluateJudge(engine, model, whole, await readTable(on.paths, { mapping: on.mapping }), {
        mapping: on.mapping,
        relevantFrom,
      });
      await scores?.write(result.columns);
      return result;
    });
    const prompts = { text: promptOf(model, {}) ?? null };
    return { metrics, rows, max_seq_length: lengthLimit(model), width: null, prompts, resampled: undefined };
  },
);

/** A bi-encoder embeds texts: all that are compared with all others at once, those of rows as the rows come. */
const measureEncoder = Effect.fnUntraced(function* (folder: string, on: MeasuredRows, how: Measuring) {
  const { maxSeqLength, truncateDim, pooling, prompts: given, resamples } = how;
  const engine = yield* (yield* TensorEngine).open;
  const model = yield* openBiEncoder(folder, { maxSeqLength, truncateDim, pooling });
  const taughtBy = how.teacher && (yield* attempt(() => modelFolder(how.teacher!)));
  const teacher = taughtBy ? yield* openBiEncoder(taughtBy, { maxSeqLength }) : undefined;
  const before = (prompt: PromptChoice) => promptOf(model, prompt) ?? null;
  const { query, document } = rolePrompts(model);
  const hasRoles = on.kind === "sets" || on.task === "retrieval" || on.task === "reranking";
  const prompts: Measurement["prompts"] = hasRoles
    ? { query: before(query), document: before(document), ...given }
    : { text: before({}) };
  const { metrics, rows, resampled } = yield* attempt((signal) =>
    on.kind === "sets" || on.whole !== undefined || isTextTask(on.task)
      ? measureAll(engine, model, on, how, teacher)
      : measureByRows(engine, model, on, how.scores, signal)
  );
  const drawn = typeof resampled === "function" ? drawsOf(rows, resamples) > 0 ? resampled() : undefined : resampled;
  return { metrics, rows, max_seq_length: lengthLimit(model), width: keptWidth(model), prompts, resampled: drawn };
});

/** What an encoder gave; what is drawn anew may still have to be made. */
interface Measured {
  readonly metrics: Metrics;
  readonly rows: number;
  readonly resampled: Resampled | (() => Resampled) | undefined;
}

/** Every text is compared with all others: all of them are in memory. */
async function measureAll(
  engine: Engine,
  model: BiEncoder,
  on: MeasuredRows,
  { prompts, relevantFrom, scores }: Measuring,
  teacher: BiEncoder | undefined,
): Promise<Measured> {
  const whole = on.kind === "sets"
    ? await evaluateSets(engine, model, on.rows, prompts)
    : isTextTask(on.task)
    ? await evaluateTexts(engine, model, on.task, await readTable(on.paths, { mapping: on.mapping }), {
      mapping: on.mapping,
      teacher,
    })
    : {
      ...await evaluateListsByCosine(
        engine,
        model,
        asRankedDocuments(await readTable(on.paths, { mapping: on.mapping }), on.mapping),
        { relevantFrom },
      ),
      resampled: undefined,
    };
  await scores?.write(whole.columns);
  return { metrics: whole.metrics, rows: whole.rows, resampled: whole.resampled };
}

/** Some rows at a time, of which numbers alone are kept. */
async function measureByRows(
  engine: Engine,
  model: BiEncoder,
  { task, paths, mapping }: MeasuredRows & { readonly kind: "table" },
  scores: ScoreTable | undefined,
  signal: AbortSignal,
): Promise<Measured> {
  const collect = rowCollector();
  const evaluation = pairEvaluation(task as PairTask, (texts) => encodeTexts(engine, model, texts), mapping);
  let rows = 0;
  for await (const table of readChunks(paths, { mapping, columns: (of) => columnsOf(task, of, mapping) })) {
    const columns = await evaluation.add(table);
    signal.throwIfAborted();
    await scores?.write(columns);
    collect(rows += table.rows);
  }
  return { metrics: evaluation.metrics(), rows, resampled: evaluation.resampled };
}

/** Of more rows, none are drawn anew unless it is said how often: what that takes grows with them. */
const MOST_DRAWN = 100_000;

/** How often rows are drawn anew. */
export const drawsOf = (rows: number, asked: number | undefined) => asked ?? (rows > MOST_DRAWN ? 0 : 1000);
