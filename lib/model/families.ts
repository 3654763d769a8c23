/**
 * What the families of encoders call their tensors, and where they count positions from.
 *
 * @module
 */
import type { EncoderConfig, Family } from "./config.ts";
import type { PackedBatch } from "../text/packed.ts";

/** Names of the tensors of one layer, without `.weight` and `.bias`. */
export interface LayerNames {
  /** Projections to queries, keys and values, which the checkpoint keeps apart. */
  readonly projections: readonly [query: string, key: string, value: string];
  /** The three as one. */
  readonly qkv: string;
  /** Projection of the heads' outputs. */
  readonly output: string;
  /** Normalisation after attention. */
  readonly attentionNorm: string;
  /** To the intermediate size. */
  readonly intermediate: string;
  /** And back. */
  readonly down: string;
  /** Normalisation after that. */
  readonly outputNorm: string;
}

/** Prefixes under which whole models keep their encoder. */
export const PREFIXES: Readonly<Record<Family, string>> = {
  bert: "bert.",
  distilbert: "distilbert.",
  roberta: "roberta.",
  "xlm-roberta": "roberta.",
  mpnet: "mpnet.",
};

/** Names of layer `i`, as in the family's Hugging Face checkpoints. */
export function layerNames(family: Family, i: number): LayerNames {
  if (family === "distilbert") {
    const layer = `transformer.layer.${i}`;
    return {
      projections: [`${layer}.attention.q_lin`, `${layer}.attention.k_lin`, `${layer}.attention.v_lin`],
      qkv: `${layer}.attention.qkv`,
      output: `${layer}.attention.out_lin`,
      attentionNorm: `${layer}.sa_layer_norm`,
      intermediate: `${layer}.ffn.lin1`,
      down: `${layer}.ffn.lin2`,
      outputNorm: `${layer}.output_layer_norm`,
    };
  }
  const layer = `encoder.layer.${i}`;
  const rest = {
    intermediate: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
  if (family === "mpnet") {
    const attention = `${layer}.attention`;
    return {
      projections: [`${attention}.attn.q`, `${attention}.attn.k`, `${attention}.attn.v`],
      qkv: `${attention}.attn.qkv`,
      output: `${attention}.attn.o`,
      attentionNorm: `${attention}.LayerNorm`,
      ...rest,
    };
  }
  const attention = `${layer}.attention`;
  return {
    projections: [`${attention}.self.query`, `${attention}.self.key`, `${attention}.self.value`],
    qkv: `${attention}.self.qkv`,
    output: `${attention}.output.dense`,
    attentionNorm: `${attention}.output.LayerNorm`,
    ...rest,
  };
}

/** MPNet's table of relative positions, [buckets, heads], shared by all layers. */
export const RELATIVE_BIAS = "encoder.relative_attention_bias.weight";

/** Every tensor of an encoder and its shape, as checkpoints have them. */
export function encoderShapes(config: EncoderConfig): ReadonlyMap<string, readonly number[]> {
  const { hiddenSize: h, intermediateSize: f, family } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, n: number, k: number) => shapes.set(`${name}.weight`, [n, k]).set(`${name}.bias`, [n]);
  const norm = (name: string) => shapes.set(`${name}.weight`, [h]).set(`${name}.bias`, [h]);
  shapes.set("embeddings.word_embeddings.weight", [config.vocabSize, h]);
  shapes.set("embeddings.position_embeddings.weight", [config.positions, h]);
  if (config.typeVocabSize > 0) shapes.set("embeddings.token_type_embeddings.weight", [config.typeVocabSize, h]);
  norm("embeddings.LayerNorm");
  if (family === "mpnet") shapes.set(RELATIVE_BIAS, [config.relativeBuckets, config.heads]);
  for (let i = 0; i < config.layers; i++) {
    const names = layerNames(family, i);
    for (const name of [...names.projections, names.output]) linear(name, h, h);
    norm(names.attentionNorm);
    linear(names.intermediate, f, h);
    linear(names.down, h, f);
    norm(names.outputNorm);
  }
  return shapes;
}

/** The tensors that one product uses: weights and biases of queries, keys and values of each layer. */
export function joinedProjections({ layers, family }: EncoderConfig): ReadonlyMap<string, readonly string[]> {
  const joined = new Map<string, readonly string[]>();
  for (let i = 0; i < layers; i++) {
    const { projections, qkv } = layerNames(family, i);
    for (const kind of ["weight", "bias"]) {
      joined.set(`${qkv}.${kind}`, projections.map((name) => `${name}.${kind}`));
    }
  }
  return joined;
}

/** First position id: RoBERTa and MPNet begin behind the padding id. */
export function firstPosition(config: EncoderConfig): number {
  return config.family === "bert" || config.family === "distilbert" ? 0 : config.padId + 1;
}

/**
 * Position ids [T]: those of RoBERTa and MPNet count the tokens that are not padding, from `padId` + 1 on; a padding
 * token that stands in a text literally has the position `padId`.
 */
export function positionIds(config: EncoderConfig, { ids, positions, offsets }: PackedBatch): Int32Array {
  const first = firstPosition(config);
  if (first === 0) return positions;
  const result = new Int32Array(ids.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    let next = first;
    for (let t = offsets[i]!; t < offsets[i + 1]!; t++) result[t] = ids[t] === config.padId ? config.padId : next++;
  }
  return result;
}

/**
 * MPNet's bucket of a relative position (key − query), as T5's bidirectional ones: half of the buckets for each side,
 * half of those exact, the rest logarithmic up to 128.
 */
export function relativeBucket(relative: number, buckets: number, maxDistance = 128): number {
  const half = buckets / 2;
  const distance = Math.abs(relative);
  const side = relative > 0 ? half : 0; // in transformers: n = −relative; ret += (n < 0) · half
  const exact = half / 2;
  if (distance < exact) return side + distance;
  const logarithmic = exact + Math.floor(
    Math.fround(Math.log(distance / exact) / Math.log(maxDistance / exact) * (half - exact)),
  );
  return side + Math.min(logarithmic, half - 1);
}
