/**
 * EuroBERT (Boizard et al. 2025, arXiv 2503.05500): Llama's layers, whose tokens see both sides.
 *
 * @module
 */
import type { EncoderConfig } from "../config.ts";
import type { HeadPooling } from "./family.ts";
import { headSizeOf, preRms, type PreRmsConfig, preRmsConfig } from "./pre_rms.ts";
import { frequenciesOf } from "./rotary.ts";

/** Its configuration. */
interface EuroBertConfig extends PreRmsConfig {
  /** What its head for scores sees of the tokens. */
  readonly pooling: HeadPooling;
  /** Whether its output layer is the table of word embeddings. */
  readonly isTied: boolean;
}

const own = (config: EncoderConfig) => config as EuroBertConfig;
const POOLINGS: Readonly<Record<string, HeadPooling>> = { late: "late", bos: "cls", mean: "mean" };

/** The family. */
export const eurobert = preRms({
  classes: { eurobert: "EuroBert" },
  parse(read): EuroBertConfig {
    const headSize = headSizeOf(read);
    const layers = read.size("num_hidden_layers");
    const frequencies = frequenciesOf(read, { headSize, theta: 10_000 });
    const { json } = read;
    read.only("classifier_pooling", ...Object.keys(POOLINGS));
    const config = preRmsConfig(read, {
      headSize,
      causal: false,
      padId: read.padId(128_001),
      layerNormEpsilon: read.number(["rms_norm_eps"], 1e-5),
      biases: { attention: json["attention_bias"] === true, mlp: json["mlp_bias"] === true },
      windows: Array.from({ length: layers }, () => undefined),
      frequencies: Array.from({ length: layers }, () => frequencies),
    });
    return {
      ...config,
      pooling: POOLINGS[String(json["classifier_pooling"] ?? "late")]!,
      isTied: json["tie_word_embeddings"] === true,
    };
  },
  classification: {
    dense: "dense",
    out: "classifier",
    activation: () => "gelu",
    pooling: (config) => own(config).pooling,
    pretrained: false,
    dropsInput: false,
    dropout: () => ({ fallback: 0 }),
  },
  maskedLm: {
    bias: "lm_head.bias",
    hasBias: (config) => own(config).biases.mlp,
    output: (config) => own(config).isTied ? undefined : "lm_head.weight",
    activation: ({ activation }) => activation,
  },
});
