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
    const [layers, heads] = [read.size("num_hidden_layers"), read.size("num_attention_heads")];
    const { json } = read;
    const causal = json["is_causal"] !== false && json["use_bidirectional_attention"] !== true;
    const slides = json["use_sliding_window"] === true && json["sliding_window"] !== null;
    const from = read.number(["max_window_layers"], 28);
    const types = read.layerTypes(layers);
    const isLocal = (i: number) => types === undefined ? slides && i >= from : types[i] === "sliding_attention";
    if (!slides && types?.includes("sliding_attention")) return read.refuse("windows without sliding_window");
    // One that looks back does not see the token at that distance any more; one that sees both sides does.
    const window = read.number(["sliding_window"], 4096) - (causal ? 1 : 0);
    const frequencies = frequenciesOf(read, { headSize, theta: 10_000 });
    return preRmsConfig(read, {
      headSize,
      scale: 1 / Math.sqrt(headSize),
      causal,
      kvHeads: read.number(["num_key_value_heads"], json["num_key_value_heads"] === null ? heads : 32),
      windows: Array.from({ length: layers }, (_, i) => isLocal(i) ? window : undefined),
      frequencies: Array.from({ length: layers }, () => frequencies),
    });
  },
});
