/**
 * The folder of a cross-encoder: a Hugging Face checkpoint of a sequence classifier, with what sentence-transformers'
 * CrossEncoder adds to it.
 *
 * Two dialects are read. The classic one is a plain checkpoint whose `config.json` names the activation (version 4:
 * `sentence_transformers.activation_fn`; before: `sbert_ce_default_activation_function`). Version 6 has `modules.json`
 * and `config_sentence_transformers.json` beside it. The classic one is written, which every version loads; prompts
 * exist in the other one alone, so a model with prompts gets its files too.
 *
 * @module
 */
import { join } from "node:path";
import { CheckpointError } from "../error.ts";
import { readJson, replaceFolder, withoutWeightType, writeJson, writeTokenizer } from "./folder.ts";
import { type TensorToWrite, writeSafetensors } from "./safetensors.ts";
import { readFolder, tokenizerLimit } from "./sentence_transformers.ts";

/** What is done to logits when scores are predicted. */
export type ScoreActivation = "identity" | "sigmoid" | "tanh";

/** What a folder says about its cross-encoder, without its weights. */
export interface CrossEncoderFolder {
  /** Folder of the transformer's weights, for {@linkcode openWeights}. */
  readonly weights: string;
  /** Folder of the tokenizer's files. */
  readonly tokenizer: string;
  /** `config.json` of the transformer. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it has a classifier; if not, it is a model to start from. */
  readonly isClassifier: boolean;
  /** How many labels the configuration names, if it names any. */
  readonly labels: number | undefined;
  /** The activation of scores, as the folder names it: a class of torch. */
  readonly activation: string | undefined;
  /** Longest sequence in tokens, special ones included. */
  readonly maxSeqLength: number;
  /** Texts put before the first text of a pair, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Which of them is used when none is asked for. */
  readonly defaultPromptName: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const ACTIVATIONS: Readonly<Record<ScoreActivation, string>> = {
  identity: "torch.nn.modules.linear.Identity",
  sigmoid: "torch.nn.modules.activation.Sigmoid",
  tanh: "torch.nn.modules.activation.Tanh",
};

/**
 * Reads the folder of a cross-encoder, of a bi-encoder, or of any other checkpoint of a supported encoder. A bi-encoder's
 * own limit of length is for one text, and does not count.
 *
 * @param path The folder.
 * @returns Its configuration, labels, prompts and files, without the weights: those are for {@linkcode openWeights}.
 * @throws {CheckpointError} A file is missing, cannot be read, or says what is not supported.
 */
export async function readCrossEncoderFolder(path: string): Promise<CrossEncoderFolder> {
  const general = await readJson<Json>(join(path, "config_sentence_transformers.json"), true) ?? {};
  const isCrossEncoder = general["model_type"] === "CrossEncoder";
  if (isCrossEncoder) {
    const modules = await readJson<readonly Json[]>(join(path, "modules.json"), true) ?? [];
    if (modules.length > 1) {
      throw new CheckpointError("cross-encoders of several modules are not supported", {
        where: join(path, "modules.json"),
        expected: "one module, a sequence classifier",
        found: modules.map((module) => String(module["type"]).split(".").at(-1)).join(", "),
      });
    }
  }
  const { weights, tokenizer, config, maxSeqLength, prompts, defaultPromptName } = await readFolder(path);
  const architectures = Array.isArray(config["architectures"]) ? config["architectures"] : [];
  const isClassifier = architectures.some((name) => String(name).endsWith("ForSequenceClassification"));
  const block = config["sentence_transformers"] as Json | undefined;
  const activation = general["activation_fn"] ?? block?.["activation_fn"] ??
    config["sbert_ce_default_activation_function"];
  return {
    weights,
    tokenizer,
    config,
    isClassifier,
    labels: isClassifier ? labelsOf(config) : undefined,
    activation: typeof activation === "string" ? activation : undefined,
    maxSeqLength: isCrossEncoder || isClassifier ? maxSeqLength : await tokenizerLimit(tokenizer, config),
    prompts: isCrossEncoder ? prompts : {},
    defaultPromptName: isCrossEncoder ? defaultPromptName : undefined,
  };
}

/**
 * The class that means that two texts are similar: the one that is named after entailment, of two classes without such names
 * the second, as a score is the only one.
 *
 * @param config `config.json` of a cross-encoder.
 * @param labels How many classes it has; 1 for a score.
 * @returns Its number; undefined where nothing says which.
 */
export function similarClass(config: Json, labels: number): number | undefined {
  if (labels === 1) return 0;
  const names = Object.entries(config["id2label"] ?? {});
  const named = names.find(([, name]) => /^(entail|similar|paraphrase|duplicate)/i.test(String(name)));
  return named !== undefined ? Number(named[0]) : labels === 2 ? 1 : undefined;
}

/** As transformers counts them: names, else a number, else two. */
function labelsOf(config: Json): number {
  const names = config["id2label"];
  if (names !== null && typeof names === "object") return Object.keys(names).length;
  const number = config["num_labels"] ?? config["_num_labels"];
  return typeof number === "number" ? number : 2;
}

/** The activation of a class of torch; without one, sigmoid for one label and none for several. */
export function parseActivation(name: string | undefined, labels: number, where: string): ScoreActivation {
  if (name === undefined) return labels === 1 ? "sigmoid" : "identity";
  const known = (Object.keys(ACTIVATIONS) as ScoreActivation[]).find((each) =>
    ACTIVATIONS[each].split(".").at(-1) === name.split(".").at(-1)
  );
  if (known === undefined) {
    throw new CheckpointError("the activation of the scores is not supported", {
      where,
      expected: Object.values(ACTIVATIONS).join(", "),
      found: name,
      hint: "load the model with an activation of your own choice",
    });
  }
  return known;
}

/** What {@linkcode writeCrossEncoderFolder} writes. */
export interface CrossEncoderToWrite {
  /** `config.json` as it was read. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The class of transformers. */
  readonly architecture: string;
  /** How many labels. */
  readonly labels: number;
  /** What is done to logits. */
  readonly activation: ScoreActivation;
  /** Longest sequence in tokens. */
  readonly maxSeqLength: number;
  /** Texts put before the first text of a pair, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Which of them is used when none is asked for. */
  readonly defaultPromptName: string | undefined;
  /** All weights. */
  readonly tensors: readonly TensorToWrite[];
  /** Files of the tokenizer, by name. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  /** Text of README.md. */
  readonly modelCard: string;
}

/**
 * Writes the folder of a cross-encoder, whole or not at all. One that was there is replaced; files of others in it
 * stay.
 *
 * @param to The folder.
 * @param model Configuration, tokenizer, tensors.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 */
export async function writeCrossEncoderFolder(to: string, model: CrossEncoderToWrite): Promise<void> {
  const { maxSeqLength, prompts, defaultPromptName } = model;
  await replaceFolder(to, async (path) => {
    await writeJson(join(path, "config.json"), configToWrite(model));
    await writeTokenizer(path, model.tokenizerFiles, maxSeqLength);
    await Deno.writeTextFile(join(path, "README.md"), model.modelCard);
    if (Object.keys(prompts).length > 0) {
      await writeJson(join(path, "modules.json"), [
        { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
      ]);
      await writeJson(join(path, "sentence_bert_config.json"), {
        transformer_task: "sequence-classification",
        modality_config: { text: { method: "forward", method_output_name: "logits" } },
        module_output_name: "scores",
      });
      await writeJson(join(path, "config_sentence_transformers.json"), {
        model_type: "CrossEncoder",
        activation_fn: ACTIVATIONS[model.activation],
        default_prompt_name: defaultPromptName ?? null,
        prompts,
      });
    }
    await writeSafetensors(join(path, "model.safetensors"), model.tensors);
  });
}

/** Names of labels are kept where their number is right. */
function configToWrite({ config, architecture, labels, activation }: CrossEncoderToWrite): Json {
  const { num_labels: _1, _num_labels: _2, ...rest } = withoutWeightType(config);
  const named = config["id2label"] !== undefined && labelsOf(config) === labels;
  const names = Array.from({ length: labels }, (_, i) => `LABEL_${i}`);
  return {
    ...rest,
    architectures: [architecture],
    ...(!named && {
      id2label: Object.fromEntries(names.map((name, i) => [String(i), name])),
      label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    }),
    sentence_transformers: { activation_fn: ACTIVATIONS[activation], version: "4.0.1" },
    sbert_ce_default_activation_function: ACTIVATIONS[activation],
  };
}
