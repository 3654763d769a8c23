/**
 * The folder of a sentence-transformers model, read and written as that library defines it.
 *
 * @module
 */
import { isAbsolute, join, normalize } from "node:path";
import type { PoolingMode } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import { readJson, replaceFolder, writeJson, writeTokenizer } from "./folder.ts";
import { type TensorToWrite, writeSafetensors } from "./safetensors.ts";

/** A module after the transformer. */
export type ModuleSpec =
  | {
    readonly type: "pooling";
    readonly modes: readonly PoolingMode[];
    readonly includePrompt: boolean;
    readonly width: number;
  }
  | {
    readonly type: "dense";
    readonly path: string;
    readonly inFeatures: number;
    readonly outFeatures: number;
    readonly bias: boolean;
    readonly activation: "tanh" | "identity" | "gelu" | "relu";
  }
  | { readonly type: "normalize" };

/** What a folder says, without its weights. */
export interface SentenceTransformerFolder {
  /** The folder. */
  readonly path: string;
  /** Folder of the transformer within it, "" for itself. */
  readonly transformerPath: string;
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
}

type Json = Readonly<Record<string, unknown>>;

const POOLING_KEYS: readonly (readonly [string, PoolingMode])[] = [
  ["pooling_mode_cls_token", "cls"],
  ["pooling_mode_max_tokens", "max"],
  ["pooling_mode_mean_tokens", "mean"],
  ["pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len"],
  ["pooling_mode_weightedmean_tokens", "weightedmean"],
  ["pooling_mode_lasttoken", "lasttoken"],
];
const ACTIVATION_CLASSES = {
  tanh: "torch.nn.modules.activation.Tanh",
  identity: "torch.nn.modules.linear.Identity",
  gelu: "torch.nn.modules.activation.GELU",
  relu: "torch.nn.modules.activation.ReLU",
} as const;

/** Reads a sentence-transformers folder, or a plain Hugging Face checkpoint, which gets mean pooling as there. */
export async function readFolder(path: string): Promise<SentenceTransformerFolder> {
  const list = await readJson<readonly Json[]>(join(path, "modules.json"), true);
  const general = await readJson<Json>(join(path, "config_sentence_transformers.json"), true) ?? {};
  if (list !== undefined && !(Array.isArray(list) && list.every((spec) => typeof spec?.type === "string"))) {
    throw new CheckpointError("the list of modules is damaged", {
      where: join(path, "modules.json"),
      expected: "a list of {type, path}",
    });
  }
  const specs = list ?? [{ idx: 0, path: "", type: "Transformer" }];
  const modulePath = (spec: Json): string => {
    const inside = normalize(String(spec["path"] ?? ""));
    if (isAbsolute(inside) || inside.split(/[/\\]/).includes("..")) {
      throw new CheckpointError("a module lies outside the model's folder", {
        where: join(path, "modules.json"),
        found: String(spec["path"]),
      });
    }
    return inside === "." ? "" : inside;
  };
  if (specs.length === 0 || typeName(specs[0]!) !== "Transformer") {
    throw new CheckpointError("the first module is not a transformer", {
      where: join(path, "modules.json"),
      found: specs.length === 0 ? "no modules" : String(specs[0]!["type"]),
    });
  }
  const transformerPath = modulePath(specs[0]!);
  const config = await readJson<Json>(join(path, transformerPath, "config.json"));
  const width = Number(config["hidden_size"] ?? config["dim"]);
  const modules: ModuleSpec[] = [];
  for (const spec of specs.slice(1)) {
    modules.push(await readModule(path, modulePath(spec), typeName(spec)));
  }
  if (!modules.some(({ type }) => type === "pooling")) {
    modules.unshift({ type: "pooling", modes: ["mean"], includePrompt: true, width });
  }
  return {
    path,
    transformerPath,
    config,
    maxSeqLength: await maxSeqLengthOf(join(path, transformerPath), config),
    modules,
    prompts: Object.fromEntries(
      Object.entries(general["prompts"] ?? {}).filter(([, text]) => typeof text === "string" && text !== ""),
    ),
    defaultPromptName: typeof general["default_prompt_name"] === "string" ? general["default_prompt_name"] : undefined,
    similarity: typeof general["similarity_fn_name"] === "string" ? general["similarity_fn_name"] : "cosine",
  };
}

function typeName(spec: Json): string {
  return String(spec["type"]).split(".").at(-1)!;
}

async function readModule(root: string, path: string, type: string): Promise<ModuleSpec> {
  const file = join(root, path, "config.json");
  switch (type) {
    case "Normalize":
      return { type: "normalize" };
    case "Pooling": {
      const config = await readJson<Json>(file);
      return {
        type: "pooling",
        modes: poolingModes(config, file),
        includePrompt: config["include_prompt"] !== false,
        width: Number(config["word_embedding_dimension"] ?? config["embedding_dimension"]),
      };
    }
    case "Dense": {
      const config = await readJson<Json>(file);
      const activation = String(config["activation_function"] ?? ACTIVATION_CLASSES.tanh);
      const known = Object.entries(ACTIVATION_CLASSES).find(([, name]) =>
        name.split(".").at(-1) === activation.split(".").at(-1)
      );
      if (known === undefined) {
        throw new CheckpointError("a dense module has an activation that is not supported", {
          where: file,
          expected: Object.values(ACTIVATION_CLASSES).join(", "),
          found: activation,
        });
      }
      return {
        type: "dense",
        path,
        inFeatures: Number(config["in_features"]),
        outFeatures: Number(config["out_features"]),
        bias: config["bias"] !== false,
        activation: known[0] as keyof typeof ACTIVATION_CLASSES,
      };
    }
    default:
      throw new CheckpointError(`modules of type ${type} are not supported`, {
        where: join(root, "modules.json"),
        expected: "Transformer, Pooling, Dense, Normalize",
        found: type,
      });
  }
}

function poolingModes(config: Json, file: string): PoolingMode[] {
  const given = config["pooling_mode"];
  const names = given === undefined ? [] : Array.isArray(given) ? given : [given];
  const modes = names.length > 0
    ? names.map((name) => name === "mean_sqrt_len_tokens" ? "mean_sqrt_len" : name as PoolingMode)
    : POOLING_KEYS.filter(([key]) => config[key] === true).map(([, mode]) => mode);
  const known = POOLING_KEYS.map(([, mode]) => mode);
  if (modes.length === 0 || modes.some((mode) => !known.includes(mode))) {
    throw new CheckpointError("no pooling that is known", {
      where: file,
      expected: known.join(", "),
      found: modes.join(", "),
    });
  }
  return modes;
}

/** sentence_bert_config.json, else the tokenizer's and the model's own limits. */
async function maxSeqLengthOf(folder: string, config: Json): Promise<number> {
  for (
    const name of [
      "sentence_bert_config.json",
      "sentence_roberta_config.json",
      "sentence_mpnet_config.json",
      "sentence_distilbert_config.json",
      "sentence_xlm-roberta_config.json",
    ]
  ) {
    const { max_seq_length: length } = await readJson<Json>(join(folder, name), true) ?? {};
    if (typeof length === "number") return length;
  }
  return await tokenizerLimit(folder, config);
}

/** Longest sequence as transformers has it: the tokenizer's own limit, and at most the model's positions. */
export async function tokenizerLimit(folder: string, config: Json): Promise<number> {
  const { model_max_length: tokenizerLength } = await readJson<Json>(join(folder, "tokenizer_config.json"), true) ?? {};
  const reserved = ["roberta", "xlm-roberta", "camembert", "mpnet"].includes(String(config["model_type"])) ? 2 : 0;
  const positions = Number(config["max_position_embeddings"] ?? 512) - reserved;
  return Math.min(typeof tokenizerLength === "number" ? tokenizerLength : positions, positions);
}

/** What {@linkcode writeFolder} writes. */
export interface FolderToWrite extends Omit<SentenceTransformerFolder, "path" | "transformerPath"> {
  /** Weights of the transformer. */
  readonly tensors: readonly TensorToWrite[];
  /** Weights of dense modules, by module path. */
  readonly denseTensors: ReadonlyMap<string, readonly TensorToWrite[]>;
  /** Files of the tokenizer, by name. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  /** Text of README.md. */
  readonly modelCard: string;
}

/**
 * Writes a folder in the dialect that every reader knows: classic class names and pooling keys. It appears under its
 * name whole or not at all; one that was there is replaced.
 */
export async function writeFolder(to: string, folder: FolderToWrite): Promise<void> {
  await replaceFolder(to, (temporary) => writeContents(temporary, folder));
}

async function writeContents(path: string, folder: FolderToWrite): Promise<void> {
  const json = (name: string, value: unknown) => writeJson(join(path, name), value);
  const modules: Json[] = [{ idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" }];
  for (const spec of folder.modules) {
    const idx = modules.length;
    const kind = { pooling: "Pooling", dense: "Dense", normalize: "Normalize" }[spec.type];
    const modulePath = spec.type === "dense" ? spec.path : `${idx}_${kind}`;
    modules.push({ idx, name: `${idx}`, path: modulePath, type: `sentence_transformers.models.${kind}` });
    if (spec.type === "pooling") {
      const flags = POOLING_KEYS.map(([key, mode]) => [key, spec.modes.includes(mode)]);
      // Flags cannot say which mode comes first: modes in another order than theirs are named as version 6 names them.
      const inOrder = POOLING_KEYS.map(([, mode]) => mode).filter((mode) => spec.modes.includes(mode));
      const isOrdered = spec.modes.join() === inOrder.join();
      await json(`${modulePath}/config.json`, {
        word_embedding_dimension: spec.width,
        ...Object.fromEntries(flags),
        ...(!isOrdered && { pooling_mode: spec.modes.map((m) => m === "mean_sqrt_len" ? "mean_sqrt_len_tokens" : m) }),
        include_prompt: spec.includePrompt,
      });
    } else if (spec.type === "dense") {
      await json(`${modulePath}/config.json`, {
        in_features: spec.inFeatures,
        out_features: spec.outFeatures,
        bias: spec.bias,
        activation_function: ACTIVATION_CLASSES[spec.activation],
      });
      await writeSafetensors(join(path, modulePath, "model.safetensors"), folder.denseTensors.get(spec.path) ?? []);
    } else await Deno.mkdir(join(path, modulePath), { recursive: true });
  }
  await json("modules.json", modules);
  await json("config_sentence_transformers.json", {
    __version__: { sentence_transformers: "3.0.1", transformers: "4.41.2", pytorch: "2.3.1" },
    default_prompt_name: folder.defaultPromptName ?? null,
    prompts: folder.prompts,
    similarity_fn_name: folder.similarity,
  });
  await json("sentence_bert_config.json", { max_seq_length: folder.maxSeqLength, do_lower_case: false });
  await json("config.json", folder.config);
  await writeTokenizer(path, folder.tokenizerFiles, folder.maxSeqLength);
  await Deno.writeTextFile(join(path, "README.md"), folder.modelCard);
  await writeSafetensors(join(path, "model.safetensors"), folder.tensors);
}
