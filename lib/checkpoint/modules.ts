/**
 * What may follow the transformer in a sentence-transformers folder: `modules.json` and the folder of each module.
 *
 * @module
 */
import { isAbsolute, join, normalize } from "node:path";
import type { PoolingMode } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import { readJson, writeJson } from "./folder.ts";
import { isOriginalJinaV3 } from "./jina_v3.ts";
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
    readonly activation: DenseActivation;
  }
  | { readonly type: "normalize" };

/** Features of an embedding after these modules; `hidden`: those of a token, where a folder's pooling does not say them. */
export function embeddingWidth(modules: readonly ModuleSpec[], hidden?: number): number {
  return modules.reduce(
    (width, spec) =>
      spec.type === "pooling"
        ? (hidden ?? spec.width) * spec.modes.length
        : spec.type === "dense"
        ? spec.outFeatures
        : width,
    hidden ?? 0,
  );
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
/** Functions that a dense layer may apply. */
export type DenseActivation = "tanh" | "identity" | "gelu" | "relu" | "silu" | "sigmoid" | "leakyRelu";

const ACTIVATION_CLASSES: Readonly<Record<DenseActivation, string>> = {
  tanh: "torch.nn.modules.activation.Tanh",
  identity: "torch.nn.modules.linear.Identity",
  gelu: "torch.nn.modules.activation.GELU",
  relu: "torch.nn.modules.activation.ReLU",
  silu: "torch.nn.modules.activation.SiLU",
  sigmoid: "torch.nn.modules.activation.Sigmoid",
  leakyRelu: "torch.nn.modules.activation.LeakyReLU",
};

/** What reads a text: a transformer, a table of static embeddings, whose mean is the text's, or one of word vectors. */
export type InputKind = "transformer" | "static" | "words";

const INPUT_CLASSES: Readonly<Record<InputKind, string>> = {
  transformer: "Transformer",
  static: "StaticEmbedding",
  words: "WordEmbeddings",
};

/** `modules.json`: the folder of the transformer, and of each module after it with its class. */
export interface ModuleList {
  /** What reads a text. */
  readonly input: InputKind;
  /** Folder of the transformer within the model's, "" for itself. */
  readonly transformerPath: string;
  /** The others, in order. */
  readonly others: readonly { readonly type: string; readonly path: string }[];
}

/** Reads `modules.json`; a folder without one is a transformer alone. */
export async function readModuleList(path: string): Promise<ModuleList> {
  const where = join(path, "modules.json");
  const list = await readJson<readonly Json[]>(where, true) ?? [{ path: "", type: `${PACKAGE}models.Transformer` }];
  if (!(Array.isArray(list) && list.every((spec) => typeof spec?.type === "string"))) {
    throw new CheckpointError("the list of modules is damaged", { where, expected: "a list of {type, path}" });
  }
  const hasOwnCode = list[0]?.["type"] === JINA_CODE && await isJina(join(path, String(list[0]["path"] ?? "")));
  const [first, ...others] = list.map((spec: Json, i) => {
    const inside = normalize(String(spec["path"] ?? ""));
    if (isAbsolute(inside) || inside.split(/[/\\]/).includes("..")) {
      throw new CheckpointError("a module lies outside the model's folder", { where, found: String(spec["path"]) });
    }
    const type = i === 0 && hasOwnCode ? INPUT_CLASSES.transformer : typeName(String(spec["type"]), where);
    return { path: inside === "." ? "" : inside, type };
  });
  const kinds = Object.keys(INPUT_CLASSES) as InputKind[];
  const input = kinds.find((kind) => INPUT_CLASSES[kind] === first?.type);
  if (first === undefined || input === undefined) {
    throw new CheckpointError("the first module is not a transformer", {
      where,
      expected: "Transformer, StaticEmbedding or WordEmbeddings",
      found: first?.type ?? "no modules",
    });
  }
  return { input, transformerPath: first.path, others };
}

const PACKAGE = "sentence_transformers.";
/** Python code of jina-embeddings-v3's own, which chooses a task's adapter and is a Transformer beyond that. */
const JINA_CODE = "custom_st.Transformer";

const isJina = async (weights: string) =>
  isOriginalJinaV3(await readJson<Json>(join(weights, "config.json"), true) ?? {});

/** The name of a class of sentence-transformers: that module's path has changed over its versions. */
function typeName(type: string, where: string): string {
  if (!type.startsWith(PACKAGE)) {
    throw new CheckpointError(`modules of type ${type} are not supported`, {
      where,
      expected: `a class of ${PACKAGE.slice(0, -1)}`,
      found: type,
      hint: "the model brings Python code of its own, which is not run",
    });
  }
  return type.split(".").at(-1)!;
}

/**
 * Reads the modules after the transformer, whose tokens have `width` features. Where none of them pools, the mean is
 * taken first, as sentence-transformers does with a plain checkpoint.
 */
export async function readModules(
  root: string,
  list: ModuleList["others"],
  width: number,
): Promise<readonly ModuleSpec[]> {
  const modules: ModuleSpec[] = [];
  if (!list.some(({ type }) => type === "Pooling")) {
    modules.push({ type: "pooling", modes: ["mean"], includePrompt: true, width });
  }
  let features = modules.length === 0 ? undefined : width;
  for (const { type, path } of list) {
    const spec = await readModule(root, path, type);
    const where = join(root, path, "config.json");
    if (spec.type !== "pooling" && features === undefined) {
      throw new CheckpointError(`a module of type ${type} before pooling is not supported`, {
        where: join(root, "modules.json"),
        expected: "Transformer, Pooling, then the others",
      });
    }
    const [wanted, found] = spec.type === "pooling"
      ? [width, spec.width]
      : spec.type === "dense"
      ? [features, spec.inFeatures]
      : [];
    if (wanted !== found) {
      throw new CheckpointError(`the ${spec.type} module does not fit what comes before it`, {
        where,
        expected: `${wanted} features`,
        found: `${found}`,
      });
    }
    features = spec.type === "pooling"
      ? width * spec.modes.length
      : spec.type === "dense"
      ? spec.outFeatures
      : features;
    modules.push(spec);
  }
  return modules;
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
        width: size(config, ["word_embedding_dimension", "embedding_dimension"], file),
      };
    }
    case "Dense": {
      const config = await readJson<Json>(file);
      const activation = String(config["activation_function"] ?? ACTIVATION_CLASSES.tanh);
      const known = Object.entries(ACTIVATION_CLASSES).find(([, name]) =>
        activation.startsWith("torch.nn.") && name.split(".").at(-1) === activation.split(".").at(-1)
      );
      if (known === undefined) {
        throw new CheckpointError("a dense module has an activation that is not supported", {
          where: file,
          expected: Object.values(ACTIVATION_CLASSES).join(", "),
          found: activation,
        });
      }
      const between = [config["module_input_name"], config["module_output_name"]];
      if (
        config["use_residual"] === true || between.some((key) => (key ?? "sentence_embedding") !== "sentence_embedding")
      ) {
        throw new CheckpointError("a dense module of this kind is not supported", {
          where: file,
          expected: "from and to sentence_embedding, without a residual",
          found: JSON.stringify(config),
        });
      }
      return {
        type: "dense",
        path,
        inFeatures: size(config, ["in_features"], file),
        outFeatures: size(config, ["out_features"], file),
        bias: config["bias"] !== false,
        activation: known[0] as DenseActivation,
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

function size(config: Json, names: readonly string[], where: string): number {
  const value = names.map((name) => config[name]).find((found) => found !== undefined);
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw new CheckpointError("the module's configuration is incomplete", {
    where,
    expected: `a number for ${names.join(" or ")}`,
    found: JSON.stringify(value) ?? "nothing",
  });
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

/** Writes `modules.json` and the folders of the modules: classic names of classes and keys, which every reader knows. */
export async function writeModules(
  path: string,
  input: InputKind,
  specs: readonly ModuleSpec[],
  denseTensors: ReadonlyMap<string, readonly TensorToWrite[]>,
): Promise<void> {
  const json = (name: string, value: unknown) => writeJson(join(path, name), value);
  const first = { idx: 0, name: "0", path: "", type: `sentence_transformers.models.${INPUT_CLASSES[input]}` };
  const modules: Json[] = [first];
  for (const spec of specs) {
    if (input === "static" && spec.type === "pooling") continue; // the mean is its own
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
      await writeSafetensors(join(path, modulePath, "model.safetensors"), denseTensors.get(spec.path) ?? []);
    } else await Deno.mkdir(join(path, modulePath), { recursive: true });
  }
  await json("modules.json", modules);
}
