/**
 * Losses over anchors, what belongs to them and what does not, by `--loss`. Each loss says itself what it needs beside the
 * texts: another model's embeddings (`--guide`), or its scores, which the rows have or `--teacher` gives.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../attempt.ts";
import type { Dataset, LabelledPairs, MarginRows, Pairs, Triplets } from "../data/dataset.ts";
import { type KindredError, UsageError } from "../error.ts";
import { type DescribeLoss, losses, lossOf, type LossSpec } from "../loss/named.ts";
import type { CountedDataset, ModelFolder } from "../stage/artifact.ts";
import { model } from "../stage/roots.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import { sourceName } from "./card.ts";
import type { Flag, FlagValues, Invocation } from "./flags.ts";
import { marginScaleOf } from "./gpl.ts";
import { sampleJudge } from "./gpl_settings.ts";
import { lossOptions } from "./loss_options.ts";
import { rowsWithNegatives } from "./mining.ts";
import { checkOwnModel, isOwn, text, trainSource } from "./settings.ts";
import type { MarginScale } from "./stages/gpl.ts";
import { loadMargins, loadPairsOrNli } from "./stages/load.ts";
import { teacherScores } from "./stages/teacher_scores.ts";
import { trainAndReport } from "./training.ts";
import type { Report } from "./report.ts";

/** Names of the losses on the command line. */
const LOSSES = {
  "multiple-negatives": losses.multipleNegativesRanking,
  "gist": losses.gistEmbed,
  "margin-mse": losses.marginMse,
  "distill-kl": losses.distillKlDiv,
  "mega-batch-margin": losses.megaBatchMargin,
  "triplet": losses.triplet,
} as const satisfies Readonly<Record<string, DescribeLoss<never, "none"> | DescribeLoss<never, "score">>>;

/** What each of the commands over pairs has for them. */
export const PAIR_LOSS = {
  flags: ["loss", "loss-options", "guide", "teacher", "margins"] satisfies readonly Flag[],
  choices: { "loss": Object.keys(LOSSES) },
  meanings: {
    "loss":
      "what is learned from anchors, positives and negatives; gist wants a --guide, margin-mse and distill-kl want " +
      "a teacher's scores; default: multiple-negatives",
    "loss-options":
      "options of the loss, as scale=30 or JSON; of gist: margin=.1,margin-strategy=relative,temperature=.01; of " +
      "distill-kl: temperature=2; of both losses by scores: similarity=cosine",
    "teacher":
      "whose scores are learned: a cross-encoder, or another bi-encoder; default: the scores that the rows have",
    "margins":
      "what the scores of a cross-encoder are: its logits, or its probabilities; default: probabilities for a " +
      "model whose embeddings have length 1",
  },
};

type Rows = LabelledPairs | Pairs | Triplets | MarginRows;

/** The loss of `--loss`, with `--loss-options`; a model that it would ignore is an error. */
export function pairLoss(values: FlagValues): LossSpec<"none" | "score"> {
  const name = (text(values, "loss") ?? "multiple-negatives") as keyof typeof LOSSES;
  const spec = (LOSSES[name] as DescribeLoss<object, "none" | "score">)(lossOptions(values));
  const { guide, label } = lossOf(spec); // refuses options that it would ignore
  const needs = (flag: Flag, wanted: boolean, what: string) => {
    if (values[flag] === undefined || wanted) return;
    throw new UsageError(`--loss ${name} has no use for ${what}`, { found: `--${flag} ${values[flag]}` });
  };
  needs("guide", guide !== undefined, "a guide");
  needs("teacher", label === "score", "a teacher");
  needs("margins", label === "score", "a teacher's scores");
  if (guide !== undefined && values["guide"] === undefined) {
    throw new UsageError(`--loss ${name} leaves out negatives that a guide finds near`, { expected: "--guide MODEL" });
  }
  return spec;
}

/** Whose scores are learned: `--teacher`; on the sample a judge that learns from it; undefined: the rows have scores. */
const teacherOf: (
  invocation: Invocation,
) => Effect.Effect<Artifact<ModelFolder> | undefined, KindredError, Services> = Effect.fnUntraced(
  function* (invocation) {
    const named = text(invocation.values, "teacher");
    if (named !== undefined) return yield* model(named);
    return isOwn(invocation.values) || invocation.preset === "chapter" ? undefined : yield* sampleJudge(invocation);
  },
);

/** Trains on pairs, triplets or tuples by `--loss`, and reports. */
export const trainPairs: (
  invocation: Invocation,
  base?: Effect.Effect<Artifact<ModelFolder>, KindredError, Services>,
) => Effect.Effect<Report, KindredError, Services> = Effect.fnUntraced(function* (invocation, base) {
  const { values } = invocation;
  const loss = yield* attemptSync(() => {
    checkOwnModel(invocation);
    return pairLoss(values);
  });
  const scored = lossOf(loss).label === "score";
  const teacher = scored ? yield* teacherOf(invocation) : undefined;
  const [guide, source] = [text(values, "guide"), trainSource(invocation)];
  const data: Effect.Effect<Artifact<CountedDataset<Rows>>, KindredError, Services> = scored && teacher === undefined
    ? loadMargins(source)
    : loadPairsOrNli(source);
  return yield* trainAndReport<Rows, "none" | "score">(invocation, {
    loss,
    data,
    kind: "retrieval",
    ...(guide !== undefined && { guide: yield* model(guide) }),
    rows: Effect.fnUntraced(function* (rows, base) {
      if (scored && teacher === undefined) return rows as Artifact<Dataset<MarginRows>>;
      const made = yield* rowsWithNegatives(invocation, rows as Artifact<Dataset<LabelledPairs | Pairs>>, base);
      if (teacher === undefined) return made;
      const scale = text(values, "margins") as MarginScale | undefined;
      return yield* teacherScores({ teacher, rows: made }, { scale: scale ?? (yield* marginScaleOf(base)) });
    }),
    about: Effect.fnUntraced(function* () {
      const name = text(values, "teacher");
      return {
        facts: {
          guide: guide && (yield* Effect.promise(() => sourceName(guide))),
          teacher: name && (yield* Effect.promise(() => sourceName(name))),
        },
      };
    }),
    ...(base !== undefined && { base }),
  });
});
