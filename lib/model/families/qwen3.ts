/**
 * Qwen3 (Yang et al. 2025, arXiv 2505.09388) and its embedding models; causal, unless the configuration says that tokens
 * see both sides.
 *
 * @module
 */
import { headSizeOf, preRms, preRmsConfig } from "./pre_rms.ts";
import { frequenciesOf } from "./rotary.ts";

/** The family. */
export const qwen3 = preRms({
  classes: { qwen3: "Qwen3" },
  normsHeads: true,
  parse(read) {
    const headSize = headSizeOf(read, 128);
    const layers = read.size("num_hidden_layers");
    const { json } = read;
    const causal = json["is_causal"] !== false && json["use_bidirectional_attention"] !== true;
    const slides = json["use_sliding_window"] === true;
    const from = read.number(["max_window_layers"], 28);
    const types = json["layer_types"] as readonly string[] | null | undefined;
    const isLocal = (i: number) => types?.[i] === "sliding_attention" || (types == null && slides && i >= from);
    const window = read.number(["sliding_window"], 4096) - 1; // a token at that distance is not seen any more
    const frequencies = frequenciesOf(read, { headSize, theta: 10_000 });
    return preRmsConfig(read, {
      headSize,
      scale: 1 / Math.sqrt(headSize),
      causal,
      windows: Array.from({ length: layers }, (_, i) => isLocal(i) ? window : undefined),
      frequencies: Array.from({ length: layers }, () => frequencies),
    });
  },
});
