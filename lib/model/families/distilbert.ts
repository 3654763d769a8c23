/**
 * DistilBERT (Sanh et al. 2019, arXiv 1910.01108): no token types, and nothing dropped between attention and residual.
 *
 * @module
 */
import { postLn, postLnConfig } from "./post_ln.ts";

/** The family. */
export const distilbert = postLn({
  classes: { distilbert: "DistilBert" },
  parse: (read) => postLnConfig(read, { typeVocabSize: 0, layerNormEpsilon: 1e-12 }),
  prefix: "distilbert.",
  dropsAttended: false,
  names(i) {
    const layer = `transformer.layer.${i}`;
    const attention = `${layer}.attention`;
    return {
      projections: [`${attention}.q_lin`, `${attention}.k_lin`, `${attention}.v_lin`],
      qkv: `${attention}.qkv`,
      output: `${attention}.out_lin`,
      attentionNorm: `${layer}.sa_layer_norm`,
      intermediate: `${layer}.ffn.lin1`,
      down: `${layer}.ffn.lin2`,
      outputNorm: `${layer}.output_layer_norm`,
    };
  },
  crossAttention: { name: (i) => `transformer.layer.${i}.crossattention`, drops: false },
  classification: {
    dense: "pre_classifier",
    out: "classifier",
    activation: () => "relu",
    pretrained: false,
    dropsInput: false,
    dropout: () => ({ name: "seq_classif_dropout", fallback: 0.2 }),
  },
  maskedLm: {
    dense: "vocab_transform",
    norm: "vocab_layer_norm",
    bias: "vocab_projector.bias",
    activation: (config) => config.activation,
  },
});
