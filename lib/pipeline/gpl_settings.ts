/**
 * From flags to what GPL takes: queries, encoders that find negatives, and the cross-encoder.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type KindredError, UsageError } from "../error.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { judge, model, pairModel } from "../stage/roots.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import type { FlagValues, Invocation } from "./flags.ts";
import type { GplModels, GplRowParameters } from "./gpl.ts";
import { crossSettings } from "./gold.ts";
import { makeJudge } from "./judge.ts";
import { isOwn, number, optional, text } from "./settings.ts";
import type { MarginScale, QueryParameters } from "./stages/gpl.ts";
import { loadScoresOrNli } from "./stages/load.ts";
import { asScores } from "./stages/rows.ts";

/** Where queries come from: a language model, where one is named. */
export function queriesOf(values: FlagValues): QueryParameters {
  const [baseUrl, name] = [text(values, "generator-url"), text(values, "generator-model")];
  const seed = number(values, "seed");
  if (baseUrl === undefined && name === undefined) {
    const idle = (["queries-per-passage", "token-budget", "concurrency"] as const).find((flag) =>
      values[flag] !== undefined
    );
    if (idle === undefined) return { by: "text", seed };
    throw new UsageError(`--${idle} is for queries by a language model, and there is none`, {
      hint: "--generator-url URL --generator-model NAME",
    });
  }
  if (baseUrl === undefined || name === undefined) {
    throw new UsageError("a language model needs its endpoint and its name", {
      expected: "--generator-url URL --generator-model NAME",
      hint: "any OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1",
    });
  }
  return {
    by: "language-model",
    generator: {
      baseUrl,
      model: name,
      tokenBudget: optional(values, "token-budget"),
      concurrency: optional(values, "concurrency"),
    },
    queriesPerPassage: optional(values, "queries-per-passage") ?? 3,
    seed,
  };
}

/** Negatives of a query where nothing is said, or the next whole row of them. */
const NEGATIVES = 5;

/** How negatives are found and labelled. */
export function gplRowsOf(values: FlagValues): GplRowParameters {
  const perRow = optional(values, "negatives-per-row");
  const usual = perRow === undefined ? NEGATIVES : Math.ceil(NEGATIVES / perRow) * perRow; // whole rows
  const negatives = optional(values, "num-negatives") ?? usual;
  if (perRow !== undefined && negatives % perRow !== 0) {
    throw new UsageError("the negatives of a query do not fill its rows", {
      expected: `--num-negatives ${perRow}, or a multiple of it`,
      found: `--num-negatives ${negatives} with --negatives-per-row ${perRow}`,
    });
  }
  return {
    candidates: optional(values, "range-max") ?? 50,
    negatives,
    perRow,
    scale: text(values, "margins") as MarginScale | undefined,
    seed: number(values, "seed"),
  };
}

/** A cross-encoder that learns from graded pairs of the sample, as that of Augmented SBERT does there. */
export const sampleJudge: (
  invocation: Invocation,
) => Effect.Effect<Artifact<ModelFolder>, KindredError, Services> = Effect.fnUntraced(function* ({ values, preset }) {
  const few = preset === "test";
  const learnt = yield* asScores(yield* loadScoresOrNli({ limit: few ? 100 : 2000, sample: "graded" }));
  const settings = crossSettings({ ...values, "cross-epochs": few ? 1 : 8, "cross-learning-rate": 3e-4 });
  return yield* makeJudge({ learnt, held: undefined, graded: true }, { start: yield* pairModel(undefined), settings });
});

/** Who finds negatives, `--miner` with commas between, and who judges them, `--cross-encoder`; the sample trains a judge. */
export const gplModelsOf: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
  passages: "train" | "target",
) => Effect.Effect<GplModels, KindredError, Services> = Effect.fnUntraced(function* (invocation, base, passages) {
  const { values, preset } = invocation;
  const named = text(values, "cross-encoder");
  if (named === undefined && (isOwn(values, passages) || preset === "chapter")) {
    return yield* Effect.fail(
      new UsageError("GPL needs a judge: margins are a cross-encoder's", {
        expected: "--cross-encoder M",
        hint: "such as cross-encoder/ms-marco-MiniLM-L6-v2, or one that pipelines/cross_encoder.ts trains",
      }),
    );
  }
  const miners = (text(values, "miner") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  return {
    model: base,
    miners: yield* Effect.forEach(miners, (name) => model(name)),
    judge: named !== undefined ? yield* judge(named) : yield* sampleJudge(invocation),
  };
});
