/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971); causal, unless the configuration says that tokens see both sides.
 *
 * @module
 */
import { headSizeOf, preRms, preRmsConfig } from "./pre_rms.ts";
import { frequenciesOf } from "./rotary.ts";

/** The family. */
export const llama = preRms({
  classes: { llama: "Llama" },
  parse(read) {
    const headSize = headSizeOf(read);
    const layers = read.size("num_hidden_layers");
    const frequencies = frequenciesOf(read, { headSize, theta: 10_000 });
    const { json } = read;
    return preRmsConfig(read, {
      headSize,
      causal: json["is_causal"] !== false && json["use_bidirectional_attention"] !== true,
      biases: { attention: json["attention_bias"] === true, mlp: json["mlp_bias"] === true },
      windows: Array.from({ length: layers }, () => undefined),
      frequencies: Array.from({ length: layers }, () => frequencies),
    });
  },
});
