/**
 * Static embeddings: a row of a table for each token and nothing that looks at others, as sentence-transformers'
 * `StaticEmbedding` and model2vec's folders have them. A text is the mean of its tokens' rows.
 *
 * @module
 */
import { CheckpointError } from "../../error.ts";
import { embedding } from "../../tensor/ops.ts";
import { fromCheckpoint } from "../parameters.ts";
import { specList } from "../tensor_specs.ts";
import type { Family } from "./family.ts";

const TABLE = "embedding.weight";
const WORDS = "emb_layer.weight";

/** The family. */
export const staticEmbedding: Family = {
  classes: { static: "Static" },
  parse: (read) => ({
    family: read.type,
    hiddenSize: read.size("hidden_size"),
    layers: 0,
    heads: 1,
    intermediateSize: 0,
    activation: "gelu",
    vocabSize: read.size("vocab_size"),
    positions: read.size("max_position_embeddings"),
    typeVocabSize: 0,
    padId: 0,
    layerNormEpsilon: 0,
    hiddenDropout: 0,
    attentionDropout: 0,
  }),
  prefix: "",
  wordTable: TABLE,

  tensors({ vocabSize, hiddenSize }) {
    const list = specList();
    list.add(TABLE, "table", vocabSize, hiddenSize);
    return list.specs;
  },
  joined: () => new Map(),

  /**
   * model2vec calls the table otherwise, and may keep one row for several tokens, and a weight for each token; word vectors
   * have a name of their own.
   */
  initial(reader, where) {
    if (reader.tensors.has(WORDS)) {
      const read = fromCheckpoint(reader, [], where);
      return (_, spec) => read(WORDS, spec);
    }
    if (!reader.tensors.has("embeddings")) return undefined;
    return async (name, { shape: [tokens, width] }) => {
      const rows = await reader.readF32("embeddings");
      const mapping = reader.tensors.has("mapping") ? await reader.readI32("mapping") : undefined;
      const weights = reader.tensors.has("weights") ? await reader.readF32("weights") : undefined;
      const table = new Float32Array(tokens! * width!);
      for (let token = 0; token < tokens!; token++) {
        const row = mapping?.[token] ?? token;
        if (!(row >= 0 && (row + 1) * width! <= rows.length)) {
          throw new CheckpointError("a token has no row of its own", {
            where: `${where}, ${name}`,
            found: `row ${row}`,
          });
        }
        const weight = weights?.[token] ?? 1;
        for (let i = 0; i < width!; i++) table[token * width! + i] = weight * rows[row * width! + i]!;
      }
      return table;
    };
  },

  embed: (tape, { parameters }, batch) => embedding(tape, parameters[TABLE]!, batch.ids),
  layers: () => (x) => x,
  floatsPerToken: ({ hiddenSize }) => 3 * hiddenSize,
  longest: ({ positions }) => positions,
};
