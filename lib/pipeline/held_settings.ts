/**
 * The hyper-parameters that a training held, read from what it left behind: not what was asked for, but what was done.
 *
 * @module
 */
import { join } from "node:path";
import { ADAMW_DEFAULTS } from "../train/adamw.ts";
import { loraFacts, type ResolvedLora } from "../model/lora.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { readJson, type TrainedModel } from "../stage/artifact.ts";
import type { Artifact } from "../stage/stage.ts";
import { shownPrompts } from "./card.ts";
import type { HeldSettings } from "./report.ts";

/** The names of settings as a reader knows them: batchSize is batch size. */
const readable = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Loss, hyper-parameters and shape of a model that was trained. */
export async function heldSettings(model: Artifact<TrainedModel>): Promise<HeldSettings> {
  const { parameters } = await readJson<{ parameters: Record<string, unknown> }>(
    join(model.paths[0]!, "manifest.json"),
  );
  const { loss, settings: { lora, ...settings } = {}, ...rest } = parameters as {
    loss?: { name: string; options?: object };
    settings?: { lora?: ResolvedLora };
  };
  const { folder, record } = await model.read();
  const shape = await readFolder(folder).catch(() => undefined); // a cross-encoder or a language model has none
  const held: Record<string, string | number | boolean> = {};
  const add = (values: object) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined) continue;
      held[readable(name)] = typeof value === "object" ? JSON.stringify(value) : value;
    }
  };
  if (loss !== undefined) add({ loss: loss.name, ...loss.options });
  add({ optimizer: "AdamW", ...ADAMW_DEFAULTS, ...settings, ...rest });
  if (lora !== undefined) add({ adapters: loraFacts(lora), parametersTrained: record.trainedParameters });
  // A language model's folder has no limit of its own beside its positions.
  const { maxSeqLength: asked = Infinity } = rest as { maxSeqLength?: number };
  if (shape !== undefined && shape.input === "transformer") {
    add({ maxSeqLength: Math.min(asked, shape.maxSeqLength) });
  }
  // Prompts that nobody asked for are the model's own: its default stands before every text.
  const prompts = shape && shownPrompts({ prompts: shape.prompts, default_prompt: shape.defaultPromptName ?? null });
  if (prompts !== undefined && held["prompts"] === undefined) add({ prompts });
  add({ updates: record.steps });
  return held;
}
