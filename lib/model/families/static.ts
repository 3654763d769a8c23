/**
 * Static embeddings: a row of a table for each token and nothing that looks at others, as sentence-transformers'
 * `StaticEmbedding` and model2vec's folders have them. A text is the mean of its tokens' rows.
 *
 * @module
 */
import { CheckpointError } from "../../error.ts";
import { giveBack } from "../../numeric/give_back.ts";
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
    return async function* (name, { shape }) {
      const [tokens, width] = shape as [number, number];
      const missing = (row: number) =>
        new CheckpointError("a token has no row of its own", { where: `${where}, ${name}`, found: `row ${row}` });
      const mapping = reader.tensors.has("mapping") ? await reader.readI32("mapping") : undefined;
      const weights = reader.tensors.has("weights") ? await reader.readF32("weights") : undefined;
      let token = 0;
      const pieces = mapping === undefined
        ? reader.piecesF32("embeddings")
        : sharedRows(await reader.readF32("embeddings"), width, mapping, missing);
      for await (const piece of pieces) {
        const rows = piece.subarray(0, (tokens - token) * width);
        for (let at = 0; at < rows.length; at += width, token++) {
          const weight = weights?.[token] ?? 1;
          if (weight !== 1) { for (let i = at; i < at + width; i++) rows[i] = weight * rows[i]!; }
        }
        yield rows;
      }
      if (token < tokens) throw missing(token);
    };
  },

  embed: (tape, { parameters }, batch) => embedding(tape, parameters[TABLE]!, batch.ids),
  layers: () => (x) => x,
  floatsPerToken: ({ hiddenSize }) => 3 * hiddenSize,
  longest: ({ positions }) => positions,
};

/** Tokens whose rows are gathered at a time. */
const PIECE = 4096;

/** The row of each token, of rows that several may share; pieces stand in the same memory. */
function* sharedRows(
  rows: Float32Array,
  width: number,
  mapping: Int32Array,
  missing: (row: number) => Error,
): Generator<Float32Array> {
  const piece = new Float32Array(PIECE * width);
  for (let token = 0; token < mapping.length; token += PIECE) {
    const own = mapping.subarray(token, token + PIECE);
    own.forEach((row, i) => {
      if (!(row >= 0 && (row + 1) * width <= rows.length)) throw missing(row);
      piece.set(rows.subarray(row * width, (row + 1) * width), i * width);
    });
    yield piece.subarray(0, own.length * width);
  }
  giveBack(rows, piece);
}
