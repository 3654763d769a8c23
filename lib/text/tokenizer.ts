/**
 * The tokenizer of a checkpoint: texts become the ids that Python's transformers gives them.
 *
 * @module
 */
import { join } from "node:path";
import { TokenizerError } from "../error.ts";
import { isObject } from "../expect.ts";
import type { AddedToken } from "./added_tokens.ts";
import { type Json, list, object } from "./definition.ts";
import { modelOf } from "./models/select.ts";
import type { TokenizedTexts } from "./packed.ts";
import { type PairTemplate, withoutTypes } from "./pair_template.ts";
import { pipelineOf } from "./pipeline.ts";
import { templatesOf } from "./post_processor.ts";
import { repeats } from "./repeats.ts";
import { buildAsTransformers, type BuiltTokenizer, type SpecialName, type TokenizerFiles } from "./transformers.ts";
import { turn } from "../turn.ts";

/** A checkpoint's tokenizer. A half of a surrogate pair in a text counts as U+FFFD. */
export interface Tokenizer {
  /** Number of ids: the highest one, and 1. */
  readonly vocabSize: number;
  /** Id of a token, or undefined. */
  readonly idOf: (token: string) => number | undefined;
  /** Ids of a text between its special tokens, cut to `maxLength` in all. */
  readonly ids: (text: string, maxLength: number) => number[];
  /** Ids of a text alone, uncut. */
  readonly bareIds: (text: string) => number[];
  /**
   * For each of the ids that `ids` gives: 1 where a word begins, also at special tokens, 0 inside of a word. Words are
   * those of the reference's `word_ids`, for every kind of tokenizer.
   */
  readonly wordStarts: (text: string, maxLength: number) => Uint8Array;
  /** What stands around two texts that are one sequence. */
  readonly pair: PairTemplate;
  /**
   * Ids of the special tokens: padding, classification, separator, mask; undefined where there is none. What stands around
   * a text the tokenizer's own post-processor says.
   */
  readonly special: {
    readonly pad: number | undefined;
    readonly cls: number | undefined;
    readonly sep: number | undefined;
    readonly mask: number | undefined;
  };
  /** Ids of all special tokens, those of `special` and others: a text that holds one literally has it, too. */
  readonly specialIds: ReadonlySet<number>;
  /** The files it was made from, to be saved with a model. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What `tokenizer.json` would hold; undefined where words are cut by other means than that can say. */
  readonly definition?: Readonly<Record<string, unknown>> | undefined;
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
 * Loads the tokenizer of a folder as transformers does: the class that `tokenizer_config.json` names, or that the type
 * of the model stands for, decides what counts of `tokenizer.json` and of the files beside it. Where
 * sentence-transformers' settings in the folder say that texts are lowercased, so does the tokenizer, and so do the files
 * that are saved again.
 *
 * @param folder the folder with `tokenizer.json` or a vocabulary; `config.json` is looked at, too
 * @returns the tokenizer
 * @throws {TokenizerError} if there is none, or if a part of it is not covered exactly
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Uint8Array>();
  for (const name of FILES) {
    const bytes = await Deno.readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined) files.set(name, bytes);
  }
  const parse = (name: string): Json | undefined => {
    const bytes = files.get(name);
    return bytes === undefined ? undefined : parseObject(bytes, join(folder, name));
  };
  const beside = async (name: string): Promise<Json> => {
    const bytes = await Deno.readFile(join(folder, name)).catch(() => undefined);
    return bytes === undefined ? {} : parseObject(bytes, join(folder, name));
  };
  try {
    const built = buildAsTransformers({
      definition: parse("tokenizer.json"),
      config: parse("tokenizer_config.json") ?? {},
      model: await beside("config.json"),
      specialTokensMap: parse("special_tokens_map.json"),
      addedTokens: parse("added_tokens.json"),
      get vocabulary() { // where tokenizer.json has none
        return lines(files.get("vocab.txt"))?.map((line) => line.replace(SPACE_BEHIND, ""));
      },
      bpeVocabulary: parse("vocab.json"),
      merges: lines(files.get("merges.txt"))?.filter((line) => line !== ""),
    });
    if ((await beside("sentence_bert_config.json"))["do_lower_case"] !== true) return tokenizerOf(built, files);
    const lowered = { ...built, definition: lowercasing(built.definition) };
    return tokenizerOf(lowered, savedAsItIs(lowered, files));
  } catch (error) {
    if (error instanceof TokenizerError) {
      throw error.where?.startsWith(folder) ? error : new TokenizerError(error.summary, {
        ...error.toJSON(),
        where: error.where === undefined ? folder : `${folder}: ${error.where}`,
      });
    }
    throw new TokenizerError("the tokenizer cannot be used", {
      where: folder,
      found: (error as Error).message,
      cause: error,
    });
  }
}

const SPACE_BEHIND = /\p{White_Space}+$/u;

function lines(bytes: Uint8Array | undefined): string[] | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).replace(/\n$/, "").split(/\r?\n/);
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
  if (isObject(value)) return value as Json;
  throw new TokenizerError("not a JSON object", { where, found: JSON.stringify(value).slice(0, 80) });
}

/**
 * A tokenizer that puts nothing around a text.
 *
 * @param tokenizer Any.
 * @returns The same, whose `ids` are those of the text alone, cut to `maxLength`.
 */
export function withoutSpecialTokens(tokenizer: Tokenizer): Tokenizer {
  return { ...tokenizer, ids: (text, maxLength) => tokenizer.bareIds(text).slice(0, maxLength) };
}

/** A definition that lowercases before all else, as sentence-transformers' `do_lower_case` has it. */
function lowercasing(definition: Json): Json {
  const normalizer = definition["normalizer"] as Json | null | undefined;
  if (lowercases(normalizer)) return definition;
  const after = normalizer?.["type"] === "Sequence"
    ? list(normalizer["normalizers"], "the normalizers")
    : normalizer
    ? [normalizer]
    : [];
  return { ...definition, normalizer: { type: "Sequence", normalizers: [{ type: "Lowercase" }, ...after] } };
}

function lowercases(normalizer: Json | null | undefined): boolean {
  if (normalizer?.["type"] === "Lowercase") return true;
  if (normalizer?.["type"] === "BertNormalizer") return normalizer["lowercase"] !== false;
  return normalizer?.["type"] === "Sequence" && (normalizer["normalizers"] as Json[]).some(lowercases);
}

/** Files of a tokenizer that no class of transformers would make: a class that takes `tokenizer.json` as it is. */
function savedAsItIs(
  built: BuiltTokenizer,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const config = files.get("tokenizer_config.json");
  return new Map(files)
    .set("tokenizer.json", jsonBytes(built.definition))
    .set(
      "tokenizer_config.json",
      jsonBytes({
        ...config === undefined ? {} : parseObject(config, "tokenizer_config.json"),
        ...built.special,
        tokenizer_class: "PreTrainedTokenizerFast",
        model_input_names: ["input_ids", ...built.givesTypes ? ["token_type_ids"] : [], "attention_mask"],
      }),
    );
}

const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, null, 1) + "\n");

/**
 * A tokenizer of WordPiece tokens, in order of their ids.
 *
 * @param tokens The vocabulary, [PAD], [UNK], [CLS], [SEP] and [MASK] included.
 * @param lowercase Texts are read in lower case, without accents. Default true.
 * @returns The tokenizer.
 */
export function tokenizerFromVocabulary(tokens: readonly string[], lowercase = true): Tokenizer {
  const config = {
    do_lower_case: lowercase,
    tokenizer_class: "BertTokenizer",
    cls_token: "[CLS]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    mask_token: tokens.includes("[MASK]") ? "[MASK]" : null,
    unk_token: "[UNK]",
  };
  for (const token of ["[UNK]", "[CLS]", "[SEP]"]) {
    if (!tokens.includes(token)) {
      throw new TokenizerError("the vocabulary lacks a special token", { expected: token });
    }
  }
  const nothing = { definition: undefined, specialTokensMap: undefined, addedTokens: undefined };
  const files: TokenizerFiles = {
    ...nothing,
    config,
    model: {},
    vocabulary: tokens,
    bpeVocabulary: undefined,
    merges: undefined,
  };
  const built = buildAsTransformers(files);
  return tokenizerOf(
    built,
    new Map([
      ["tokenizer.json", jsonBytes(built.definition)],
      ["tokenizer_config.json", jsonBytes(config)],
      ["vocab.txt", new TextEncoder().encode(tokens.join("\n") + "\n")],
    ]),
  );
}

/** Names that are looked for where no file names a special token. */
const USUAL: Partial<Record<SpecialName, readonly string[]>> = {
  cls_token: ["[CLS]", "<s>"],
  sep_token: ["[SEP]", "</s>"],
  pad_token: ["[PAD]", "<pad>"],
  mask_token: ["[MASK]", "<mask>"],
};

function tokenizerOf(built: BuiltTokenizer, files: ReadonlyMap<string, Uint8Array>): Tokenizer {
  const { definition, truncationSide } = built;
  const model = modelOf(object(definition["model"], "the model"));
  const added = new Map(
    (definition["added_tokens"] as (AddedToken & { id: number })[]).map((token) => [token.content, token]),
  );
  const idOf = (token: string) => added.get(token)?.id ?? model.vocabulary.get(token);
  const special = (name: SpecialName): number | undefined => {
    const names = [built.special[name], ...USUAL[name] ?? []];
    return names.map((token) => token === undefined ? undefined : idOf(token)).find((id) => id! < built.rows);
  };
  const cls = special("cls_token");
  const sep = special("sep_token");
  const pad = special("pad_token");
  const { before, behind, pair } = templatesOf(definition["post_processor"]);
  const cutsStart = truncationSide === "left";
  // A vocabulary may have holes; the reference counts its entries.
  let vocabSize = model.vocabulary.size;
  for (const { content, id } of added.values()) if (!built.implied.has(content) && id >= vocabSize) vocabSize = id + 1;
  const roles = Object.values(built.special).map((token) => token === undefined ? undefined : idOf(token));
  const marked = [...added.values()].filter((token) => token.special).map(({ id }) => id);
  const specialIds = new Set([...roles, ...marked, cls, sep, pad].filter((id) => id !== undefined));
  const pipeline = pipelineOf(definition, model, added.values());

  /** A text between its special tokens, cut; words begin where an id is complemented. */
  const between = (text: string, maxLength: number): number[] => {
    const room = maxLength - before.length - behind.length;
    if (room < 0) {
      throw new TokenizerError("the special tokens alone are longer than the sequence may be", {
        expected: `at least ${before.length + behind.length} tokens`,
        found: `${maxLength}`,
      });
    }
    const ids = before.map((id) => ~id);
    pipeline(text, ids);
    const excess = ids.length - before.length - room;
    if (excess > 0) ids.splice(cutsStart ? before.length : before.length + room, excess);
    for (let i = 0; i < behind.length; i++) ids.push(~behind[i]!);
    return ids;
  };
  return {
    vocabSize,
    idOf,
    special: { cls, sep, pad, mask: special("mask_token") },
    ids: (text, maxLength) => plainIds(between(text, maxLength), built.rows),
    bareIds(text) {
      const ids: number[] = [];
      pipeline(text, ids);
      return plainIds(ids, built.rows);
    },
    wordStarts: (text, maxLength) => Uint8Array.from(between(text, maxLength), (id) => id < 0 ? 1 : 0),
    pair: { ...built.givesTypes ? pair : withoutTypes(pair), cutsStart },
    specialIds,
    files,
    definition,
  };
}

/** Ids without the mark of those that begin a word; each must have one of the model's `rows`. */
function plainIds(ids: number[], rows: number): number[] {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i]! < 0) ids[i] = ~ids[i]!;
    if (ids[i]! >= rows) {
      throw new TokenizerError("a text has a token that the model has no embedding of", {
        expected: `ids below ${rows}, the vocab_size of config.json`,
        found: `${ids[i]}`,
        hint: "the tokenizer belongs to another model",
      });
    }
  }
  return ids;
}

/**
 * Tokenises many texts, each distinct one once, with a turn of the event loop now and then. `prompt` goes before every
 * text.
 *
 * @param tokenizer From {@linkcode loadTokenizer}.
 * @param texts n texts.
 * @param options How long a text may be in tokens, the special ones included, and what goes before every text.
 * @returns Ids of the n texts, one after the other.
 */
export async function tokenize(
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: { readonly maxLength: number; readonly prompt?: string | undefined },
): Promise<TokenizedTexts> {
  const { maxLength, prompt = "" } = options;
  return await tokenizeBy((text) => tokenizer.ids(prompt + text, maxLength), texts);
}

/** The same by any function from a text to whole numbers. */
export async function tokenizeBy(
  encode: (text: string) => ArrayLike<number>,
  texts: readonly string[],
): Promise<TokenizedTexts> {
  const offsets = new Int32Array(texts.length + 1);
  let ids = new Int32Array(16 * texts.length + 64);
  let size = 0;
  const rowBefore = repeats(texts);
  let turned = performance.now();
  for (let row = 0; row < texts.length; row++) {
    const before = rowBefore(row);
    const encoded = before < 0 ? encode(texts[row]!) : ids.slice(offsets[before]!, offsets[before + 1]!);
    if (size + encoded.length > ids.length) {
      const grown = new Int32Array(2 * (size + encoded.length));
      grown.set(ids);
      ids = grown;
    }
    ids.set(encoded, size);
    offsets[row + 1] = size += encoded.length;
    if ((row & 63) === 0 && performance.now() - turned > 50) {
      await turn();
      turned = performance.now();
    }
  }
  return { ids: ids.slice(0, size), typeIds: undefined, offsets };
}
