/**
 * GTE of 2024 (Zhang et al. 2024, arXiv 2407.19669), whose own files call it `new`: rotary positions, gated products.
 *
 * @module
 */
import type { EncoderConfig } from "../config.ts";
import { BERT_CLASSIFICATION } from "./bert.ts";
import { postLn, postLnConfig } from "./post_ln.ts";
import { LM_HEAD } from "./roberta.ts";
import { frequenciesOf } from "./rotary.ts";

/** Its configuration. */
interface GteConfig extends EncoderConfig {
  /** Angles of its positions. */
  readonly frequencies: Float32Array;
}

/** The family. */
export const gte = postLn({
  classes: { gte: "Gte", new: "New" },
  parse(read): GteConfig {
    read.only("pack_qkv", true);
    read.only("layer_norm_type", "layer_norm");
    for (const name of ["logn_attention_scale", "logn_attention_clip1"]) read.only(name, false);
    const isOwn = read.type === "new";
    const config = postLnConfig(read, {
      typeVocabSize: read.number(["type_vocab_size"], 1),
      padId: read.padId(1),
      attentionDropout: read.rate(["attention_probs_dropout_prob"], 0),
    });
    const headSize = config.hiddenSize / config.heads;
    return { ...config, frequencies: frequenciesOf(read, { headSize, theta: isOwn ? 10_000 : 160_000, isNtk: isOwn }) };
  },
  prefix: "gte.",
  otherPrefixes: ["new."],
  frequencies: (config) => (config as GteConfig).frequencies,
  isGated: true,
  dropsInner: true,
  plain: ["intermediate"],
  names(i) {
    const layer = `encoder.layer.${i}`;
    return {
      qkv: `${layer}.attention.qkv_proj`,
      output: `${layer}.attention.o_proj`,
      attentionNorm: `${layer}.attn_ln`,
      intermediate: `${layer}.mlp.up_gate_proj`,
      down: `${layer}.mlp.down_proj`,
      outputNorm: `${layer}.mlp_ln`,
    };
  },
  classification: BERT_CLASSIFICATION,
  maskedLm: { ...LM_HEAD, norm: "lm_head.norm", bias: "lm_head.decoder.bias" },
});
