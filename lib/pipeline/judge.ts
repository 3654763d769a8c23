/**
 * The judge of Augmented SBERT: where it starts, how it learns from gold pairs, and whether it is worth asking.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { type JudgeGate, judgeGate } from "../augment/judge_gate.ts";
import { readCrossEncoderFolder, similarClass } from "../checkpoint/cross_encoder.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import { type KindredError, TrainingError, UsageError } from "../error.ts";
import type { ModelFolder, ModelShape } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { TrainSettings } from "../train/settings.ts";
import { trainCrossEncoder } from "./stages/cross_encoder.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import { bothWays, labelSilver } from "./stages/silver.ts";

/** What helps a judge that is not good enough. */
export const JUDGE_HINTS: readonly string[] = [
  "more gold pairs",
  "a judge that has read pairs already: --cross-encoder SRC (crossEncoder), as it is with --cross-epochs 0 (cross: false)",
  "graded gold and soft labels: --silver-labels soft (silverLabels)",
  "--force-judge (forceJudge) goes on all the same",
];

/** The model that a judge is compared with: as it was, or trained on the gold pairs alone. */
export type Student = "untouched" | "gold alone";

/** A judge that is no better than the model it is to teach, by how much, and what helps. */
export class JudgeError extends TrainingError {
  /** The numbers. */
  declare readonly gate: JudgeGate;
  /** Whose numbers `gate.base` is. */
  declare readonly student: Student;

  /** What the judge was measured at, and the folder of the report, where there is one. */
  constructor(gate: JudgeGate, student: Student, where?: string) {
    const metric = gate.metric.replaceAll("_", " ");
    const taught = student === "untouched" ? "" : ", once that has learnt from the gold pairs alone";
    super(`the judge knows no more than the model that it is to teach${taught}`, {
      expected:
        `${/^[aeiou]/.test(metric) ? "an" : "a"} ${metric} above the ${
          gate.base.toFixed(4)
        } of the model's own cosine by more than the standard error ` +
        `of the difference, ${gate.uncertainty.toFixed(4)}`,
      found: `${gate.judge.toFixed(4)}, on ${gate.rows} gold pairs that were held out`,
      ...(where !== undefined && { where: `the report in ${where}` }),
      hint: JUDGE_HINTS.join("; "),
    });
    for (const [name, value] of Object.entries({ gate, student })) {
      Object.defineProperty(this, name, { value, enumerable: false });
    }
  }
}

/** Gold pairs in two parts. */
export interface GoldParts {
  /** What is learnt from. */
  readonly learnt: Artifact<Dataset<ScoredPairs>>;
  /** What nothing is learnt from: it measures the judge and chooses checkpoints. Undefined: there are too few. */
  readonly held: Artifact<Dataset<ScoredPairs>> | undefined;
  /** Whether scores are graded, not 0 and 1 alone. */
  readonly graded: boolean;
}

/** How the judge comes about. */
export interface JudgeOptions {
  /** A cross-encoder, an NLI model, or an encoder that becomes one. */
  readonly start: Artifact<ModelFolder>;
  /** Hyper-parameters. No epochs: it judges as it is. */
  readonly settings: TrainSettings;
  /** Two classes or one score. Default: what the checkpoint has where that fits, else what the gold pairs have. */
  readonly head?: "classes" | "score" | undefined;
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
}

/**
 * Trains the judge on gold pairs: on graded ones in both orders. The weights that are best on the pairs held out are kept. A
 * checkpoint whose classes mean something else keeps all of its weights but those of the last layer.
 */
export const makeJudge: (
  gold: GoldParts,
  options: JudgeOptions,
) => Effect.Effect<Artifact<ModelFolder>, KindredError, Services> = Effect.fnUntraced(
  function* ({ learnt, held, graded }, { start, settings, maxSeqLength, ...options }) {
    const { folder } = yield* valueOf(start);
    const { isClassifier, labels, config } = yield* attempt(() => readCrossEncoderFolder(folder));
    if (settings.epochs === 0) {
      if (isClassifier) return start;
      return yield* Effect.fail(
        new UsageError("a judge that is not trained must be a cross-encoder", {
          where: folder,
          expected: "architectures: …ForSequenceClassification",
          found: JSON.stringify(config["architectures"] ?? null),
          hint: "--cross-epochs 1 (cross: {}) trains one from it",
        }),
      );
    }
    const head = options.head ?? (labels === 1 || graded ? "score" : "classes");
    const fits = head === "score" ? labels === 1 : labels === 2 && similarClass(config, 2) === 1;
    const chosen = held === undefined ? {} : { keepBest: head === "classes" ? "f1_macro" : "auto" };
    return yield* trainCrossEncoder({ model: start, pairs: graded ? yield* bothWays({ pairs: learnt }, {}) : learnt }, {
      settings: { ...chosen, ...settings },
      head,
      maxSeqLength,
      newHead: isClassifier && !fits,
      ...(held !== undefined && { eval: held }),
    });
  },
);

/** The judge and the cosine of a model that it is to teach, on the gold pairs held out. */
export const measureJudge: (
  judge: Artifact<ModelFolder>,
  model: Artifact<ModelFolder>,
  gold: GoldParts & { readonly held: Artifact<Dataset<ScoredPairs>> },
  shape: ModelShape,
  as?: string,
) => Effect.Effect<JudgeGate, KindredError, Services> = Effect.fnUntraced(
  function* (judge, model, { held, graded }, { pooling, maxSeqLength }, as = "base-held-out") {
    const said = yield* valueOf(
      yield* labelSilver({ model: judge, pairs: held }, { labels: "soft", bothWays: graded }, "judge-held-out"),
    );
    const { similarities } = yield* valueOf(
      yield* evaluateModel({ model, rows: held }, { kind: "similarity", pooling, maxSeqLength }, as),
    );
    const { columns: { score } } = yield* valueOf(held);
    return yield* attempt(() => Promise.resolve(judgeGate(said.columns.score, similarities, score)));
  },
);
