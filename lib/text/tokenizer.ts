/**
 * The tokenizer of a checkpoint, through `@huggingface/tokenizers`, with truncation as transformers does it.
 *
 * @module
 */
import { Tokenizer as FastTokenizer } from "@huggingface/tokenizers";
import { join } from "node:path";
import { TokenizerError } from "../error.ts";
import { withPythonsNormalizer } from "./normalizer.ts";
import type { TokenizedTexts } from "./packed.ts";
import { givesTypes, type PairTemplate, readPairTemplate } from "./pair_template.ts";
import { packPairs } from "./pairs.ts";
import { type Json, wordPiece } from "./word_piece.ts";

/** A checkpoint's tokenizer. */
export interface Tokenizer {
  /** Number of entries of the vocabulary. */
  readonly vocabSize: number;
  /** Id of a token, or undefined. */
  readonly idOf: (token: string) => number | undefined;
  /** Ids of a text between its special tokens, cut to `maxLength` in all. */
  readonly encode: (text: string, maxLength: number) => readonly number[];
  /** Ids of a text alone, uncut. */
  readonly encodeBare: (text: string) => readonly number[];
  /** What stands around two texts that are one sequence. */
  readonly pair: PairTemplate;
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

/**
 * Loads `tokenizer.json`, else makes a WordPiece tokenizer from `vocab.txt`, as BertTokenizer does. Where
 * sentence-transformers' settings in the folder say that texts are lowercased, so does the tokenizer, and so do the files
 * that are saved again.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Uint8Array>();
  for (const name of FILES) {
    const bytes = await Deno.readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined) files.set(name, bytes);
  }
  const parse = (name: string): Json | undefined => {
    const bytes = files.get(name);
    if (bytes === undefined) return undefined;
    return parseObject(bytes, join(folder, name));
  };
  const config = parse("tokenizer_config.json") ?? {};
  const vocabulary = files.get("vocab.txt");
  const found = parse("tokenizer.json") ??
    (vocabulary && wordPiece(new TextDecoder().decode(vocabulary).replace(/\n$/, "").split(/\r?\n/), config));
  if (found === undefined) {
    throw new TokenizerError("there is no tokenizer", {
      where: folder,
      expected: "tokenizer.json or vocab.txt",
      hint: "load the tokenizer in Python and save it again with AutoTokenizer.from_pretrained(…).save_pretrained(…)",
    });
  }
  try {
    const lowercase = await saysLowercase(folder);
    const definition = withPythonsNormalizer(found, config, lowercase);
    if (lowercase) files.set("tokenizer.json", new TextEncoder().encode(JSON.stringify(definition)));
    return tokenizerOf(definition, config, files);
  } catch (error) {
    if (error instanceof TokenizerError) {
      throw error.where === undefined ? new TokenizerError(error.message, { ...error.toJSON(), where: folder }) : error;
    }
    throw new TokenizerError("the tokenizer cannot be used", {
      where: folder,
      found: (error as Error).message,
      cause: error,
    });
  }
}

function parseObject(bytes: Uint8Array, where: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new TokenizerError("not JSON", {
      where,
      found: (error as Error).message,
      hint: "the file is damaged or cut",
    });
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Json;
  throw new TokenizerError("not a JSON object", { where, found: JSON.stringify(value).slice(0, 80) });
}

/** Whether sentence-transformers' settings of the transformer say `do_lower_case`. */
async function saysLowercase(folder: string): Promise<boolean> {
  const path = join(folder, "sentence_bert_config.json");
  const bytes = await Deno.readFile(path).catch(() => undefined);
  return bytes !== undefined && parseObject(bytes, path)["do_lower_case"] === true;
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

/** Kinds of tokenizers that are known; very old files do not name theirs. */
const MODELS: readonly unknown[] = ["WordPiece", "BPE", "Unigram", undefined];

function tokenizerOf(definition: Json, config: Json, files: ReadonlyMap<string, Uint8Array>): Tokenizer {
  const kind = (definition["model"] as { type?: unknown } | undefined)?.type;
  if (!MODELS.includes(kind)) {
    throw new TokenizerError(`tokenizers of type ${kind} are not supported`, {
      expected: "WordPiece, BPE, Unigram",
      found: `${kind}`,
    });
  }
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
  const encodeBare = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids as number[];
  // How many special tokens stand before and behind a text: a cut spares them.
  const empty = tokenizer.encode("", { add_special_tokens: true }).ids as number[];
  const before = empty[0] === cls ? 1 : 0;
  const behind = empty.length - before;
  const pair = readPairTemplate(tokenizer, encodeBare("a").length, before, behind, givesTypes(definition, config));
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
    encodeBare,
    pair,
    encodePair(first, second, maxLength) {
      const column = (text: string) => {
        const ids = Int32Array.from(encodeBare(text));
        return { texts: { ids, typeIds: undefined, offsets: Int32Array.of(0, ids.length) }, rows: [0] };
      };
      const { ids, typeIds } = packPairs(pair, column(first), column(second), { maxLength });
      return { ids: [...ids], typeIds: [...typeIds] };
    },
    decode: (ids) => tokenizer.decode([...ids], { skip_special_tokens: true }),
    continues: (id) => pieces.has(id),
    files,
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
  return await tokenizeBy((text) => tokenizer.encode(prompt + text, maxLength), texts);
}

/** The same by any function from text to ids. */
export async function tokenizeBy(
  encode: (text: string) => readonly number[],
  texts: readonly string[],
): Promise<TokenizedTexts> {
  const offsets = new Int32Array(texts.length + 1);
  let ids = new Int32Array(16 * texts.length + 64);
  let size = 0;
  const known = new Map<string, number>(); // text → row where it first stood
  let turned = performance.now();
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!;
    const before = known.get(text);
    const encoded = before === undefined ? encode(text) : ids.slice(offsets[before]!, offsets[before + 1]!);
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
