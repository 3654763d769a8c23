/**
 * From flags to the training of a cross-encoder: its loss, the rows that the loss wants, and the rows that are held out.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { readCrossEncoderFolder } from "../checkpoint/cross_encoder.ts";
import { LIST_ROLES } from "../data/column_names.ts";
import type { LabelledPairs, Pairs, RankedDocuments, ScoredPairs, Triplets } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import {
  type CrossEncoderLabel,
  crossEncoderLossOf,
  crossEncoderLossRules,
  type CrossEncoderLossSpec,
} from "../loss/cross_encoder/named.ts";
import type { CountedDataset, ModelFolder } from "../stage/artifact.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import { type Cut, cut } from "./evaluation.ts";
import { cutLists } from "./list_parts.ts";
import type { FlagValues, Invocation } from "./flags.ts";
import { lossOptions, snake } from "./loss_options.ts";
import { evalSource, isOwn, number, optional, text, trainSource } from "./settings.ts";
import { asLists } from "./stages/lists.ts";
import {
  loadLabelledPairs,
  loadLists,
  loadMargins,
  loadPairsOrNli,
  loadScoredPairs,
  loadScoresOrNli,
  type RowsOptions,
} from "./stages/load.ts";
import { asScores, asTriplets } from "./stages/rows.ts";

const kebab = (name: string) => name.replaceAll("_", "-");

/** Names of the losses, as the command line has them. */
export const JUDGE_LOSSES: readonly string[] = Object.keys(crossEncoderLossRules).map(kebab).sort();

/** Every loss with its options, for the help. */
export function lossOptionsInWords(): string {
  return Object.entries(crossEncoderLossRules).flatMap(([name, rules]) => {
    const options = Object.entries(rules).map(([option, [expected]]) => `${option} (${expected})`);
    return options.length === 0 ? [] : [`${kebab(name)}: ${options.join(", ")}`];
  }).join("; ");
}

/** The loss of `--loss` with `--loss-options`; without it, that of `--head`. */
export function judgeLoss({ values, args }: Pick<Invocation, "values" | "args">): CrossEncoderLossSpec {
  const named = text(values, "loss");
  const options = lossOptions(values);
  if (named !== undefined && args.some((arg) => /^--head(=|$)/.test(arg))) {
    throw new UsageError("--loss says what the cross-encoder gives", { hint: "leave --head out" });
  }
  const name = named === undefined
    ? text(values, "head") === "classes" ? "cross_entropy" : "binary_cross_entropy"
    : snake(named);
  const spec = { name, ...(options !== undefined && { options }) };
  crossEncoderLossOf(spec); // refuses options that it would ignore
  return spec;
}

/** Rows of a loss, to train on and to measure by. */
export interface JudgeRows {
  /** To train on. */
  readonly train: Artifact<CountedDataset<Columns>>;
  /** To measure by: pairs with a score or a class, or lists. */
  readonly validation: Artifact<CountedDataset<Columns>> | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** The rows of `--train` in the form that the loss wants, and those of `--eval`, or that are held out. */
export const judgeRows: (
  invocation: Invocation,
  loss: CrossEncoderLossSpec,
) => Effect.Effect<JudgeRows, KindredError, Services> = Effect.fnUntraced(function* (invocation, loss) {
  const { values, preset } = invocation;
  const { label } = yield* attemptSync(() => crossEncoderLossOf(loss));
  const load = loaderOf(loss.name, label, values);
  const ours = label === "list" ? LIST_ROLES : [];
  const all = yield* load(trainSource(invocation, "train", ours));
  // The chapter's evaluation pairs are not for a judge: it is tested on rows of its own data.
  const given = values["eval"] !== undefined && (preset !== "chapter" || isOwn(values, "eval"));
  const ranked = (rows: Artifact<CountedDataset<Columns>>) =>
    label === "none" || loss.name === "margin_mse"
      ? asLists(rows as unknown as Artifact<CountedDataset<Pairs | Triplets>>) as unknown as Effect.Effect<
        Artifact<CountedDataset<Columns>>,
        KindredError,
        Services
      >
      : Effect.succeed(rows);
  if (given) {
    const validation = yield* ranked(yield* load(evalSource(invocation, "eval", ours)));
    return { train: all, validation, warnings: [] };
  }
  const { train, heldOut, warnings } = label === "list"
    ? yield* cutLists(
      all as unknown as Artifact<CountedDataset<RankedDocuments>>,
      { rows: optional(values, "hold-out"), seed: number(values, "seed") },
    ) as Effect.Effect<Cut<Columns>, KindredError, Services>
    : yield* cut(invocation, all);
  return { train, validation: heldOut && (yield* ranked(heldOut)), warnings };
});

type Load = (options: RowsOptions) => Effect.Effect<Artifact<CountedDataset<Columns>>, KindredError, Services>;

/** How rows become those of a loss. */
function loaderOf(name: string, label: CrossEncoderLabel, values: FlagValues): Load {
  const seed = number(values, "seed");
  const any = <C extends Columns>(
    loaded: Effect.Effect<Artifact<CountedDataset<C>>, KindredError, Services>,
  ) => loaded as unknown as ReturnType<Load>;
  switch (label) {
    case "list":
      return (options) => any(loadLists(options));
    case "none":
      return (options) =>
        any(
          Effect.flatMap(loadPairsOrNli(options), (rows) => asTriplets(rows, { negatives: "none", seed })),
        );
    case "class":
      // Without --loss, classes are the scores 0 and 1.
      return text(values, "loss") === undefined
        ? (options) => any<ScoredPairs>(Effect.flatMap(loadScoresOrNli(options), asScores))
        : (options) => any<LabelledPairs>(loadLabelledPairs(options));
    case "score":
      if (name === "mse") return (options) => any<ScoredPairs>(loadScoredPairs(options));
      if (name === "margin_mse") {
        return (options) =>
          options.from === undefined || options.from.startsWith("sample:")
            ? Effect.fail(
              new UsageError("the sample has no margins", {
                expected: "--train: anchor, positive, negatives, and a teacher's scores or margins",
                hint: "pipelines/hard_negatives.ts --rows n-tuple --output-scores makes such rows",
              }),
            )
            : any(loadMargins(options));
      }
      return (options) => any<ScoredPairs>(Effect.flatMap(loadScoresOrNli(options), asScores));
  }
}

/** Whether a model can judge already: then it is measured before it is trained. */
export const isJudge = (model: Artifact<ModelFolder>): Effect.Effect<boolean, KindredError> =>
  attempt(async () => {
    const { isClassifier, labels } = await readCrossEncoderFolder((await model.read()).folder);
    return isClassifier && labels === 1;
  });
