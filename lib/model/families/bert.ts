/**
 * BERT (Devlin et al. 2019, arXiv 1810.04805).
 *
 * @module
 */
import type { ClassificationHead } from "./family.ts";
import { type LayerNames, postLn, postLnConfig } from "./post_ln.ts";

/** Names of layer `i`, also of the families that followed. */
export function bertNames(i: number): LayerNames {
  const layer = `encoder.layer.${i}`;
  const attention = `${layer}.attention`;
  return {
    projections: [`${attention}.self.query`, `${attention}.self.key`, `${attention}.self.value`],
    qkv: `${attention}.self.qkv`,
    output: `${attention}.output.dense`,
    attentionNorm: `${attention}.output.LayerNorm`,
    intermediate: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
}

/** The head for scores, also of families that followed. */
export const BERT_CLASSIFICATION: ClassificationHead = {
  dense: "pooler.dense",
  out: "classifier",
  activation: () => "tanh",
  pretrained: true,
  dropsInput: false,
  dropout: ({ hiddenDropout }) => ({ name: "classifier_dropout", fallback: hiddenDropout }),
};

/** The family. */
export const bert = postLn({
  classes: { bert: "Bert" },
  parse: (read) => postLnConfig(read),
  prefix: "bert.",
  names: bertNames,
  crossAttention: { name: (i) => `encoder.layer.${i}.crossattention`, drops: true },
  classification: BERT_CLASSIFICATION,
  maskedLm: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    bias: "cls.predictions.bias",
    activation: (config) => config.activation,
  },
});
