/**
 * Gemma 3 for texts (Gemma team 2025, arXiv 2503.19786) and EmbeddingGemma: four norms a layer with the scale 1 + w,
 * embeddings × √H, a window in five of six layers.
 *
 * @module
 */
import { headSizeOf, preRms, preRmsConfig } from "./pre_rms.ts";
import { frequenciesOf } from "./rotary.ts";

/** The family. */
export const gemma3 = preRms({
  classes: { gemma3_text: "Gemma3Text" },
  normsHeads: true,
  normsParts: true,
  embeddingScale: ({ hiddenSize }) => Math.sqrt(hiddenSize),
  parse(read) {
    read.only("attn_logit_softcapping", null);
    read.only("is_causal", true); // use_bidirectional_attention says what a token sees
    const headSize = headSizeOf(read, 256);
    const layers = read.size("num_hidden_layers");
    const causal = read.json["use_bidirectional_attention"] !== true;
    const every = read.number(["sliding_window_pattern"], 6);
    const types = read.layerTypes(layers);
    const isLocal = (i: number) => types === undefined ? (i + 1) % every !== 0 : types[i] === "sliding_attention";
    if (read.json["sliding_window"] === null) return read.refuse("windows without sliding_window");
    const size = read.number(["sliding_window"], 4096);
    const window = causal ? size - 1 : Math.floor(size / 2); // of which half lies on either side
    const [whole, local] = [
      frequenciesOf(read, { headSize, theta: 1_000_000, kind: "full_attention" }),
      frequenciesOf(read, {
        headSize,
        theta: 10_000,
        names: ["rope_local_base_freq"],
        kind: "sliding_attention",
        isScaled: false,
      }),
    ];
    return preRmsConfig(read, {
      headSize,
      causal,
      activation: read.activation(["hidden_activation"], "geluTanh"),
      padId: read.padId(0),
      kvHeads: read.number(["num_key_value_heads"], 4),
      scale: 1 / Math.sqrt(read.number(["query_pre_attn_scalar"], 256)),
      windows: Array.from({ length: layers }, (_, i) => isLocal(i) ? window : undefined),
      frequencies: Array.from({ length: layers }, (_, i) => isLocal(i) ? local : whole),
    });
  },
});
