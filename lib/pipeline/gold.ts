/**
 * From flags to what Augmented SBERT takes: gold pairs, pairs to be labelled, and what is known of them.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { JudgeGate } from "../augment/judge_gate.ts";
import type { SentencePairs } from "../augment/pairs.ts";
import { counted } from "../counted.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import { CROSS_ENCODER_DEFAULTS, type TrainSettings } from "../train/settings.ts";
import { summaryOf } from "../stage/artifact.ts";
import type { AugmentedSbert, AugmentedSbertOptions } from "./augmented_sbert.ts";
import { type EvaluationSet, type Parts, partsOf } from "./evaluation.ts";
import type { Invocation } from "./flags.ts";
import type { FlagValues } from "./flags.ts";
import { pairModel } from "../stage/roots.ts";
import type { ReportTable } from "./report.ts";
import { modelShape, number, optional, text, trainSettings, trainSource } from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { loadScoresOrNli, loadSentencePairs } from "./stages/load.ts";
import { asScores, splitOf } from "./stages/rows.ts";

type Pairs =
  & Pick<AugmentedSbertOptions, "gold" | "unlabelled" | "truth" | "heldOut">
  & Pick<Parts<ScoredPairs>, "evaluation" | "warnings">;

/** Rows that a cross-encoder is tested on, at most. */
const HELD_OUT = 2000;

/**
 * The first `--gold-size` rows of `--gold` are gold. The others, or the pairs of `--unlabelled`, are to be labelled; labels
 * that they have are the truth that silver labels are compared with. Where other pairs are made, the others test the
 * cross-encoder.
 */
const goldAndUnlabelled: (invocation: Invocation) => Effect.Effect<Pairs, KindredError, Services> = Effect.fnUntraced(
  function* (invocation) {
    const { values } = invocation;
    const loaded = yield* asScores(
      yield* loadScoresOrNli({ ...trainSource(invocation, "gold"), sample: "graded" }),
    );
    const { train: all, evaluation, warnings } = yield* partsOf(invocation, loaded, "similarity", "gold");
    const measure = { evaluation, warnings };
    const { rows } = yield* attempt(() => summaryOf(all));
    const size = Math.min(optional(values, "gold-size") ?? rows, rows);
    const rest = size < rows ? yield* splitOf(all, { part: "rest", rows: size }) : undefined;
    const gold = rest === undefined ? all : yield* splitOf(all, { part: "first", rows: size });
    const given = text(values, "pairs") === "given";
    const other = text(values, "unlabelled");
    if (given && other === undefined) return { gold, unlabelled: rest, truth: rest, ...measure };
    const from = { ...trainSource(invocation, "unlabelled"), columns: undefined };
    const unlabelled = given ? yield* loadSentencePairs(from) : undefined;
    const truth = unlabelled && (yield* attempt(() => hasLabels(unlabelled)))
      ? yield* asScores(yield* loadScoresOrNli(from))
      : undefined;
    if (truth !== undefined) return { gold, unlabelled, truth, ...measure };
    if (rest === undefined) return { gold, unlabelled, ...measure };
    const heldOut = rows - size > HELD_OUT ? yield* splitOf(rest, { part: "first", rows: HELD_OUT }) : rest;
    return { gold, unlabelled, heldOut, ...measure };
  },
);

async function hasLabels(pairs: Artifact<Dataset<SentencePairs>>): Promise<boolean> {
  return (await summaryOf(pairs)).counts["labelled"] === 1;
}

/** Hyper-parameters of the cross-encoder: the decay of the chapter's, the bi-encoder's batches. */
export function crossSettings(values: FlagValues): TrainSettings {
  return {
    ...trainSettings(values),
    maxSteps: undefined,
    accumulate: 1,
    epochs: number(values, "cross-epochs"),
    learningRate: number(values, "cross-learning-rate"),
    weightDecay: CROSS_ENCODER_DEFAULTS.weightDecay,
    evalSteps: undefined,
    keepBest: undefined,
    patience: undefined,
    lora: undefined, // the bi-encoder's
  };
}

/** What the flags say of Augmented SBERT, but for the model; and what it is measured by. */
export interface AugmentationPlan extends Omit<AugmentedSbertOptions, "model"> {
  /** Rows to measure by; undefined where there are none. */
  readonly evaluation: EvaluationSet | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** The plan of these flags. */
export const augmentationOptions: (
  invocation: Invocation,
) => Effect.Effect<AugmentationPlan, KindredError, Services> = Effect.fnUntraced(
  function* (invocation) {
    const { values } = invocation;
    const { evaluation, warnings, ...pairs } = yield* goldAndUnlabelled(invocation);
    const judge = text(values, "cross-encoder");
    const { score } = (yield* valueOf(pairs.gold)).columns;
    const classes = score.every((value) => value === 0 || value === 1);
    const usual = classes && invocation.preset === "chapter" ? "hard" : "soft"; // the book's labels are hard
    return {
      evaluation,
      warnings,
      ...pairs,
      // A model of one's own is what both start from; the sample's has not read pairs, and another one has.
      crossEncoder: judge === undefined && text(values, "model") !== undefined ? undefined : yield* pairModel(judge),
      pairs: text(values, "pairs") as AugmentedSbertOptions["pairs"],
      pairsPerGold: optional(values, "pairs-per-gold"),
      topK: optional(values, "top-k"),
      silverLabels: (text(values, "silver-labels") ?? usual) as "hard" | "soft",
      minConfidence: optional(values, "min-confidence"),
      goldHoldOut: optional(values, "gold-hold-out"),
      forceJudge: values["force-judge"] === true,
      scenario: text(values, "scenario") as AugmentedSbertOptions["scenario"],
      crossSettings: crossSettings(values),
      settings: trainSettings(values),
      controls: values["no-control"] !== true,
      ...modelShape(values),
    };
  },
);

/** That the silver pairs add no more than chance, on gold pairs held out, and what is the product instead. */
export function silverWarnings({ worth }: Pick<AugmentedSbert, "worth">): string[] {
  if (worth === undefined || worth.kept === "silver") return [];
  const [kept, ours] = [worth.kept, "silver"].map((name) =>
    worth.models.find(({ learntFrom }) => learntFrom === name)!
  );
  return [
    `the silver pairs show no gain beyond chance: on the ${counted(worth.rows, "gold pair")} held out, ${
      kept!.learntFrom
    } reaches ` +
    `${kept!.value.toFixed(4)}, and with the silver pairs it is ${ours!.value.toFixed(4)} (standard error of the ` +
    `difference ${kept!.uncertainty.toFixed(4)}). The model of ${kept!.learntFrom} is the one that is saved; other ` +
    "--pairs, or a higher --min-confidence, may help",
  ];
}

/** The models beside each other on the gold pairs held out. */
export function worthTables({ worth }: Pick<AugmentedSbert, "worth">): ReportTable[] {
  if (worth === undefined) return [];
  const rows = worth.models.map(({ learntFrom, value, difference, uncertainty }) => [
    learntFrom + (learntFrom === worth.kept ? " (saved)" : ""),
    value,
    learntFrom === "silver" ? null : difference,
    learntFrom === "silver" ? null : uncertainty,
  ]);
  const columns = ["learnt from", worth.metric, "what silver adds", "standard error"];
  return [{ title: `${counted(worth.rows, "gold pair")} held out`, columns, rows }];
}

/** What a judge was measured at, for the model's card. */
export const gateInWords = ({ metric, judge, base, rows }: JudgeGate): string =>
  `${metric.replaceAll("_", " ")} ${judge.toFixed(4)}, where the model's own cosine had ${
    base.toFixed(4)
  } (${rows} pairs)`;

/** What is worth reporting of it. */
export const augmentationDetails: (
  result: AugmentedSbert,
  gold: Artifact<Dataset<ScoredPairs>>,
) => Effect.Effect<Readonly<Record<string, number | string | null>>, KindredError> = Effect.fnUntraced(
  function* ({ data, silver, judged, agreement, gate, goldAlone, kept, worth }, gold) {
    const [goldRows, silverRows] = [yield* attempt(() => summaryOf(gold)), yield* attempt(() => summaryOf(silver))];
    const { rows, counts } = yield* attempt(() => summaryOf(data));
    return {
      gold_pairs: goldRows.rows,
      ...(gate !== undefined && {
        gold_pairs_held_out: gate.rows,
        judged_by: gate.metric,
        judge_on_gold_held_out: gate.judge,
        base_on_gold_held_out: gate.base,
        gold_alone_on_gold_held_out: goldAlone?.base ?? null,
        standard_error_of_difference: (goldAlone ?? gate).uncertainty,
        judge_is_better: gate.passed && goldAlone?.passed !== false ? "yes" : "no",
      }),
      silver_pairs: silverRows.rows,
      silver_kept: kept,
      silver_similar: silverRows.counts["similar"] ?? null,
      learnt_from: worth?.kept ?? "silver",
      pairs_trained_on: rows,
      repeated_pairs_dropped: counts["dropped"] ?? 0,
      silver_agreement: agreement?.accuracy ?? null,
      silver_agreement_f1: agreement?.f1 ?? null,
      silver_agreement_spearman: agreement?.spearman ?? null,
      ...Object.fromEntries(Object.entries(judged ?? {}).map(([key, value]) => [`cross_encoder_${key}`, value])),
    };
  },
);
