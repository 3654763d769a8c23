/**
 * README.md of a model that this face has trained: data, settings, what it was worth, and what is worth knowing.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { folderFacts, originOf, promptNames } from "../pipeline/card.ts";
import { modelCard, shownSettings } from "../train/model_card.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { ResolvedTrainSettings } from "../train/settings.ts";

/** What a card is made of. */
export interface CardOptions {
  /** The model that the training started from, as it was named. */
  readonly source: string;
  /** Folder of the new one. */
  readonly folder: string;
  /** How it came about, behind "Trained by Kindred". */
  readonly how: string;
  /** Its training, with all that is worth knowing. */
  readonly record: TrainingRecord;
  /** The settings that held. */
  readonly settings: ResolvedTrainSettings;
  /** What it was worth on so many rows that were held out, if there are any. */
  readonly heldOut?: { readonly rows: number; readonly before: Metrics; readonly after: Metrics } | undefined;
}

/** The text of the card. */
export async function cardText({ source, folder, how, record, settings, heldOut }: CardOptions): Promise<string> {
  const { name, baseModel, license } = await originOf(source);
  return modelCard({
    title: "A sentence-embedding model",
    story: `Trained by Kindred ${how}.`,
    baseModel,
    license,
    prompts: await promptNames(folder),
    facts: {
      "trained from": name,
      ...await folderFacts(folder),
      parameters: record.parameters,
      "parameters that were trained": record.trainedParameters,
    },
    evaluation: heldOut && {
      on: `${counted(heldOut.rows, "row")} that ${heldOut.rows === 1 ? "was" : "were"} held out`,
      before: heldOut.before,
      after: heldOut.after,
    },
    settings: shownSettings(settings),
    warnings: record.warnings,
  });
}
