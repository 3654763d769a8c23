/**
 * RoBERTa (Liu et al. 2019, arXiv 1907.11692), XLM-RoBERTa and CamemBERT: positions are counted from behind the padding
 * id.
 *
 * @module
 */
import { bertNames } from "./bert.ts";
import type { ClassificationHead, MaskedLmHead } from "./family.ts";
import { postLn, postLnConfig } from "./post_ln.ts";

/** The head for scores, which MPNet has as well. */
export const ROBERTA_CLASSIFICATION: ClassificationHead = {
  dense: "classifier.dense",
  out: "classifier.out_proj",
  activation: () => "tanh",
  pretrained: false,
  dropsInput: true,
  dropout: ({ hiddenDropout }) => ({ name: "classifier_dropout", fallback: hiddenDropout }),
};

/** The head for masked tokens, likewise. */
export const LM_HEAD: MaskedLmHead = {
  dense: "lm_head.dense",
  norm: "lm_head.layer_norm",
  bias: "lm_head.bias",
  activation: () => "gelu",
};

/** The family. */
export const roberta = postLn({
  classes: { roberta: "Roberta", "xlm-roberta": "XLMRoberta", camembert: "Camembert" },
  parse: (read) => postLnConfig(read, { padId: read.number(["pad_token_id"], 1) }),
  prefix: "roberta.",
  names: bertNames,
  firstPosition: ({ padId }) => padId + 1,
  crossAttention: { name: (i) => `encoder.layer.${i}.crossattention`, drops: true },
  classification: ROBERTA_CLASSIFICATION,
  maskedLm: LM_HEAD,
});
