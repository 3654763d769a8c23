/**
 * From flags to negatives: easy, semi-hard or hard, chosen by scores, a language model or a person.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { Dataset, LabelledPairs, Pairs, Triplets } from "../data/dataset.ts";
import type { NegativeKind } from "../negatives/nli.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { Relation, SelectOptions } from "../negatives/mod.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import { type Flag, MINING } from "./flags.ts";
import { crossSettings } from "./gold.ts";
import { judge, model, pairModel, source } from "../stage/roots.ts";
import { number, optional, text, trainSource } from "./settings.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import { trainCrossEncoder } from "./stages/cross_encoder.ts";
import { loadFlatTexts, loadLabelledPairs, loadPairsOrNli } from "./stages/load.ts";
import { chooseNegatives, mineCandidates, type NegativeJudge, type NegativeParameters } from "./stages/negatives.ts";
import { asScores, asTriplets } from "./stages/rows.ts";

type Rows = Artifact<CountedDataset<Pairs | Triplets>>;

/** Flags of mining that say something elsewhere, too. */
const SHARED: readonly Flag[] = ["negatives", "cross-encoder"];

/** Whether these negatives are mined. */
const isMined = (negatives: string | undefined) => negatives === "semi-hard" || negatives === "hard";

/** Bounds on scores, and which of what keeps them. */
function selectOptions({ values }: Invocation): SelectOptions {
  const bound = (flag: "max-score" | "min-score" | "absolute-margin" | "relative-margin") => optional(values, flag);
  // Without a bound a mined negative may well be another answer: one that a cross-encoder scores above ½ is none.
  const judged = text(values, "negatives") === "hard" &&
    (text(values, "hard-by") ?? "cross-encoder") === "cross-encoder";
  const [maxScore, minScore] = [bound("max-score") ?? (judged ? 0.5 : undefined), bound("min-score")];
  const [absoluteMargin, relativeMargin] = [bound("absolute-margin"), bound("relative-margin")];
  return {
    negatives: optional(values, "num-negatives") ?? 1,
    rangeMin: optional(values, "range-min") ?? 0,
    rangeMax: optional(values, "range-max"),
    sampling: (text(values, "sampling") ?? "top") as "top" | "random",
    seed: number(values, "seed"),
    ...(maxScore !== undefined && { maxScore }),
    ...(minScore !== undefined && { minScore }),
    ...(absoluteMargin !== undefined && { absoluteMargin }),
    ...(relativeMargin !== undefined && { relativeMargin }),
  };
}

/** Who chooses. */
function negativeJudge({ values }: Invocation): NegativeJudge {
  const by = text(values, "hard-by") ?? "cross-encoder";
  if (text(values, "negatives") !== "hard" || by === "cross-encoder") return { by: "scores" };
  if (by === "person") return { by };
  const [baseUrl, name] = [text(values, "generator-url"), text(values, "generator-model")];
  if (baseUrl === undefined || name === undefined) {
    throw new UsageError(`--hard-by ${by} needs a language model`, {
      expected: "--generator-url URL --generator-model NAME",
      hint: "any OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1",
    });
  }
  return {
    by: by as "language-model" | "writer",
    relation: (text(values, "relation") ?? "entailment") as Relation,
    generator: {
      baseUrl,
      model: name,
      tokenBudget: optional(values, "token-budget"),
      concurrency: optional(values, "concurrency"),
    },
  };
}

/** The cross-encoder that scores candidates: `--cross-encoder`, or one that learns from the sample's own labels. */
const judgeOf: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
) => Effect.Effect<Artifact<ModelFolder> | undefined, KindredError, Services> = Effect.fnUntraced(
  function* ({ values, preset }, base) {
    const named = text(values, "cross-encoder");
    if (named !== undefined) return yield* judge(named);
    const wanted = text(values, "negatives") === "hard" &&
      (text(values, "hard-by") ?? "cross-encoder") === "cross-encoder";
    if (!wanted) return undefined;
    if (values["train"] !== undefined || preset === "chapter") {
      return yield* Effect.fail(
        new UsageError("hard negatives need a judge", {
          expected: "--cross-encoder M, or --hard-by language-model|writer|person",
        }),
      );
    }
    const pairs = yield* asScores(yield* loadLabelledPairs({ limit: preset === "test" ? 200 : 3000 }));
    const settings = crossSettings({ ...values, "cross-epochs": 5, "cross-learning-rate": 1e-3 });
    const start = text(values, "model") === undefined ? yield* pairModel(undefined) : base;
    return yield* trainCrossEncoder({ model: start, pairs }, {
      settings: { ...settings, evalSteps: undefined },
      head: "classes",
    });
  },
);

/** Candidates for the negatives of pairs. */
export const candidatesOf = Effect.fnUntraced(function* (
  invocation: Invocation,
  pairs: Artifact<Dataset<Pairs>>,
  miner: Artifact<ModelFolder>,
) {
  const { values } = invocation;
  const corpus = text(values, "corpus");
  const judge = yield* judgeOf(invocation, miner);
  const wanted = optional(values, "num-negatives") ?? 1;
  const count = optional(values, "range-max") ?? (optional(values, "range-min") ?? 0) + 10 * wanted;
  return yield* mineCandidates({
    model: miner,
    pairs,
    ...(corpus !== undefined && { corpus: yield* loadFlatTexts({ from: corpus }) }),
    ...(judge !== undefined && { judge }),
  }, { count });
});

/** Negatives of pairs in one of five forms. */
export const negativesOf = Effect.fnUntraced(function* (
  invocation: Invocation,
  pairs: Artifact<Dataset<Pairs>>,
  miner: Artifact<ModelFolder>,
  form: Pick<NegativeParameters, "format" | "scores" | "missing">,
) {
  const candidates = yield* candidatesOf(invocation, pairs, miner);
  const review = text(invocation.values, "import");
  return yield* chooseNegatives(
    { candidates, pairs, ...(review !== undefined && { review: yield* source(review) }) },
    { judge: negativeJudge(invocation), select: selectOptions(invocation), ...form },
  );
});

/**
 * Rows of a loss over triplets, by `--negatives`: none, easy and contradiction come from the data, semi-hard and hard are
 * mined with `--miner`, by default the model that is to be trained.
 */
export const rowsWithNegatives: (
  invocation: Invocation,
  rows: Artifact<Dataset<LabelledPairs | Pairs | Triplets>>,
  base: Artifact<ModelFolder>,
) => Effect.Effect<Rows, KindredError, Services> = Effect.fnUntraced(function* (invocation, rows, base) {
  const { values } = invocation;
  const negatives = text(values, "negatives");
  const seed = number(values, "seed");
  // As printed, all rows went to a loss that has no use for labels: contradictions became positives.
  if (values["as-printed"] === true) return yield* asTriplets(rows, { negatives: "every-pair", seed });
  const idle = MINING.filter((flag) => !SHARED.includes(flag) && values[flag] !== undefined);
  if (!isMined(negatives) && idle.length > 0) {
    return yield* Effect.fail(
      new UsageError(`--${idle[0]} is for mined negatives`, {
        expected: "--negatives semi-hard or hard",
        found: `--negatives ${negatives}`,
      }),
    );
  }
  if (!isMined(negatives)) {
    const { columns } = yield* attempt(() => summaryOf(rows));
    if (negatives !== "none" && !columns.some((name) => name === "label" || name.startsWith("negative"))) {
      return yield* Effect.fail(
        new UsageError(`--negatives ${negatives} is for labelled pairs`, {
          expected: "the column label, of entailment and contradiction",
          found: columns.join(", "),
          hint: "--negatives hard or semi-hard finds negatives for pairs; none leaves them to the batch",
        }),
      );
    }
    return yield* asTriplets(rows, { negatives: negatives as NegativeKind, seed });
  }
  const pairs = yield* asTriplets(rows, { negatives: "none", seed });
  const { columns } = yield* attempt(() => summaryOf(pairs));
  if (columns.some((name) => name.startsWith("negative"))) {
    return yield* Effect.fail(
      new UsageError("the data has negatives already", { found: columns.join(", "), hint: "leave --negatives out" }),
    );
  }
  const miner = text(values, "miner");
  const mined = yield* negativesOf(
    invocation,
    pairs as Artifact<Dataset<Pairs>>,
    miner === undefined ? base : yield* model(miner),
    { format: "training", missing: "easy" },
  );
  return mined as Rows;
});

/** Pairs to find negatives for, and the rows themselves where the negatives are easy. */
export const pairsToMine: (
  invocation: Invocation,
) => Effect.Effect<
  readonly [Artifact<Dataset<Pairs>>, Artifact<CountedDataset<Triplets>> | undefined],
  KindredError,
  Services
> = Effect.fnUntraced(function* (invocation) {
  const { values } = invocation;
  const negatives = text(values, "negatives");
  const rows = yield* loadPairsOrNli(trainSource(invocation));
  const pairs = (yield* asTriplets(rows, { negatives: "none", seed: 0 })) as Artifact<Dataset<Pairs>>;
  if (isMined(negatives)) return [pairs, undefined] as const;
  if (negatives !== "easy" || text(values, "rows") !== "triplet") {
    return yield* Effect.fail(
      new UsageError("such negatives are not found here", {
        expected: "--negatives semi-hard or hard; easy as --rows triplet",
        found: `--negatives ${negatives} --rows ${text(values, "rows")}`,
      }),
    );
  }
  const easy = yield* asTriplets(rows, { negatives: "easy", seed: number(values, "seed") });
  return [pairs, easy as Artifact<CountedDataset<Triplets>>] as const;
});
