/**
 * The definition of a WordPiece tokenizer from its vocabulary, for checkpoints without a `tokenizer.json`.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";

/** An object of a JSON file. */
export type Json = Record<string, unknown>;

/** The definition that transformers' BertTokenizerFast makes of a vocabulary. */
export function wordPiece(tokens: readonly string[], config: Json): Json {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter((token) => token in vocab);
  for (const token of ["[UNK]", "[CLS]", "[SEP]"]) {
    if (!(token in vocab)) throw new TokenizerError("the vocabulary lacks a special token", { expected: token });
  }
  const lowercase = config["do_lower_case"] !== false;
  const piece = (token: string, type: number) => ({ SpecialToken: { id: token, type_id: type } });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config["tokenize_chinese_chars"] !== false,
      strip_accents: config["strip_accents"] ?? null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [piece("[CLS]", 0), { Sequence: { id: "A", type_id: 0 } }, piece("[SEP]", 0)],
      pair: [
        piece("[CLS]", 0),
        { Sequence: { id: "A", type_id: 0 } },
        piece("[SEP]", 0),
        { Sequence: { id: "B", type_id: 1 } },
        piece("[SEP]", 1),
      ],
      special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map((id) => [id, { id, ids: [vocab[id]], tokens: [id] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
