/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971), causal; and EuroBERT (Boizard et al. 2025, arXiv 2503.05500), whose
 * tokens see both sides.
 *
 * @module
 */
import { headSizeOf, preRms, preRmsConfig } from "./pre_rms.ts";
import { frequenciesOf } from "./rotary.ts";

/** The family. */
export const llama = preRms({
  classes: { llama: "Llama", eurobert: "EuroBert" },
  parse(read) {
    const headSize = headSizeOf(read);
    const layers = read.size("num_hidden_layers");
    const isEuroBert = read.type === "eurobert";
    const frequencies = frequenciesOf(read, { headSize, theta: 10_000 });
    return preRmsConfig(read, {
      headSize,
      causal: !isEuroBert && read.json["is_causal"] !== false && read.json["use_bidirectional_attention"] !== true,
      layerNormEpsilon: read.number(["rms_norm_eps"], isEuroBert ? 1e-5 : 1e-6),
      activation: read.activation("hidden_act"),
      windows: Array.from({ length: layers }, () => undefined),
      frequencies: Array.from({ length: layers }, () => frequencies),
    });
  },
});
