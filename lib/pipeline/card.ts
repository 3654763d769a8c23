/**
 * What the card of a trained model says of its origin: names instead of paths of this machine.
 *
 * @module
 */
import { basename, join } from "node:path";
import { embeddingWidth } from "../checkpoint/modules.ts";
import { readFolder, UNLIMITED } from "../checkpoint/sentence_transformers.ts";
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { counted } from "../counted.ts";
import type { KindredError } from "../error.ts";
import { exists } from "../exists.ts";
import { splitModelName } from "../hub/named_model.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Facts } from "../train/model_card.ts";

/** A source as others may read it: a hub id as it is, of a path the last part alone. An adapter's name stays behind it. */
export async function sourceName(source: string): Promise<string> {
  const names = source.split(" + ").map(async (part) => {
    const isPath = /^[./~\\]|^[A-Za-z]:/.test(part) || await exists(part) ||
      await exists(part.replace(/#[^#]*$/, ""));
    return isPath ? basename(part.replaceAll("\\", "/")) : part;
  });
  return (await Promise.all(names)).join(" + ");
}

/** What is known of the model that a training started from. */
export async function originOf(
  source: string | undefined,
): Promise<{ readonly name: string; readonly baseModel?: string; readonly license?: string | undefined }> {
  if (source === undefined) return { name: "the sample's base model" };
  const name = await sourceName(source);
  const { model } = await splitModelName(source);
  if (name === source) return { name, baseModel: model };
  const card = await Deno.readTextFile(join(model, "README.md")).catch(() => "");
  const license = /^---\n[\s\S]*?^license:\s*"?([\w.+-]+)"?\s*$/m.exec(card)?.[1];
  return { name, license };
}

/** Names of the prompts that a folder's texts stand behind; none where one of them, or nothing, is put
 * there anyway. */
export async function promptNames(folder: string): Promise<readonly string[]> {
  const { prompts, defaultPromptName } = await readFolder(folder);
  if (defaultPromptName !== undefined) return [];
  if (Object.values(prompts).every((prompt) => prompt === "")) return [];
  const names = Object.keys(prompts);
  const roles = names.filter((name) => name === "query" || name === "document");
  return roles.length > 0 ? roles : names;
}

/** How a model reads texts: what reports say of it. */
export interface ReadingReport {
  /** Longest text in tokens; longer ones were cut. null: any length. */
  readonly max_seq_length: number | null;
  /** The texts that may go before every input, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the one that goes there where nothing else is said; null: none does. */
  readonly default_prompt: string | null;
}

/** How many tokens of a text a model reads; null: all of them, as static embeddings do. */
export const lengthLimit = ({ maxSeqLength }: { readonly maxSeqLength: number }): number | null =>
  maxSeqLength === UNLIMITED ? null : maxSeqLength;

/** The same in words. */
export const lengthInWords = (limit: number | null): string =>
  limit === null ? "any length" : `up to ${counted(limit, "token")}`;

/** How the model of a folder reads texts. */
export async function readingOf(folder: string): Promise<ReadingReport> {
  const { maxSeqLength, prompts, defaultPromptName } = await readFolder(folder);
  return {
    max_seq_length: lengthLimit({ maxSeqLength }),
    prompts,
    default_prompt: defaultPromptName ?? null,
  };
}

/** The same of a model that is a stage's result, or where one begins. */
export const readingOfModel: (
  model: Artifact<ModelFolder>,
) => Effect.Effect<ReadingReport, KindredError, Services> = Effect.fnUntraced(function* (model) {
  const { folder } = yield* valueOf(model);
  return yield* attempt(() => readingOf(folder));
});

/** Prompts in a line: names and texts; undefined: there are none. */
export function shownPrompts({ prompts, default_prompt: usual }: Omit<ReadingReport, "max_seq_length">):
  | string
  | undefined {
  const shown = Object.entries(prompts).filter(([, prompt]) => prompt !== "").map(([name, prompt]) =>
    `${name}${name === usual ? " (before every text)" : ""}: ${JSON.stringify(prompt)}`
  );
  return shown.length === 0 ? undefined : shown.join(", ");
}

/** What a sentence-transformers folder is: pooling, width, longest text, similarity. */
export async function folderFacts(folder: string): Promise<Facts> {
  const { modules, maxSeqLength, similarity, truncateDim } = await readFolder(folder);
  return {
    pooling: modules.flatMap((spec) => spec.type === "pooling" ? spec.modes : []).join(", "),
    "features of an embedding": truncateDim ?? embeddingWidth(modules),
    "longest text, in tokens": lengthLimit({ maxSeqLength }) ?? "any",
    similarity,
    prompts: shownPrompts(await readingOf(folder)),
  };
}
