/**
 * MPNet (Song et al. 2020, arXiv 2004.09297): attention adds a bias by relative position, one table for all layers.
 *
 * @module
 */
import { embedding } from "../../tensor/ops.ts";
import type { EncoderConfig } from "../config.ts";
import { bertNames } from "./bert.ts";
import { postLn, postLnConfig } from "./post_ln.ts";
import { LM_HEAD, ROBERTA_CLASSIFICATION } from "./roberta.ts";

/** Its configuration. */
interface MpnetConfig extends EncoderConfig {
  /** Rows of the table of relative positions. */
  readonly relativeBuckets: number;
}

/** The table of relative positions, [buckets, heads]; transformers' trainer takes it for a bias. */
const RELATIVE = "encoder.relative_attention_bias.weight";
/** Buckets of relative positions: transformers computes them so, whatever the configuration says. */
const BUCKETS = 32;
const bucketsOf = (config: EncoderConfig) => (config as MpnetConfig).relativeBuckets;

/** The family. */
export const mpnet = postLn({
  classes: { mpnet: "MPNet" },
  parse(read): MpnetConfig {
    // transformers counts positions from 1, whatever the configuration says.
    const config = postLnConfig(read, { typeVocabSize: 0, padId: 1 });
    const relativeBuckets = read.number(["relative_attention_num_buckets"], BUCKETS);
    if (relativeBuckets < BUCKETS) return read.refuse(`fewer than ${BUCKETS} buckets of relative positions`);
    return { ...config, relativeBuckets };
  },
  prefix: "mpnet.",
  names(i) {
    const attention = `encoder.layer.${i}.attention`;
    return {
      ...bertNames(i),
      projections: [`${attention}.attn.q`, `${attention}.attn.k`, `${attention}.attn.v`],
      qkv: `${attention}.attn.qkv`,
      output: `${attention}.attn.o`,
      attentionNorm: `${attention}.LayerNorm`,
    };
  },
  firstPosition: ({ padId }) => padId + 1,
  more: (list, config) => list.add(RELATIVE, "bias", bucketsOf(config), config.heads),
  /** The rows of the table for relative positions −(L−1) … L−1. */
  bias(tape, { parameters }, { maxLength }) {
    const span = Math.max(1, maxLength);
    const buckets = Int32Array.from(
      { length: 2 * span - 1 },
      (_, i) => relativeBucket(i - span + 1, BUCKETS),
    );
    return embedding(tape, parameters[RELATIVE]!, tape.engine.upload(buckets, [buckets.length]));
  },
  crossAttention: { name: (i) => `encoder.layer.${i}.crossattention`, drops: true },
  classification: { ...ROBERTA_CLASSIFICATION, dropout: ({ hiddenDropout }) => ({ fallback: hiddenDropout }) },
  maskedLm: LM_HEAD,
});

/**
 * The bucket of a relative position (key − query), as T5's bidirectional ones: half of the buckets for each side, half of
 * those exact, the rest logarithmic up to 128.
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
