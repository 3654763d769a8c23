/**
 * README.md of a trained model.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Loss } from "../loss/loss.ts";
import { loraFacts } from "../model/lora.ts";
import type { Metrics } from "./record.ts";
import type { ResolvedTrainSettings } from "./settings.ts";

/** What the card tells. Texts that come from users stand in it as text, never as markup. */
export interface ModelCard {
  /** What kind of model it is: its tags, and how it is used. Default: a bi-encoder. */
  readonly kind?: ModelKind | undefined;
  /** What it is: the heading. */
  readonly title: string;
  /** Sentences about how it came about. */
  readonly story: string;
  /** Id on the hub of the model that it was trained from, if it has one. */
  readonly baseModel?: string | undefined;
  /** Licence of that model, if it names one. */
  readonly license?: string | undefined;
  /** What the model is: base, pooling, width, longest text, …, by name. */
  readonly facts?: Facts;
  /** Names of the prompts that its texts stand behind, if it has any. */
  readonly prompts?: readonly string[];
  /** What it was worth before and after, and on which rows. */
  readonly evaluation?: { readonly on: string; readonly before: Metrics; readonly after: Metrics } | undefined;
  /** Settings by name. */
  readonly settings: Facts;
  /** What its users should know. */
  readonly warnings?: readonly string[];
}

/** Kinds of models. */
export type ModelKind = "bi-encoder" | "cross-encoder" | "language-model";

/** What the card of each kind says for the hub, and how such a model is used. */
const KINDS: Readonly<
  Record<ModelKind, {
    readonly tags: string;
    readonly task: string;
    readonly library: string;
    readonly typescript: string;
    readonly python: string;
  }>
> = {
  "bi-encoder": {
    tags: "sentence-transformers, sentence-similarity, feature-extraction",
    task: "sentence-similarity",
    library: "sentence-transformers",
    typescript: `import { encode } from "jsr:@kindred/kindred/simple";
const { data, width } = await encode("path/to/this/folder", ["A sentence."]);`,
    python: `from sentence_transformers import SentenceTransformer
SentenceTransformer("path/to/this/folder").encode(["A sentence."])`,
  },
  "cross-encoder": {
    tags: "sentence-transformers, cross-encoder, text-ranking",
    task: "text-ranking",
    library: "sentence-transformers",
    typescript: `import { predict } from "jsr:@kindred/kindred/simple";
const scores = await predict("path/to/this/folder", [["A sentence.", "Another one."]]);`,
    python: `from sentence_transformers import CrossEncoder
CrossEncoder("path/to/this/folder").predict([("A sentence.", "Another one.")])`,
  },
  "language-model": {
    tags: "fill-mask",
    task: "fill-mask",
    library: "transformers",
    typescript: `import { finetune } from "jsr:@kindred/kindred/simple";
await finetune({ model: "path/to/this/folder", anchor: ["…"], positive: ["…"], output: "path/of/a/new/one" });`,
    python: `from transformers import AutoModelForMaskedLM
AutoModelForMaskedLM.from_pretrained("path/to/this/folder")`,
  },
};

/** Values by name; what is undefined is not shown. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/**
 * The text of the card of a model: what it is, how it was trained, what it is worth, how to use it.
 *
 * @param card What is known of it.
 * @returns Markdown, for README.md.
 */
export function modelCard(card: ModelCard): string {
  const { title, story, baseModel, license, facts = {}, evaluation, settings, warnings = [] } = card;
  const kind = card.kind ?? "bi-encoder";
  const { tags, task, library } = KINDS[kind];
  const { typescript, python } = kind === "bi-encoder" && card.prompts?.length ? prompted(card.prompts) : KINDS[kind];
  const parts = [
    [
      "---",
      `tags: [${tags}]`,
      `pipeline_tag: ${task}`,
      `library_name: ${library}`,
      ...baseModel === undefined ? [] : [`base_model: ${JSON.stringify(baseModel)}`],
      ...license === undefined ? [] : [`license: ${JSON.stringify(license)}`],
      "---",
    ].join("\n"),
    `# ${title}`,
    story,
    ...warnings.map((warning) => `> **Warning:** ${plain(warning)}`),
    factTable("model", { ...facts, license }),
  ];
  if (evaluation !== undefined) {
    const rows = Object.keys(evaluation.after).map((key) =>
      [key, shown(evaluation.before[key]), shown(evaluation.after[key])] as const
    );
    parts.push(`On ${plain(evaluation.on)}:`, table(["metric", "before", "after"], rows));
  }
  parts.push(factTable("setting", settings));
  parts.push(`\`\`\`ts\n${typescript}\n\`\`\``, `\`\`\`python\n${python}\n\`\`\``);
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

/** How a model is used that was trained with prompts: without them it is another one. */
function prompted(prompts: readonly string[]): { readonly typescript: string; readonly python: string } {
  const names = prompts.map((name) => JSON.stringify(name).replaceAll("`", "'"));
  return {
    typescript: [
      'import { encode } from "jsr:@kindred/kindred/simple";',
      ...names.map((name) => `await encode("path/to/this/folder", ["A sentence."], { promptName: ${name} });`),
    ].join("\n"),
    python: [
      "from sentence_transformers import SentenceTransformer",
      'model = SentenceTransformer("path/to/this/folder")',
      ...names.map((name) => `model.encode(["A sentence."], prompt_name=${name})`),
    ].join("\n"),
  };
}

function factTable(heading: string, facts: Facts): string {
  const rows = Object.entries(facts).filter(([, value]) => value !== undefined);
  return rows.length === 0 ? "" : table([heading, "value"], rows.map(([name, value]) => [name, String(value)]));
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

const shown = (value: number | undefined) => value === undefined ? "" : value.toFixed(4);

/** A text that Markdown takes for nothing but a text, on one line. */
function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("|", "\\|")
    .replaceAll("`", "'").replaceAll(/\s+/g, " ");
}

/** Hyper-parameters as the card shows them. */
export function shownSettings(settings: ResolvedTrainSettings): Readonly<Record<string, string | number | undefined>> {
  const {
    epochs,
    maxSteps,
    batchSize,
    accumulate,
    learningRate,
    schedule,
    warmupSteps,
    warmupRatio,
    seed,
    weightDecay,
    clip,
  } = settings;
  return {
    epochs: maxSteps === undefined ? epochs : undefined,
    "max steps": maxSteps,
    "batch size": batchSize * accumulate,
    "learning rate": learningRate,
    schedule,
    "warmup steps": warmupSteps,
    "warmup ratio": warmupRatio,
    "weight decay": weightDecay,
    clip,
    seed,
    adapters: settings.lora && loraFacts(settings.lora),
  };
}

/** The card of a model as the train stage leaves it. */
export function trainedCard(loss: Loss, settings: ResolvedTrainSettings, rows: number): string {
  return modelCard({
    title: "A sentence-embedding model",
    story: `Trained by Kindred on ${counted(rows, "row")}, with the loss \`${loss.name}\` (${loss.paper}).`,
    settings: shownSettings(settings),
  });
}
