/**
 * What Python's transformers make of the files of a folder.
 *
 * Since version 5 a class like BertTokenizer takes only the vocabulary (and SentencePiece's table) from
 * `tokenizer.json` and puts the rest together anew, from `tokenizer_config.json` and its own defaults. Classes without
 * rules of their own (PreTrainedTokenizerFast, TokenizersBackend, unknown ones) take `tokenizer.json` as it is.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { isObject } from "../expect.ts";
import { type AddedToken, addedTokenOf, numberAddedTokens } from "./added_tokens.ts";
import { type Json, list, object, vocabularyOf } from "./definition.ts";

/** The JSON files that describe a tokenizer; those that a folder lacks are undefined. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  readonly definition: Json | undefined;
  /** `tokenizer_config.json`. */
  readonly config: Json;
  /** `config.json` of the model. */
  readonly model: Json;
  /** `special_tokens_map.json`. */
  readonly specialTokensMap: Json | undefined;
  /** `added_tokens.json`. */
  readonly addedTokens: Json | undefined;
  /** Lines of `vocab.txt`. */
  readonly vocabulary: readonly string[] | undefined;
  /** `vocab.json`. */
  readonly bpeVocabulary: Json | undefined;
  /** Lines of `merges.txt`. */
  readonly merges: readonly string[] | undefined;
}

/** Classes with rules of their own, and those that are the same under another name. */
const CLASSES: Readonly<Record<string, Class>> = {
  BertTokenizer: "bert",
  DistilBertTokenizer: "bert",
  ElectraTokenizer: "bert",
  MobileBertTokenizer: "bert",
  SqueezeBertTokenizer: "bert",
  ConvBertTokenizer: "bert",
  MPNetTokenizer: "mpnet",
  RobertaTokenizer: "roberta",
  LongformerTokenizer: "roberta",
  BartTokenizer: "roberta",
  XLMRobertaTokenizer: "xlm-roberta",
  CamembertTokenizer: "camembert",
};

/** Classes by type of model, where no file names one. */
const BY_MODEL: Readonly<Record<string, Class>> = {
  bert: "bert",
  distilbert: "bert",
  mpnet: "mpnet",
  roberta: "roberta",
  "xlm-roberta": "xlm-roberta",
  camembert: "camembert",
};

type Class = "bert" | "mpnet" | "roberta" | "xlm-roberta" | "camembert";

/** Classes that cut words by other means than `tokenizer.json` can say. */
const ELSEWHERE =
  /^(BertJapanese|Bertweet|Phobert|Bartpho|ByT5|MyT5|Canine|Esm|Flaubert|XLM|CTRL|BioGpt|Luke|MLuke|Tapas|ProphetNet|RoCBert|RoFormer|GPTNeoXJapanese|CpmAnt|Cpm|FSMT|BlenderbotSmall|Splinter|Marian|M2M100|BertGeneration)Tokenizer$/;

const NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] as const;
/** The roles of special tokens. */
export type SpecialName = typeof NAMES[number];

const BERT_NAMES = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};
const ROBERTA_NAMES = {
  bos_token: "<s>",
  eos_token: "</s>",
  unk_token: "<unk>",
  sep_token: "</s>",
  pad_token: "<pad>",
  cls_token: "<s>",
  mask_token: "<mask>",
};
const DEFAULT_NAMES: Readonly<Record<Class, Partial<Record<SpecialName, string>>>> = {
  bert: BERT_NAMES,
  mpnet: { ...ROBERTA_NAMES, unk_token: "[UNK]" },
  roberta: ROBERTA_NAMES,
  "xlm-roberta": ROBERTA_NAMES,
  camembert: ROBERTA_NAMES,
};

/** A tokenizer as transformers would build it. */
export interface BuiltTokenizer {
  /** The whole definition, as `tokenizer.json` would have it. */
  readonly definition: Json;
  /** Names of the special tokens. */
  readonly special: Partial<Record<SpecialName, string>>;
  /** Tokens that no file names: the class adds them, behind all others. */
  readonly implied: ReadonlySet<string>;
  /** Rows of the model's table, as far as `config.json` says; no id is as high. */
  readonly rows: number;
  /** Whether the texts of a pair have types of their own. */
  readonly givesTypes: boolean;
  /** Which end of a text that is too long gives way. */
  readonly truncationSide: "left" | "right";
}

/**
 * The tokenizer that transformers would build.
 *
 * @throws {TokenizerError} for classes that work by other means, and for files that do not suffice
 */
export function buildAsTransformers(files: TokenizerFiles): BuiltTokenizer {
  const { definition, config } = files;
  const named = nameOfClass(config["tokenizer_class"]) ?? nameOfClass(files.model["tokenizer_class"]);
  if (named !== undefined && ELSEWHERE.test(named)) {
    throw new TokenizerError(`the tokenizer is a ${named}, which is not supported`, {
      found: `tokenizer_class ${named}`,
      expected: `tokenizer.json with one of ${Object.keys(CLASSES).join(", ")}, PreTrainedTokenizerFast`,
      hint: named === "BertJapaneseTokenizer"
        ? "BertJapaneseTokenizer cuts words with MeCab, which vocab.txt does not say; encode such texts in Python"
        : "its vocabulary does not say how it cuts words; encode such texts in Python",
    });
  }
  // A vocabulary alone, of a model whose type nobody says, is BERT's.
  const type = String(files.model["model_type"] ?? (definition === undefined ? "bert" : ""));
  const kind = named === undefined ? BY_MODEL[type] : CLASSES[named];
  if (config["split_special_tokens"] === true) {
    throw new TokenizerError("split_special_tokens is not supported", { expected: "false", found: "true" });
  }
  const { settings, decoder } = readSettings(files);
  const special = { ...kind === undefined ? {} : DEFAULT_NAMES[kind] } as Partial<Record<SpecialName, string>>;
  for (const name of NAMES) {
    if (settings[name] === null) delete special[name];
    else if (settings[name] !== undefined) special[name] = contentOf(settings[name], name);
  }
  const bare = kind === undefined ? asItIs(files, named) : rebuild(kind, files, special);
  const model = object(bare["model"] ?? missing("a model in tokenizer.json"), "the model");
  const entries = model["vocab"];
  const vocabulary = Array.isArray(entries)
    ? new Map(entries.map((entry, id) => [(entry as [string, number])[0], id]))
    : vocabularyOf(model);
  const before = kind === undefined ? list(bare["added_tokens"] ?? [], "the added tokens") : [];
  const added = numberAddedTokens(
    tokensToAdd(before, kind, settings, decoder, special),
    vocabulary,
    Array.isArray(entries) ? entries.length : vocabulary.size,
  );
  const namedByFiles = new Set([...before, ...decoder.values()].map((token) => contentOf(token, "an added token")));
  const idOf = (token: string) => added.get(token)?.id ?? vocabulary.get(token)!;
  const inputs = config["model_input_names"];
  const side = settings["truncation_side"] ??
    String((definition?.["truncation"] as Json | null | undefined)?.["direction"] ?? "right").toLowerCase();
  if (side !== "left" && side !== "right") {
    throw new TokenizerError("truncation_side is neither left nor right", { found: String(side) });
  }
  return {
    definition: {
      ...bare,
      added_tokens: [...added.values()],
      ...kind === undefined ? {} : { post_processor: postProcessor(kind, special, idOf) },
    },
    special,
    implied: new Set(
      Object.entries(special).flatMap(([name, token]) =>
        vocabulary.has(token) || filled(settings[name]) || namedByFiles.has(token) ? [] : [token]
      ),
    ),
    rows: typeof files.model["vocab_size"] === "number" ? files.model["vocab_size"] : Infinity,
    givesTypes: Array.isArray(inputs)
      ? inputs.includes("token_type_ids")
      : kind === "bert"
      ? named !== "DistilBertTokenizer"
      : kind === undefined && named === undefined,
    truncationSide: side,
  };
}

function nameOfClass(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.replace(/Fast$/, "") : undefined;
}

/** The text of a token that is given as it is or with its flags. */
function contentOf(value: unknown, what: string): string {
  const content = typeof value === "string" ? value : (value as Json | undefined)?.["content"];
  if (typeof content === "string") return content;
  throw new TokenizerError(`${what} is no token`, { found: JSON.stringify(value) });
}

/** Settings and added tokens by id: `added_tokens_decoder` if there is one, else all that lies beside it. */
function readSettings(files: TokenizerFiles): { settings: Json; decoder: Map<number, unknown> } {
  const settings: Record<string, unknown> = { ...files.config };
  const decoder = new Map<number, unknown>();
  if (settings["additional_special_tokens"] !== undefined && !filled(settings["extra_special_tokens"])) {
    settings["extra_special_tokens"] = settings["additional_special_tokens"];
    delete settings["additional_special_tokens"];
  }
  if (settings["added_tokens_decoder"] !== undefined) {
    const tokens = object(settings["added_tokens_decoder"], "added_tokens_decoder");
    for (const [id, token] of Object.entries(tokens)) decoder.set(Number(id), token);
    return { settings, decoder };
  }
  for (const [name, value] of Object.entries(files.specialTokensMap ?? {})) {
    const isToken = isObject(value);
    if (name === "extra_special_tokens" && Array.isArray(value)) {
      settings[name] = [...(settings[name] as unknown[] | undefined ?? []), ...value];
    } else settings[name] = isToken && name !== "extra_special_tokens" ? { ...value, special: true } : value;
  }
  const special = new Set(
    NAMES.filter((name) => filled(settings[name])).map((name) => contentOf(settings[name], name)),
  );
  for (const token of extraTokens(settings["extra_special_tokens"])) special.add(contentOf(token, "a special token"));
  for (const [content, id] of Object.entries(files.addedTokens ?? {})) {
    const isSpecial = special.has(content);
    decoder.set(Number(id), { content, special: isSpecial, normalized: !isSpecial });
  }
  for (const token of list(files.definition?.["added_tokens"] ?? [], "the added tokens")) {
    decoder.set(Number(object(token, "an added token")["id"]), token);
  }
  return { settings, decoder };
}

const filled = (value: unknown) => value !== undefined && value !== null && value !== "";

/** Special tokens beside the named ones: a list, or an object of further names. */
function extraTokens(value: unknown): readonly unknown[] {
  if (!filled(value)) return [];
  return Array.isArray(value) ? value : Object.values(object(value, "extra_special_tokens"));
}

/** All tokens that transformers add, in their order, with the ids that the files give them. */
function tokensToAdd(
  before: readonly unknown[],
  kind: Class | undefined,
  settings: Json,
  decoder: ReadonlyMap<number, unknown>,
  special: Partial<Record<SpecialName, string>>,
): (AddedToken & { readonly id?: number | undefined })[] {
  const withId = (token: unknown, id: unknown) => ({ ...addedTokenOf(token), id: id as number });
  const named = new Set(Object.values(special));
  const tokens: (AddedToken & { readonly id?: number | undefined })[] = [];
  for (const token of before) tokens.push(withId(token, object(token, "an added token")["id"]));
  for (const [id, token] of [...decoder].sort(([a], [b]) => a - b)) {
    const isNamed = named.has(contentOf(token, "an added token"));
    tokens.push(withId(isNamed ? { ...(token as Json), special: true } : token, id));
  }
  const known = new Set(tokens.map(({ content }) => content));
  const add = (value: unknown, flags: Json = {}) => {
    const content = contentOf(value, "a special token");
    if (known.has(content)) return;
    known.add(content);
    tokens.push(
      addedTokenOf(
        typeof value === "string" ? { content, special: true, ...flags } : { special: true, ...value as Json },
      ),
    );
  };
  for (const name of NAMES) {
    if (special[name] === undefined) continue;
    // These classes let the mask take the space before it along.
    const mask = name === "mask_token" && (kind === "mpnet" || kind === "camembert");
    add(settings[name] ?? special[name], mask ? { lstrip: true } : {});
  }
  for (const [name, value] of Object.entries(settings)) {
    if (name.endsWith("_token") && !NAMES.includes(name as SpecialName) && typeof value === "string") add(value);
  }
  const unused = kind === "camembert" ? ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"] : undefined;
  const extra = settings["extra_special_tokens"] ?? settings["additional_special_tokens"] ?? unused;
  for (const token of extraTokens(extra)) add(token);
  return tokens;
}

function asItIs(files: TokenizerFiles, named: string | undefined): Json {
  if (files.definition !== undefined) return files.definition;
  throw new TokenizerError(
    named === undefined ? "there is no tokenizer" : `there is no tokenizer.json for the tokenizer's class ${named}`,
    {
      expected: "tokenizer.json",
      ...(files.vocabulary === undefined
        ? {}
        : { found: "vocab.txt, from which only classes like BertTokenizer are made" }),
      hint: "load the tokenizer in Python and save it again with AutoTokenizer.from_pretrained(…).save_pretrained(…)",
    },
  );
}

/** What a class with rules of its own makes: all but the added tokens and the post-processor. */
function rebuild(kind: Class, files: TokenizerFiles, special: Partial<Record<SpecialName, string>>): Json {
  const { definition, config } = files;
  const given = definition === undefined ? undefined : object(definition["model"] ?? {}, "the model");
  const part = { version: "1.0", truncation: null, padding: null, decoder: null };
  switch (kind) {
    case "bert":
    case "mpnet": {
      return {
        ...part,
        normalizer: {
          type: "BertNormalizer",
          clean_text: true,
          handle_chinese_chars: config["tokenize_chinese_chars"] ?? true,
          strip_accents: config["strip_accents"] ?? null,
          lowercase: config["do_lower_case"] ?? true,
        },
        pre_tokenizer: { type: "BertPreTokenizer" },
        model: {
          type: "WordPiece",
          unk_token: special.unk_token ?? "None",
          vocab: vocabulary(given?.["vocab"] ?? files.vocabulary, "vocab.txt") ??
            missing("tokenizer.json or vocab.txt"),
        },
      };
    }
    case "roberta":
      return {
        ...part,
        normalizer: null,
        pre_tokenizer: {
          type: "ByteLevel",
          add_prefix_space: config["add_prefix_space"] ?? false,
          trim_offsets: true,
          use_regex: true,
        },
        model: {
          type: "BPE",
          vocab: vocabulary(given?.["vocab"], "vocab.json") ?? files.bpeVocabulary ??
            missing("tokenizer.json, or vocab.json with merges.txt"),
          merges: given === undefined ? files.merges ?? missing("merges.txt beside vocab.json") : given["merges"],
        },
      };
    case "xlm-roberta":
    case "camembert": {
      const vocab = given?.["vocab"];
      if (!Array.isArray(vocab)) return missing("tokenizer.json with a unigram vocabulary");
      const unknown = vocab.findIndex((entry) => Array.isArray(entry) && entry[0] === special.unk_token);
      return {
        ...part,
        normalizer: precompiledOf(definition!["normalizer"]),
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "WhitespaceSplit" },
            {
              type: "Metaspace",
              replacement: "▁",
              prepend_scheme: config["add_prefix_space"] ?? true ? "always" : "never",
              split: true,
            },
          ],
        },
        model: { type: "Unigram", unk_id: kind === "camembert" ? Math.max(0, unknown) : 3, vocab },
      };
    }
  }
}

function missing(expected: string): never {
  throw new TokenizerError("there is no tokenizer that the model's class can be made from", {
    expected,
    hint: "load the tokenizer in Python and save it again with AutoTokenizer.from_pretrained(…).save_pretrained(…)",
  });
}

/** A vocabulary as an object; lists become one. */
function vocabulary(value: unknown, instead: string): Json | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return object(value, "the vocabulary");
  if (value.length === 0) return missing(instead);
  return indexed(value.map((entry) => Array.isArray(entry) ? entry[0] : entry));
}

/** Tokens in order of their ids. */
function indexed(tokens: readonly string[]): Json {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) ids.set(token, id);
  return Object.fromEntries(ids);
}

/** Of a normalizer, the classes of SentencePiece keep its first precompiled table alone. */
function precompiledOf(normalizer: unknown): Json | null {
  if (normalizer === null || normalizer === undefined) return null;
  const part = object(normalizer, "the normalizer");
  const all = part["type"] === "Sequence" ? list(part["normalizers"], "the normalizers") : [part];
  return (all as Json[]).find((one) => one["type"] === "Precompiled" && "precompiled_charsmap" in one) ?? null;
}

function postProcessor(
  kind: Class,
  special: Partial<Record<SpecialName, string>>,
  idOf: (token: string) => number,
): Json {
  const token = (name: SpecialName): [string, number] => {
    const content = special[name];
    if (content === undefined) throw new TokenizerError("a special token is missing", { expected: name });
    return [content, idOf(content)];
  };
  if (kind === "roberta" || kind === "mpnet") {
    return { type: "RobertaProcessing", sep: token("sep_token"), cls: token("cls_token") };
  }
  const bert = kind === "bert";
  const [first, last] = bert ? [token("cls_token"), token("sep_token")] : [token("bos_token"), token("eos_token")];
  const piece = ([id]: [string, number], type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const second = bert ? 1 : 0;
  const one = [piece(first, 0), text("A", 0), piece(last, 0)];
  return {
    type: "TemplateProcessing",
    single: one,
    pair: [...one, ...bert ? [] : [piece(last, 0)], text("B", second), piece(last, second)],
    special_tokens: Object.fromEntries([first, last].map(([id, number]) => [id, { id, ids: [number], tokens: [id] }])),
  };
}
