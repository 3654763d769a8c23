/**
 * From flags to the settings of methods that learn from plain texts: SimCSE, Contrastive Tension.
 *
 * @module
 */
import type { Tension } from "../train/contrastive_tension_objective.ts";
import { type ResolvedTrainSettings, SIMCSE_DEFAULTS, TENSION_DEFAULTS } from "../train/settings.ts";
import type { FlagValues } from "./flags.ts";
import { modelShape, optional, text, trainSettings } from "./settings.ts";
import type { ContrastiveTensionParameters } from "./stages/contrastive_tension.ts";
import type { SimcseParameters } from "./stages/simcse.ts";

/** How texts are known again; with other hyper-parameters than the flags', where they are given. */
export function simcseOf(values: FlagValues, settings?: ResolvedTrainSettings): SimcseParameters {
  return {
    settings: settings ?? trainSettings(values, SIMCSE_DEFAULTS),
    scale: optional(values, "scale"),
    dropout: optional(values, "dropout"),
    freeze: text(values, "freeze"),
    ...modelShape(values),
  };
}

/** What two models agree on; with other hyper-parameters than the flags', where they are given. */
export function tensionOf(values: FlagValues, settings?: ResolvedTrainSettings): ContrastiveTensionParameters {
  const tension = text(values, "tension") as Tension;
  return {
    settings: settings ?? trainSettings(values, TENSION_DEFAULTS[tension]),
    tension,
    ...(tension === "pairs"
      ? { posNegRatio: optional(values, "pos-neg-ratio") }
      : { scale: optional(values, "scale") }),
    freeze: text(values, "freeze"),
    ...modelShape(values),
  };
}
