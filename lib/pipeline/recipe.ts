/**
 * Defaults that hang on the model that `--model` names.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import { model } from "../stage/roots.ts";
import type { StageRunner } from "../stage/stage.ts";
import { recipeOf } from "../train/recipe.ts";
import type { Flag, FlagValues, Invocation } from "./flags.ts";
import type { TrainSettings } from "../train/settings.ts";
import { text, trainSettings } from "./settings.ts";

/**
 * A command that trains takes the defaults of the kind of model that `--model` names: static embeddings have their own. What
 * was given on the command line stays. How many rows a batch has is said where the rows are known; a test keeps its own.
 */
export const withRecipe: (
  command: { readonly flags: readonly Flag[] },
  invocation: Invocation,
  given: FlagValues,
) => Effect.Effect<Invocation, KindredError, StageRunner> = Effect.fnUntraced(function* (command, invocation, given) {
  const { values, usual, preset } = invocation;
  if (values["model"] === undefined || !command.flags.includes("learning-rate")) return invocation;
  const base = yield* model(text(values, "model"));
  const { learningRate } = yield* attempt(async () => await recipeOf((await base.read()).folder));
  if (learningRate === undefined) return invocation;
  const recipe = { "learning-rate": learningRate };
  const { "batch-size": batch, ...rest } = values;
  return {
    ...invocation,
    values: { ...rest, ...recipe, ...(preset === "test" && batch !== undefined && { "batch-size": batch }), ...given },
    usual: { ...usual, ...recipe },
  };
});

/** Hyper-parameters for a stage that knows its model and its rows: what the flags leave out is left to it. */
export function settingsLeft(values: FlagValues): TrainSettings {
  const settings = trainSettings(values);
  return {
    ...settings,
    ...(values["batch-size"] === undefined && { batchSize: undefined }),
    ...(values["learning-rate"] === undefined && { learningRate: undefined }),
  };
}
