/**
 * jina-embeddings-v3 (Sturua et al. 2024, arXiv 2409.10173): XLM-RoBERTa with rotary positions. The adapter of a task is
 * merged into the weights as they are read, and is nothing that the family knows of.
 *
 * @module
 */
import type { EncoderConfig } from "../config.ts";
import { postLn, postLnConfig } from "./post_ln.ts";
import { LM_HEAD, ROBERTA_CLASSIFICATION } from "./roberta.ts";
import { frequenciesOf } from "./rotary.ts";

/** Its configuration. */
interface JinaConfig extends EncoderConfig {
  /** Angles of its positions. */
  readonly frequencies: Float32Array;
}

/** The family. */
export const jinaV3 = postLn({
  classes: { jina_embeddings_v3: "JinaEmbeddingsV3" },
  parse(read): JinaConfig {
    const config = postLnConfig(read, {
      typeVocabSize: read.number(["type_vocab_size"], 1),
      padId: read.padId(1),
      layerNormEpsilon: read.number(["layer_norm_eps"], 1e-5),
    });
    const headSize = config.hiddenSize / config.heads;
    return {
      ...config,
      frequencies: frequenciesOf(read, { headSize, theta: 20_000, names: ["rope_theta", "rotary_emb_base"] }),
    };
  },
  prefix: "roberta.",
  embeddingNorm: "emb_ln",
  frequencies: (config) => (config as JinaConfig).frequencies,
  names(i) {
    const layer = `encoder.layers.${i}`;
    return {
      qkv: `${layer}.mixer.Wqkv`,
      output: `${layer}.mixer.out_proj`,
      attentionNorm: `${layer}.norm1`,
      intermediate: `${layer}.mlp.fc1`,
      down: `${layer}.mlp.fc2`,
      outputNorm: `${layer}.norm2`,
    };
  },
  classification: ROBERTA_CLASSIFICATION,
  maskedLm: LM_HEAD,
});
