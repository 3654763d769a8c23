/**
 * From flags to the two steps of domain adaptation.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { PoolingMode } from "../engine/engine.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import { losses } from "../loss/named.ts";
import type { CountedDataset, ModelFolder } from "../stage/artifact.ts";
import { augmentedSbert } from "./augmented_sbert.ts";
import { type Parts, partsOf } from "./evaluation.ts";
import { FLAGS, type FlagValues, GENERATING, type Invocation } from "./flags.ts";
import type { Adaptation, Supervise } from "./domain_adaptation.ts";
import { augmentationOptions } from "./gold.ts";
import { gplModelsOf, gplRowsOf, queriesOf } from "./gpl_settings.ts";
import { matryoshkaOf } from "./matryoshka.ts";
import { rowsWithNegatives } from "./mining.ts";
import { simcseOf, tensionOf } from "./plain_texts.ts";
import { modelShape, number, optional, text, trainSettings, trainSource } from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { DenoisingParameters } from "./stages/denoise.ts";
import { loadPairsOrNli } from "./stages/load.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** How texts are damaged and written again. A model with a pooling of its own keeps it; any other gets the paper's, cls. */
export const denoisingOf: (
  values: FlagValues,
  base: Artifact<ModelFolder>,
) => Effect.Effect<DenoisingParameters, KindredError> = Effect.fnUntraced(function* (values, base) {
  const { folder } = yield* valueOf(base);
  return {
    settings: trainSettings(values),
    pooling: (text(values, "pooling") ?? (yield* attempt(() => poolingOf(folder))) ?? "cls") as PoolingMode,
    ratio: number(values, "deletion-ratio"),
    fixedNoise: values["fixed-noise"] === true,
    tie: text(values, "tie-decoder") !== "false",
    maxSeqLength: optional(values, "max-seq-length"),
    freeze: text(values, "freeze"),
  };
});

/** The pooling of a sentence-transformers folder, where it has a single one. */
export async function poolingOf(folder: string): Promise<PoolingMode | undefined> {
  if (!await Deno.stat(join(folder, "modules.json")).then(({ isFile }) => isFile, () => false)) return undefined;
  const pooling = (await readFolder(folder)).modules.find((module) => module.type === "pooling");
  return pooling?.modes.length === 1 ? pooling.modes[0] : undefined;
}

/** Ways of adaptation, by what `--methods` and `--adapt` call them. */
const METHODS: readonly Adaptation["by"][] = FLAGS["adapt"][0];

/** How the model gets to know the target in this way, with a learning rate and a length that are the adaptation's own. */
export const adaptationOf: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
  by: Adaptation["by"],
) => Effect.Effect<Adaptation, KindredError, Services> = Effect.fnUntraced(function* (invocation, base, by) {
  const { values } = invocation;
  const settings = yield* attemptSync(() => ({
    ...trainSettings(values),
    maxSteps: optional(values, "adapt-steps"),
    epochs: number(values, "adapt-epochs"),
    learningRate: number(values, "adapt-learning-rate"),
    lora: undefined, // the weights learn from the texts, whatever follows
  }));
  switch (by) {
    case "tsdae":
      return { by, parameters: { ...yield* denoisingOf(values, base), settings } };
    case "simcse":
      return { by, parameters: simcseOf(values, settings) };
    case "ct":
      return { by, parameters: tensionOf(values, settings) };
    case "mlm": {
      const { maxSeqLength } = modelShape(values);
      return { by, parameters: { settings, maxSeqLength, freeze: text(values, "freeze") } };
    }
    case "gpl": {
      const { miners, judge } = yield* gplModelsOf(invocation, base, "target");
      const queries = yield* attemptSync(() => queriesOf(values));
      const rows = yield* attemptSync(() => gplRowsOf(values));
      const freeze = text(values, "freeze");
      return {
        by,
        parameters: { queries, rows, settings, freeze, ...modelShape(values) },
        models: { miners, judge },
      };
    }
  }
});

/** The ways that `--methods` names, each once; undefined without the flag. */
export const methodsOf: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
) => Effect.Effect<readonly Adaptation[] | undefined, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, base) {
    const { values, args } = invocation;
    const given = text(values, "methods");
    if (given === undefined) return undefined;
    const names = [...new Set(given.split(",").map((name) => name.trim()).filter((name) => name !== ""))];
    const ways = METHODS.filter((method) => names.includes(method));
    if (names.length === 0 || ways.length < names.length) {
      return yield* Effect.fail(
        new UsageError("--methods names what is no way of adaptation", {
          expected: `some of ${METHODS.join(", ")}, separated by commas`,
          found: names.filter((name) => !METHODS.some((method) => method === name)).join(", ") || "none",
        }),
      );
    }
    if (args.some((arg) => /^--adapt(=|$)/.test(arg))) {
      return yield* Effect.fail(
        new UsageError("--adapt and --methods both say how the model adapts", {
          expected: "--adapt for one way, --methods for several beside each other",
          found: `--adapt ${text(values, "adapt")} and --methods ${given}`,
        }),
      );
    }
    return yield* Effect.forEach(names as Adaptation["by"][], (by) => adaptationOf(invocation, base, by));
  },
);

/** The flags of what follows: GPL finds negatives of its own, whose flags say nothing where the training's are not mined. */
function withoutGpl(invocation: Invocation): Invocation {
  const { values } = invocation;
  const ways = (text(values, "methods") ?? text(values, "adapt") ?? "").split(",").map((name) => name.trim());
  if (!ways.includes("gpl") || ["semi-hard", "hard"].includes(text(values, "negatives") ?? "")) return invocation;
  const own = Object.entries(values).filter(([flag]) => !GENERATING.some((other) => other === flag));
  return { ...invocation, values: Object.fromEntries(own) };
}

/** What follows, `--then`, and the rows that it learns from. */
export const superviseBy: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
) => Effect.Effect<
  & { readonly data: Artifact<CountedDataset<Columns>>; readonly supervise: Supervise }
  & Pick<Parts<Columns>, "evaluation" | "warnings">,
  KindredError,
  Services
> = Effect.fnUntraced(function* (invocation, base) {
  const { values } = invocation;
  const matryoshka = yield* matryoshkaOf(values, base);
  if (text(values, "then") === "augmented") {
    if (values["gold"] === undefined && values["train"] !== undefined) {
      return yield* Effect.fail(
        new UsageError("Augmented SBERT learns from gold pairs", { hint: "--gold SRC instead of --train SRC" }),
      );
    }
    const { evaluation, warnings, ...options } = yield* augmentationOptions(invocation);
    const supervise: Supervise = (model) =>
      Effect.map(augmentedSbert({ ...options, model, matryoshka, controls: false }), (result) => result.model);
    return {
      data: options.gold as Artifact<Dataset<Columns>> as Artifact<CountedDataset<Columns>>,
      supervise,
      evaluation,
      warnings,
    };
  }
  const loaded = yield* loadPairsOrNli(trainSource(invocation));
  const { train: rows, evaluation, warnings } = yield* partsOf(invocation, loaded, "retrieval");
  const data = yield* rowsWithNegatives(withoutGpl(invocation), rows, base);
  const supervise: Supervise = (model, as) =>
    trainBiEncoder({
      model,
      data,
      loss: losses.multipleNegativesRanking(),
      settings: trainSettings(values),
      freeze: text(values, "freeze"),
      matryoshka,
      ...modelShape(values),
      as,
    });
  return { data, supervise, evaluation, warnings };
});
