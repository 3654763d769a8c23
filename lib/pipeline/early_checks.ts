/**
 * What can be wrong with a training's settings and be known from the model's files and the names of columns: it is told
 * before anything is measured, which can take long.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { basesOf } from "../checkpoint/adapter.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import { familyOf, parseConfig } from "../model/families/mod.ts";
import { type ResolvedLora, targetLayers } from "../model/lora.ts";
import { trainedBy } from "../model/freeze.ts";
import { lossOf, type LossSpec } from "../loss/named.ts";
import { type ColumnPrompts, trainedPrompts } from "../model/prompts.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import { requireFit } from "./stages/loss_rows.ts";
import type { Artifact } from "../stage/stage.ts";

/** What is checked. */
export interface EarlyChecks {
  /** The model to start from. */
  readonly base: Artifact<ModelFolder>;
  /** Rows of the loss. */
  readonly data: Artifact<CountedDataset<Columns>>;
  /** The loss. */
  readonly loss: LossSpec;
  /** Prompts by column. */
  readonly prompts: ColumnPrompts | undefined;
  /** What is not trained. */
  readonly freeze: string | undefined;
  /** Adapters. */
  readonly lora?: ResolvedLora | undefined;
  /** Whether the adapters are saved alone. */
  readonly savesAdapter?: boolean | undefined;
}

/** Fails where the rows do not fit the loss, prompts name a column that is not there, `--freeze` names no tensor or leaves none, or `--lora-targets` no layer. */
export const checkEarly = (
  { base, data, loss, prompts, freeze, lora, savesAdapter }: EarlyChecks,
): Effect.Effect<void, KindredError> =>
  attempt(async () => {
    const { columns } = await summaryOf(data);
    const { names: texts } = requireFit(lossOf(loss), columns);
    if (prompts !== undefined) {
      trainedPrompts({ prompts: {}, defaultPromptName: undefined }, prompts, texts);
    }
    if (freeze === undefined && lora === undefined) return;
    const { folder: path } = await base.read();
    const folder = await readFolder(path);
    const config = parseConfig(folder.config, join(folder.weights, "config.json"));
    if (savesAdapter === true && (await basesOf(path)).length > 0) {
      throw new UsageError(
        "adapters of a model that is an adapter itself cannot be saved alone: Python does not load them",
        {
          where: path,
          hint: '--lora-save merged (loraSave: "merged"); or start from a merged model',
        },
      );
    }
    if (lora !== undefined) targetLayers(familyOf(config).tensors(config), lora.targets);
    // Names of further layers are for who loads them: the training itself says then what is wrong.
    if (folder.modules.some(({ type }) => type === "dense")) return;
    trainedBy(freeze, config, familyOf(config).tensors(config).keys());
  });
