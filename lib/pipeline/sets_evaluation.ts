/**
 * A model's retrieval in corpora with queries and judgements: BEIR's layout, NanoBEIR, tasks of one's own.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../attempt.ts";
import { type RetrievalRows, retrievalSets } from "../data/retrieval_sets.ts";
import { rolePrompts } from "../embed/roles.ts";
import { type KindredError, UsageError } from "../error.ts";
import { evaluateRetrievalSets } from "../evaluate/retrieval_sets.ts";
import { roleEncoder } from "../embed/roles.ts";
import { promptOf } from "../model/prompts.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { TensorEngine } from "../stage/engine.ts";
import { openBiEncoder } from "../stage/models.ts";
import { modelFolder } from "../stage/roots.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Metrics } from "../train/record.ts";
import type { Scope } from "effect";
import type { Invocation } from "./flags.ts";
import { writeOutput } from "./output.ts";
import { scoreTable } from "./score_table.ts";
import { optional, text } from "./settings.ts";
import { similaritiesOf } from "./stages/evaluate.ts";

/** What {@linkcode evaluateSets} takes. */
export interface SetsEvaluation {
  /** The model's name. */
  readonly source: string;
  /** What `--eval` says. */
  readonly data: string;
  /** Folder of the results, if there shall be one. */
  readonly output: string | undefined;
  /** The sets. */
  readonly sets: Artifact<CountedDataset<RetrievalRows>>;
}

/** What the report says of it. */
export interface SetsReport {
  /** Version of this shape. */
  readonly schema: "kindred-evaluation/1";
  /** The model. */
  readonly model: string;
  /** What it was measured on. */
  readonly eval: string;
  /** corpus, or nanobeir. */
  readonly task: "corpus" | "nanobeir";
  /** Queries in all. */
  readonly rows: number;
  /** How many sets, queries, documents and judgements. */
  readonly counts: Readonly<Record<string, number>>;
  /** Longest text in tokens. */
  readonly max_seq_length: number;
  /** What goes before queries and documents. */
  readonly prompts: Readonly<Record<"query" | "document", string | null>>;
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
}

/** Measures a bi-encoder on sets; `scores.csv` says where each query's first relevant document stands. */
export const evaluateSets: (
  invocation: Invocation,
  evaluation: SetsEvaluation,
) => Effect.Effect<SetsReport, KindredError, Services | Scope.Scope> = Effect.fnUntraced(
  function* ({ values }, { source, data, output, sets: artifact }) {
    const { counts, ...rows } = yield* valueOf(artifact);
    const task = counts["named"] === 1 ? "nanobeir" : "corpus";
    const given = text(values, "task");
    if (given !== undefined && given !== "retrieval") {
      return yield* Effect.fail(
        new UsageError("a corpus with queries and judgements is for retrieval", {
          expected: "--task retrieval, or no --task",
          found: given,
        }),
      );
    }
    const folder = yield* attempt(() => modelFolder(source));
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(folder, { maxSeqLength: optional(values, "max-seq-length") });
    const scores = output === undefined ? undefined : yield* Effect.acquireRelease(
      attempt(() => scoreTable(output)),
      (table) => Effect.promise(() => table.abandon()),
    );
    const sets = retrievalSets(rows);
    const { metrics, ranks } = yield* attempt(() =>
      evaluateRetrievalSets(engine, roleEncoder(engine, model), sets, { similarities: similaritiesOf(model) })
    );
    yield* attempt(async () => {
      const set = sets.flatMap(({ name, queries }) => queries.map(() => name));
      await scores?.write({
        ...(task === "nanobeir" && { set }),
        query: sets.flatMap((set) => set.queries),
        rank: ranks,
      });
      await scores?.finish();
    });
    const { query, document } = rolePrompts(model);
    const report: SetsReport = {
      schema: "kindred-evaluation/1",
      model: source,
      eval: data,
      task,
      rows: ranks.length,
      counts,
      max_seq_length: model.maxSeqLength,
      prompts: { query: promptOf(model, query) ?? null, document: promptOf(model, document) ?? null },
      metrics,
    };
    if (output !== undefined) {
      yield* attempt(() => writeOutput(output, { "report.json": JSON.stringify(report, null, 2) + "\n" }));
    }
    return report;
  },
);
