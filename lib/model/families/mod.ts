/**
 * The families of encoders. A further one is a file here and a line in this list.
 *
 * @module
 */
import { CheckpointError } from "../../error.ts";
import { configReader, type EncoderConfig } from "../config.ts";
import { bert } from "./bert.ts";
import { distilbert } from "./distilbert.ts";
import { eurobert } from "./eurobert.ts";
import type { Family } from "./family.ts";
import { gemma3 } from "./gemma3.ts";
import { gte } from "./gte.ts";
import { jinaV3 } from "./jina_v3.ts";
import { llama } from "./llama.ts";
import { modernbert } from "./modernbert.ts";
import { mpnet } from "./mpnet.ts";
import { nomicBert } from "./nomic_bert.ts";
import { qwen3 } from "./qwen3.ts";
import { roberta } from "./roberta.ts";
import { staticEmbedding } from "./static.ts";

/** All of them. */
export const FAMILIES: readonly Family[] = [
  bert,
  distilbert,
  roberta,
  mpnet,
  modernbert,
  nomicBert,
  gte,
  jinaV3,
  qwen3,
  llama,
  eurobert,
  gemma3,
  staticEmbedding,
];

const BY_TYPE = new Map(FAMILIES.flatMap((family) => Object.keys(family.classes).map((type) => [type, family])));

/** The `model_type`s that can be loaded. */
export const MODEL_TYPES: readonly string[] = [...BY_TYPE.keys()];

/** The family of a configuration. */
export function familyOf({ family }: Pick<EncoderConfig, "family">): Family {
  return BY_TYPE.get(family)!;
}

/**
 * Reads and checks `config.json`.
 *
 * @param json Its content.
 * @param where Its path, for errors.
 * @returns The shape of the encoder.
 * @throws {CheckpointError} The architecture is not supported, or the configuration is incomplete.
 */
export function parseConfig(json: Readonly<Record<string, unknown>>, where: string): EncoderConfig {
  const type = json["model_type"];
  const family = typeof type === "string" ? BY_TYPE.get(type) : undefined;
  if (family === undefined) {
    throw new CheckpointError(`models of type ${type} are not supported`, {
      where,
      expected: MODEL_TYPES.join(", "),
      found: String(type),
    });
  }
  return family.parse(configReader(json, where));
}

/** Prefixes that a checkpoint may have before the names of the encoder's tensors. */
export function prefixesOf(config: Pick<EncoderConfig, "family">): readonly string[] {
  const { prefix, otherPrefixes = [] } = familyOf(config);
  return [prefix, ...otherPrefixes];
}

/** How transformers' classes of this type begin. */
export function classOf({ family }: Pick<EncoderConfig, "family">): string {
  return familyOf({ family }).classes[family]!;
}
