/**
 * The model that a definition names.
 *
 * @module
 */
import { type Json, refuse } from "../definition.ts";
import { bpe } from "./bpe.ts";
import type { Model } from "./model.ts";
import { unigram } from "./unigram.ts";
import { wordLevel } from "./word_level.ts";
import { wordPiece } from "./word_piece.ts";

/** The model of a definition. Very old files do not name its type. */
export function modelOf(definition: Json): Model {
  const merges = definition["merges"] !== undefined;
  const type = definition["type"] ??
    (Array.isArray(definition["vocab"]) ? "Unigram" : merges ? "BPE" : "WordPiece");
  switch (type) {
    case "WordPiece":
      return wordPiece(definition);
    case "BPE":
      return bpe(definition);
    case "Unigram":
      return unigram(definition);
    case "WordLevel":
      return wordLevel(definition);
    default:
      return refuse(`a tokenizer of type ${type}`, String(type), "WordPiece, BPE, Unigram, WordLevel");
  }
}
