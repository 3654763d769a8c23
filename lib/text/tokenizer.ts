/**
 * The tokenizer of a checkpoint, through `@huggingface/tokenizers`, with truncation as transformers does it.
 *
 * @module
 */
import { Tokenizer as FastTokenizer } from "@huggingface/tokenizers";
import { join } from "node:path";
import { TokenizerError } from "../error.ts";
import type { TokenizedTexts } from "./packed.ts";

/** A checkpoint's tokenizer. */
export interface Tokenizer {
  /** Number of entries of the vocabulary. */
  readonly vocabSize: number;
  /** Id of a token, or undefined. */
  readonly idOf: (token: string) => number | undefined;
  /** Ids of a text between its special tokens, cut to `maxLength` in all. */
  readonly encode: (text: string, maxLength: number) => readonly number[];
  /** Two texts as one sequence; the longer of them is cut first. */
  readonly encodePair: (first: string, second: string, maxLength: number) => EncodedPair;
  /** The text of ids, special tokens left out. */
  readonly decode: (ids: readonly number[]) => string;
  /** Ids of the special tokens: padding, classification, separator, mask. */
  readonly special: {
    readonly pad: number;
    readonly cls: number;
    readonly sep: number;
    readonly mask: number | undefined;
  };
  /** Whether a token goes on a word that an earlier one began (WordPiece). */
  readonly continues: (id: number) => boolean;
  /** The files it was made from, to be saved with a model. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Two texts as one sequence. */
export interface EncodedPair {
  /** Token ids, special tokens included. */
  readonly ids: readonly number[];
  /** Which text (segment) each token belongs to, as the tokenizer counts them. */
  readonly typeIds: readonly number[];
}

type Json = Record<string, unknown>;

const FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "sentencepiece.bpe.model",
];

/** Loads `tokenizer.json`, else makes a WordPiece tokenizer from `vocab.txt`, as BertTokenizer does. */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Uint8Array>();
  for (const name of FILES) {
    const bytes = await Deno.readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined) files.set(name, bytes);
  }
  const parse = (name: string): Json | undefined => {
    const bytes = files.get(name);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new TokenizerError("not JSON", { where: join(folder, name), found: (error as Error).message });
    }
  };
  const config = parse("tokenizer_config.json") ?? {};
  const vocabulary = files.get("vocab.txt");
  const definition = parse("tokenizer.json") ??
    (vocabulary && wordPiece(new TextDecoder().decode(vocabulary).replace(/\n$/, "").split(/\r?\n/), config));
  if (definition === undefined) {
    throw new TokenizerError("there is no tokenizer", { where: folder, expected: "tokenizer.json or vocab.txt" });
  }
  try {
    return tokenizerOf(definition, config, files);
  } catch (error) {
    if (error instanceof TokenizerError) throw error;
    throw new TokenizerError("the tokenizer cannot be used", {
      where: folder,
      found: (error as Error).message,
      cause: error,
    });
  }
}

/** A tokenizer of WordPiece tokens, in order of their ids. */
export function tokenizerFromVocabulary(tokens: readonly string[], lowercase = true): Tokenizer {
  const config = { do_lower_case: lowercase, tokenizer_class: "BertTokenizer" };
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, null, 1) + "\n");
  const definition = wordPiece(tokens, config);
  const files = new Map([
    ["tokenizer.json", text(definition)],
    [
      "tokenizer_config.json",
      text({
        ...config,
        cls_token: "[CLS]",
        sep_token: "[SEP]",
        pad_token: "[PAD]",
        mask_token: "[MASK]",
        unk_token: "[UNK]",
      }),
    ],
    ["vocab.txt", new TextEncoder().encode(tokens.join("\n") + "\n")],
  ]);
  return tokenizerOf(definition, config, files);
}

function tokenizerOf(definition: Json, config: Json, files: ReadonlyMap<string, Uint8Array>): Tokenizer {
  // Truncation and padding of the file are what Python's class overrides as well: they are done here.
  const tokenizer = new FastTokenizer({ ...definition, truncation: null, padding: null }, config);
  const idOf = (token: string) => tokenizer.token_to_id(token);
  const nameOf = (key: string, fallback: readonly string[]): string | undefined => {
    const given = config[key];
    const name = typeof given === "string" ? given : (given as { content?: string } | undefined)?.content;
    return [name, ...fallback].find((token) => token !== undefined && idOf(token) !== undefined);
  };
  const special = (key: string, ...fallback: string[]): number | undefined => {
    const name = nameOf(key, fallback);
    return name === undefined ? undefined : idOf(name);
  };
  const cls = special("cls_token", "[CLS]", "<s>");
  const sep = special("sep_token", "[SEP]", "</s>");
  const pad = special("pad_token", "[PAD]", "<pad>");
  if (cls === undefined || sep === undefined || pad === undefined) {
    throw new TokenizerError("a special token is missing", {
      expected: "tokens for classification, separator and padding",
    });
  }
  // The package counts RoBERTa's second text as segment 1; Python says 0, and the model has only that one.
  const processor = definition["post_processor"] as { type?: string; processors?: { type?: string }[] } | null;
  const oneSegment = [processor, ...processor?.processors ?? []].some((each) => each?.type === "RobertaProcessing");
  const encodeBare = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids as number[];
  // How many special tokens stand before and behind a text: a cut spares them.
  const empty = tokenizer.encode("", { add_special_tokens: true }).ids as number[];
  const before = empty[0] === cls ? 1 : 0;
  const behind = empty.length - before;
  const model = definition["model"] as { vocab?: unknown } | undefined;
  // Added tokens (mostly the mask) may stand behind the model's own.
  const last = (definition["added_tokens"] as { id: number }[] | undefined ?? []).reduce(
    (most, { id }) => Math.max(most, id),
    -1,
  );
  const own = Array.isArray(model?.vocab) ? model.vocab.length : Object.keys(model?.vocab ?? {}).length;
  const vocabSize = Math.max(own, last + 1);
  const pieces = new Set<number>();
  if (model?.vocab !== undefined && !Array.isArray(model.vocab)) {
    for (const [token, id] of Object.entries(model.vocab as Record<string, number>)) {
      if (token.startsWith("##")) pieces.add(id);
    }
  }
  return {
    vocabSize,
    idOf,
    special: { cls, sep, pad, mask: special("mask_token", "[MASK]", "<mask>") },
    encode(text, maxLength) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: true }) as { ids: number[] };
      if (ids.length <= maxLength) return ids;
      if (maxLength < empty.length) {
        throw new TokenizerError("the special tokens alone are longer than the sequence may be", {
          expected: `at least ${empty.length} tokens`,
          found: `${maxLength}`,
        });
      }
      return [...ids.slice(0, maxLength - behind), ...ids.slice(ids.length - behind)];
    },
    encodePair(first, second, maxLength) {
      const one = encodeBare(first).length;
      const two = encodeBare(second).length;
      const { ids, token_type_ids: types = ids.map(() => 0) } = tokenizer.encode(first, {
        text_pair: second,
        add_special_tokens: true,
        return_token_type_ids: true,
      }) as { ids: number[]; token_type_ids?: number[] };
      const [keepOne, keepTwo] = cutLongestFirst(one, two, maxLength - (ids.length - one - two));
      const end = ids.length - behind;
      const cut = (values: readonly number[]) => [
        ...values.slice(0, before + keepOne),
        ...values.slice(before + one, end - two + keepTwo),
        ...values.slice(end),
      ];
      return { ids: cut(ids), typeIds: cut(oneSegment ? types.map(() => 0) : types) };
    },
    decode: (ids) => tokenizer.decode([...ids], { skip_special_tokens: true }),
    continues: (id) => pieces.has(id),
    files,
  };
}

/** How much of two sequences stays when both must fit into `room`: the longer one gives way, as in Python. */
function cutLongestFirst(one: number, two: number, room: number): [number, number] {
  if (room < 0) throw new TokenizerError("the special tokens alone are longer than the sequence may be");
  if (one + two <= room) return [one, two];
  const short = Math.min(one, two);
  const long = Math.max(short, room - short);
  const [less, more] = short + long <= room ? [short, long] : [Math.floor(room / 2), Math.floor(room / 2) + room % 2];
  return one > two ? [more, less] : [less, more];
}

/** The definition that transformers' BertTokenizerFast makes of a vocabulary. */
function wordPiece(tokens: readonly string[], config: Json): Json {
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

/**
 * Tokenises many texts, each distinct one once, with a turn of the event loop now and then. `prompt` goes before every
 * text.
 */
export async function tokenize(
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: { readonly maxLength: number; readonly prompt?: string | undefined },
): Promise<TokenizedTexts> {
  const { maxLength, prompt = "" } = options;
  const offsets = new Int32Array(texts.length + 1);
  let ids = new Int32Array(16 * texts.length + 64);
  let size = 0;
  const known = new Map<string, number>(); // text → row where it first stood
  let turned = performance.now();
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!;
    const before = known.get(text);
    const encoded = before === undefined
      ? tokenizer.encode(prompt + text, maxLength)
      : ids.slice(offsets[before]!, offsets[before + 1]!);
    if (before === undefined) known.set(text, row);
    if (size + encoded.length > ids.length) {
      const grown = new Int32Array(2 * (size + encoded.length));
      grown.set(ids);
      ids = grown;
    }
    ids.set(encoded, size);
    offsets[row + 1] = size += encoded.length;
    if ((row & 63) === 0 && performance.now() - turned > 50) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turned = performance.now();
    }
  }
  return { ids: ids.slice(0, size), typeIds: undefined, offsets };
}
