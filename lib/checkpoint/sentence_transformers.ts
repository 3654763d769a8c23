/**
 * The folder of a sentence-transformers model, read and written as that library defines it.
 *
 * @module
 */
import { basename, join, resolve } from "node:path";
import { CheckpointError } from "../error.ts";
import { exists } from "../exists.ts";
import { readAdapter } from "./adapter.ts";
import { readJson, replaceFolder, withoutWeightType, writeJson, writeTokenizer } from "./folder.ts";
import { promptOfTask, taskPrompts, withoutTasks } from "./jina_v3.ts";
import { type InputKind, type ModuleSpec, readModuleList, readModules, writeModules } from "./modules.ts";
import { openTensors, type TensorToWrite, writeSafetensors } from "./safetensors.ts";
import { type AdapterToWrite, writeAdapter } from "./write_adapter.ts";

export type { InputKind, ModuleSpec } from "./modules.ts";

/** What a folder says, without its weights. */
export interface SentenceTransformerFolder {
  /** The folder. */
  readonly path: string;
  /** What reads a text. */
  readonly input: InputKind;
  /** Folder of the transformer's weights, for {@linkcode openWeights}. */
  readonly weights: string;
  /** Folder of the tokenizer's files. */
  readonly tokenizer: string;
  /** `config.json` of the transformer. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Longest sequence in tokens, special ones included. */
  readonly maxSeqLength: number;
  /** The modules after the transformer, in order. */
  readonly modules: readonly ModuleSpec[];
  /** Texts put before the input, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Which of them is used when none is asked for. */
  readonly defaultPromptName: string | undefined;
  /** cosine, dot, euclidean or manhattan. */
  readonly similarity: string;
  /** Features that are kept of an embedding, after the last module; undefined: all of them. */
  readonly truncateDim: number | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a sentence-transformers folder, or a plain Hugging Face checkpoint, which gets mean pooling as there. Of a folder
 * with an adapter, what it does not say itself is that of its base model.
 *
 * @param path The folder.
 * @param above Folders of adapters that build upon this one. Default: none.
 * @returns Configuration, modules, prompts, tokenizer; the weights are for {@linkcode openWeights}.
 * @throws {CheckpointError} A file is missing, cannot be read, or says what is not supported.
 */
export async function readFolder(path: string, above: readonly string[] = []): Promise<SentenceTransformerFolder> {
  const { transformerPath, others, ...list } = await readModuleList(path);
  const weights = join(path, transformerPath);
  const adapter = await readAdapter(weights, above);
  const base = adapter && await readFolder(adapter.base, [...above, resolve(weights)]);
  if (base !== undefined && !await exists(join(path, "modules.json"))) {
    return { ...base, weights, defaultPromptName: base.defaultPromptName ?? await promptOfAdapter(base, weights) };
  }
  const general = await readJson<Json>(join(path, "config_sentence_transformers.json"), true) ?? {};
  const file = join(weights, "config.json");
  const found = base?.config ??
    (list.input === "transformer" ? await readJson<Json>(file) : await readJson<Json>(file, true) ?? {});
  const input = found["model_type"] === "model2vec" ? "static" : list.input;
  const config = input === "transformer"
    ? withoutTasks(found)
    : input === "static"
    ? await staticConfig(weights, found)
    : await wordsConfig(weights);
  // A folder of model2vec without a list of modules says in its configuration whether rows are normalised.
  const isPlain = list.input === "transformer" && input === "static";
  const following = isPlain && found["normalize"] === true ? [{ type: "Normalize", path: "" }] : others;
  const hasTokenizer = base === undefined || await exists(join(weights, "tokenizer.json"));
  return {
    path,
    input,
    weights,
    tokenizer: hasTokenizer ? weights : base.tokenizer,
    config,
    maxSeqLength: input === "static"
      ? await staticLimit(weights)
      : input === "words"
      ? Number(config["max_position_embeddings"])
      : hasTokenizer
      ? await maxSeqLengthOf(weights, config)
      : base.maxSeqLength,
    modules: await readModules(path, following, Number(config["hidden_size"] ?? config["dim"] ?? config["n_embd"])),
    ...readGeneral(withPrompts(general, taskPrompts(found)), join(path, "config_sentence_transformers.json")),
  };
}

/** Prompts by task, where there are no others under their names. */
function withPrompts(general: Json, prompts: Readonly<Record<string, string>>): Json {
  if (Object.keys(prompts).length === 0) return general;
  return { ...general, prompts: { ...prompts, ...general["prompts"] as object | undefined } };
}

/** What jina v3's own code puts before a text of a task: the prompt of the task whose adapter this is. */
async function promptOfAdapter({ prompts, weights }: SentenceTransformerFolder, adapter: string) {
  const config = await readJson<Json>(join(weights, "config.json"), true) ?? {};
  return promptOfTask({ ...taskPrompts(config), ...prompts }, basename(resolve(adapter)));
}

/** Tokens of a text where nothing limits them. */
export const UNLIMITED = 2 ** 31 - 1;

/** Static embeddings read a text to its end, unless their `tokenizer.json` cuts it, as model2vec's does. */
async function staticLimit(folder: string): Promise<number> {
  const { truncation } = await readJson<{ readonly truncation?: Json | null }>(join(folder, "tokenizer.json"));
  const length = truncation?.["max_length"];
  return typeof length === "number" && Number.isInteger(length) && length > 0 ? length : UNLIMITED;
}

/** What `config.json` would say of static embeddings, by the shape of their table. */
async function staticConfig(folder: string, found: Json): Promise<Json> {
  const reader = await openTensors(folder);
  try {
    const table = reader.tensors.get("embedding.weight") ?? reader.tensors.get("embeddings");
    if (table?.shape.length !== 2) {
      throw new CheckpointError("there is no table of static embeddings", {
        where: folder,
        expected: "a tensor embedding.weight or embeddings [tokens, features]",
        found: [...reader.tensors.keys()].join(", "),
      });
    }
    const [tokens, width] = table.shape;
    const mapped = reader.tensors.get("mapping")?.shape[0];
    return {
      model_type: "static",
      hidden_size: width,
      vocab_size: mapped ?? tokens,
      max_position_embeddings: UNLIMITED,
      ...(found["model_type"] === "model2vec" && { model2vec: found }),
    };
  } finally {
    reader.close();
  }
}

const WORDS_FILE = "wordembedding_config.json";

/** What `config.json` would say of word vectors. */
async function wordsConfig(folder: string): Promise<Json> {
  const where = join(folder, WORDS_FILE);
  const said = await readJson<Json>(where);
  const { tokenizer_class: tokenizer, max_seq_length: longest = 1_000_000 } = said;
  if (!(typeof tokenizer === "string" && tokenizer.endsWith("WhitespaceTokenizer"))) {
    throw new CheckpointError("the tokenizer of word vectors is not supported", {
      where,
      expected: "WhitespaceTokenizer",
      found: String(tokenizer),
    });
  }
  const reader = await openTensors(folder);
  try {
    const table = reader.tensors.get("emb_layer.weight");
    if (table?.shape.length !== 2 || !(Number.isInteger(longest) && Number(longest) > 0)) {
      throw new CheckpointError("word vectors are damaged", {
        where: folder,
        expected: "a tensor emb_layer.weight [words, features], and a max_seq_length",
        found: [...reader.tensors.keys(), String(longest)].join(", "),
      });
    }
    const [words, width] = table.shape;
    return {
      model_type: "static",
      hidden_size: width,
      vocab_size: words,
      max_position_embeddings: longest,
      word_embeddings: said,
    };
  } finally {
    reader.close();
  }
}

const SIMILARITIES = ["cosine", "dot", "euclidean", "manhattan"];

/** `config_sentence_transformers.json`. A prompt may be empty: asked for by name, it puts nothing before a text. */
function readGeneral(
  general: Json,
  where: string,
): Pick<SentenceTransformerFolder, "prompts" | "defaultPromptName" | "similarity" | "truncateDim"> {
  const given = general["prompts"] ?? {};
  const name = general["default_prompt_name"] ?? undefined;
  if (
    typeof given !== "object" || Array.isArray(given) || (name !== undefined && !Object.hasOwn(given, String(name)))
  ) {
    throw new CheckpointError("the prompts are damaged", {
      where,
      expected: "an object of texts, and default_prompt_name one of its keys",
      found: JSON.stringify({ prompts: given, default_prompt_name: name }).slice(0, 200),
    });
  }
  const prompts = Object.fromEntries(
    Object.entries(given).filter(([, text]) => typeof text === "string"),
  );
  const similarity = String(general["similarity_fn_name"] ?? "cosine");
  if (!SIMILARITIES.includes(similarity)) {
    throw new CheckpointError("the similarity is not supported", {
      where,
      expected: SIMILARITIES.join(", "),
      found: similarity,
    });
  }
  const truncateDim = general["truncate_dim"] ?? undefined;
  if (truncateDim !== undefined && !(Number.isSafeInteger(truncateDim) && Number(truncateDim) > 0)) {
    throw new CheckpointError("truncate_dim is not a number of features", {
      where,
      expected: "a whole number above 0, or null",
      found: JSON.stringify(truncateDim),
    });
  }
  return {
    truncateDim: truncateDim as number | undefined,
    prompts,
    defaultPromptName: name !== undefined && Object.hasOwn(prompts, String(name)) ? String(name) : undefined,
    similarity,
  };
}

/** The module's own limit, but never more than the model has positions for; without one, the tokenizer's. */
async function maxSeqLengthOf(folder: string, config: Json): Promise<number> {
  for (const family of ["bert", "roberta", "mpnet", "distilbert", "xlm-roberta"]) {
    const path = join(folder, `sentence_${family}_config.json`);
    const { max_seq_length: length } = await readJson<Json>(path, true) ?? {};
    if (length === undefined || length === null) continue;
    if (typeof length === "number" && Number.isInteger(length) && length > 0) {
      return Math.min(length, positionsOf(config));
    }
    throw new CheckpointError("max_seq_length is not a number of tokens", {
      where: path,
      expected: "a whole number above 0",
      found: JSON.stringify(length),
    });
  }
  return await tokenizerLimit(folder, config);
}

/** Longest sequence as transformers has it: the tokenizer's own limit, and at most the model's positions. */
export async function tokenizerLimit(folder: string, config: Json): Promise<number> {
  const { model_max_length: tokenizerLength } = await readJson<Json>(join(folder, "tokenizer_config.json"), true) ?? {};
  const positions = positionsOf(config);
  return Math.min(typeof tokenizerLength === "number" ? tokenizerLength : positions, positions);
}

function positionsOf(config: Json): number {
  const reserved = ["roberta", "xlm-roberta", "camembert", "mpnet"].includes(String(config["model_type"])) ? 2 : 0;
  return Number(config["max_position_embeddings"] ?? 512) - reserved;
}

/** What {@linkcode writeFolder} writes. */
export interface FolderToWrite extends Omit<SentenceTransformerFolder, "path" | "weights" | "tokenizer"> {
  /** Weights of the transformer. */
  readonly tensors: readonly TensorToWrite[];
  /** Weights of dense modules, by module path. */
  readonly denseTensors: ReadonlyMap<string, readonly TensorToWrite[]>;
  /** Files of the tokenizer, by name. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  /** Text of README.md. */
  readonly modelCard: string;
  /** Instead of the transformer's configuration and weights: an adapter for a model that is elsewhere. */
  readonly adapter?: AdapterToWrite | undefined;
}

/**
 * Writes a folder in the dialect that every reader knows: classic class names and pooling keys. It appears under its
 * name whole or not at all; one that was there is replaced.
 *
 * @param to The folder.
 * @param folder What goes into it.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 */
export async function writeFolder(to: string, folder: FolderToWrite): Promise<void> {
  await replaceFolder(to, (temporary) => writeContents(temporary, folder));
}

async function writeContents(path: string, folder: FolderToWrite): Promise<void> {
  const json = (name: string, value: unknown) => writeJson(join(path, name), value);
  await writeModules(path, folder.input, folder.modules, folder.denseTensors);
  await json("config_sentence_transformers.json", {
    __version__: { sentence_transformers: "3.0.1", transformers: "4.41.2", pytorch: "2.3.1" },
    default_prompt_name: folder.defaultPromptName ?? null,
    prompts: folder.prompts,
    similarity_fn_name: folder.similarity,
    ...(folder.truncateDim !== undefined && { truncate_dim: folder.truncateDim }),
  });
  const asModel2vec = folder.config["model2vec"] as Json | undefined;
  if (asModel2vec !== undefined) {
    const { vocabulary_quantization: _, ...rest } = asModel2vec; // each token has a row of its own now
    const normalize = folder.modules.some(({ type }) => type === "normalize");
    await json("config.json", { ...rest, normalize, embedding_dtype: "float32" });
  }
  if (folder.input === "words") {
    await json(WORDS_FILE, folder.config["word_embeddings"]);
    for (const [name, bytes] of folder.tokenizerFiles) await Deno.writeFile(join(path, name), bytes);
  } else if (folder.input === "static") {
    await Deno.writeFile(join(path, "tokenizer.json"), folder.tokenizerFiles.get("tokenizer.json")!);
  } else {
    await json("sentence_bert_config.json", { max_seq_length: folder.maxSeqLength, do_lower_case: false });
    if (folder.adapter === undefined) await json("config.json", withoutWeightType(folder.config));
    await writeTokenizer(path, folder.tokenizerFiles, folder.maxSeqLength);
  }
  await Deno.writeTextFile(join(path, "README.md"), folder.modelCard);
  if (folder.adapter !== undefined) return await writeAdapter(path, folder.adapter);
  // model2vec looks for its table under its own name, and so do word vectors.
  const table = asModel2vec !== undefined ? "embeddings" : folder.input === "words" ? "emb_layer.weight" : undefined;
  const tensors = table === undefined ? folder.tensors : folder.tensors.map((tensor) => ({ ...tensor, name: table }));
  await writeSafetensors(join(path, "model.safetensors"), tensors);
}
