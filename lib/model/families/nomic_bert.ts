/**
 * NomicBERT (Nussbaum et al. 2024, arXiv 2402.01613): rotary positions, gated products, no biases. Its version 2 has
 * experts, which are not supported.
 *
 * @module
 */
import type { EncoderConfig } from "../config.ts";
import { BERT_CLASSIFICATION } from "./bert.ts";
import { postLn, postLnConfig } from "./post_ln.ts";
import { frequenciesOf } from "./rotary.ts";

/** Its configuration. */
interface NomicBertConfig extends EncoderConfig {
  /** Angles of its positions. */
  readonly frequencies: Float32Array;
}

/** The family. */
export const nomicBert = postLn({
  classes: { nomic_bert: "NomicBert" },
  parse(read): NomicBertConfig {
    // The models' own files call sizes as GPT-2 does, and say of what kind they are.
    const unlike = [
      "prenorm",
      "qkv_proj_bias",
      "mlp_fc1_bias",
      "mlp_fc2_bias",
      "causal",
      "parallel_block",
      "use_rms_norm",
      "scale_attn_by_inverse_layer_idx",
    ];
    for (const name of unlike) read.only(name, false);
    read.only("scale_attn_weights", true);
    read.only("rotary_emb_scale_base", null);
    for (const name of ["num_experts", "moe_top_k"]) read.only(name, null, 0, 1);
    read.only("rotary_emb_fraction", 1);
    read.only("rotary_emb_interleaved", false);
    read.only("rotary_scaling_factor", null, 1);
    read.only("activation_function", "swiglu");
    const config = postLnConfig(read, {
      activation: read.activation(["hidden_act"], "silu"),
      layerNormEpsilon: read.number(["layer_norm_eps", "layer_norm_epsilon"], 1e-12),
      hiddenDropout: read.rate(["hidden_dropout_prob", "resid_pdrop"], 0),
      attentionDropout: read.rate(["attention_probs_dropout_prob", "attn_pdrop"], 0),
    });
    const headSize = config.hiddenSize / config.heads;
    return {
      ...config,
      frequencies: frequenciesOf(read, { headSize, theta: 1000, names: ["rope_theta", "rotary_emb_base"] }),
    };
  },
  prefix: "nomic_bert.",
  otherPrefixes: ["bert."],
  embeddingNorm: "emb_ln",
  frequencies: (config) => (config as NomicBertConfig).frequencies,
  isGated: true,
  plain: ["attention", "intermediate", "down"],
  names(i) {
    const layer = `encoder.layers.${i}`;
    return {
      qkv: `${layer}.attn.Wqkv`,
      output: `${layer}.attn.out_proj`,
      attentionNorm: `${layer}.norm1`,
      intermediate: `${layer}.mlp.fc1`,
      halves: [`${layer}.mlp.fc11`, `${layer}.mlp.fc12`],
      down: `${layer}.mlp.fc2`,
      outputNorm: `${layer}.norm2`,
    };
  },
  classification: BERT_CLASSIFICATION,
  maskedLm: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.layer_norm",
    bias: "cls.predictions.bias",
    activation: (config) => config.activation,
  },
});
