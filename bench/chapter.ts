/**
 * The chapter's seven settings, each by its pipeline's own command, beside the book's printed results and, where its
 * numbers are given, sentence-transformers on the same base, rows and settings.
 *
 * ```sh
 * deno run -A bench/chapter.ts                                   # the book's own base, rows and settings, from the hub
 * deno run -A bench/chapter.ts --model DIR --train SRC --eval SRC --limit 960 --gold-size 480 --tsdae-limit 480 \
 *   --warmup-steps 3 --cross-learning-rate 1e-4 --cross-epochs 3 --reference FILE.jsonl
 * ```
 *
 * `--reference` is what `chapter_sentence_transformers.py` wrote for the same flags. `--banking77 DIR` is a folder with
 * the data of that task as its authors give it (train.csv, test.csv: text, category); without it, the hub. `--only softmax,tsdae` runs some of them; `--write` appends to RESULTS.md.
 *
 * @module
 */
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    "model": { type: "string" },
    "train": { type: "string" },
    "eval": { type: "string" },
    "limit": { type: "string" },
    "gold-size": { type: "string" },
    "tsdae-limit": { type: "string" },
    "warmup-steps": { type: "string" },
    "cross-learning-rate": { type: "string" },
    "cross-epochs": { type: "string" },
    "seeds": { type: "string", default: "1,2,3" },
    "reference": { type: "string" },
    "banking77": { type: "string" },
    "only": { type: "string" },
    "cache-dir": { type: "string" },
    "write": { type: "boolean", default: false },
  },
});

interface Setting {
  readonly name: string;
  readonly pipeline: string;
  /** Its name in the reference. */
  readonly key: string;
  /** Spearman correlation of cosines as printed, and its spread in the notebook's re-runs. */
  readonly book: number;
  readonly spread: readonly [number, number];
  readonly flags: readonly string[];
}

const given = (...flags: readonly (keyof typeof values)[]) =>
  flags.flatMap((flag) => values[flag] === undefined ? [] : [`--${flag}`, String(values[flag])]);
const common = given("model", "eval", "warmup-steps");
const rows = [...given("train", "limit"), ...common];
const gold = values.train === undefined ? [] : ["--gold", values.train];
const corpus = values["tsdae-limit"] === undefined ? given("limit") : ["--limit", values["tsdae-limit"]];

const SETTINGS: readonly Setting[] = [
  { name: "softmax", pipeline: "softmax_nli", key: "softmax", book: 0.60267, spread: [0.45148, 0.62909], flags: rows },
  {
    name: "cosine similarity",
    pipeline: "cosine_similarity",
    key: "cosine",
    book: 0.72505,
    spread: [0.72506, 0.72912],
    flags: rows,
  },
  {
    name: "multiple negatives",
    pipeline: "multiple_negatives_ranking",
    key: "mnr",
    book: 0.81211,
    spread: [0.80369, 0.81186],
    flags: rows,
  },
  {
    name: "fine-tuning, as printed",
    pipeline: "supervised_finetune",
    key: "finetune",
    book: 0.84847,
    spread: [0.84847, 0.84891],
    flags: [...rows, "--as-printed"],
  },
  {
    name: "Augmented SBERT",
    pipeline: "augmented_sbert",
    key: "augmented",
    book: 0.72105,
    spread: [0.70954, 0.71397],
    // As the book does it: nothing is asked of the judge, and the last weights are kept.
    flags: [
      ...gold,
      ...given("limit", "gold-size", "cross-learning-rate", "cross-epochs"),
      ...["--gold-hold-out", "0"],
      ...common,
    ],
  },
  {
    name: "TSDAE",
    pipeline: "tsdae",
    key: "tsdae",
    book: 0.71369,
    spread: [0.73199, 0.73199],
    flags: [...given("train"), ...corpus, ...common],
  },
];

const cache = values["cache-dir"] ?? await Deno.makeTempDir({ prefix: "kindred-chapter-" });
const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(`${text}\n`));
const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const show = (x: number | undefined) => x === undefined || Number.isNaN(x) ? "–" : x.toFixed(4);
const signed = (x: number) => Number.isNaN(x) ? "–" : `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(4)}`;

async function run(pipeline: string, flags: readonly string[]) {
  const output = await Deno.makeTempDir({ prefix: "kindred-chapter-" });
  const command = ["run", "-A", `pipelines/${pipeline}.ts`, "--json", "--quiet", "--cache-dir", cache];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...command, "--output", `${output}/out`, ...flags],
    stderr: "inherit",
  }).output();
  const report = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.remove(output, { recursive: true });
  if (code !== 0) throw new Error(`${pipeline}: ${report.error.message} ${report.error.hint ?? ""}`);
  return report;
}

const reference = new Map<string, number[]>();
if (values.reference !== undefined) {
  for (const line of (await Deno.readTextFile(values.reference)).trim().split("\n")) {
    const { setting, spearman_cosine, control } = JSON.parse(line);
    reference.set(setting, [...reference.get(setting) ?? [], spearman_cosine]);
    if (control !== undefined) reference.set("control", [...reference.get("control") ?? [], control]);
  }
}

const seeds = values.seeds.split(",");
const lines = [
  "| setting | book | re-runs of the notebook | ours, mean | seeds | ours − book | sentence-transformers | ours − theirs |",
  "| ------- | ---- | ----------------------- | ---------- | ----- | ----------- | --------------------- | ------------- |",
];
const add = (name: string, book: number, spread: string, ours: readonly number[], theirs: readonly number[]) => {
  const seeds = ours.map((x) => x.toFixed(4)).join(" ");
  const [own, other] = [mean(ours), mean(theirs)];
  lines.push(
    `| ${name} | ${show(book)} | ${spread} | ${show(own)} | ${seeds} | ${signed(own - book)} | ${show(other)} | ${
      signed(own - other)
    } |`,
  );
  say(lines.at(-1)!);
};
say(lines.join("\n"));
for (const { name, pipeline, key, book, spread, flags } of SETTINGS) {
  if (values.only !== undefined && !values.only.split(",").includes(key)) continue;
  const reports = [];
  for (const seed of seeds) reports.push(await run(pipeline, ["--preset", "chapter", "--seed", seed, ...flags]));
  const after = reports.map(({ metrics }) => metrics.spearman_cosine as number);
  const [low, high] = spread;
  add(name, book, low === high ? show(low) : `${show(low)} … ${show(high)}`, after, reference.get(key) ?? []);
  if (key === "augmented") {
    const controls = reports.map(({ control }) => control.metrics.spearman_cosine as number);
    add("its control, gold alone", NaN, "0.6476 … 0.6525", controls, reference.get("control") ?? []);
    const equal = reports.map((report) => report.control_equal_steps.metrics.spearman_cosine as number);
    add("its control, equal steps", NaN, "–", equal, []);
  }
}
if (values.only === undefined || values.only.split(",").includes("banking77")) {
  const data = values.banking77 === undefined ? [] : ["--data", values.banking77, "--columns", "label=category"];
  const model = values.model ?? "google-bert/bert-base-uncased";
  const { tasks } = await run("mteb", ["--model", model, "--tasks", "Banking77Classification", ...data]);
  // The book scores its softmax model; here it is the base itself, whose accuracy mteb gives too.
  const accuracy = tasks[0].value as number;
  add("Banking77, accuracy of the base", 0.49263, "0.4602", [accuracy], []);
}
if (values.write) {
  const path = new URL("RESULTS.md", import.meta.url);
  const about = `Base ${values.model?.split("/").at(-1) ?? "bert-base-uncased"}, ${
    values.limit ?? "50000"
  } rows, seeds ${seeds.join(", ")}: spearman_cosine on the STS benchmark's validation pairs.`;
  await Deno.writeTextFile(path, `\n## The chapter's settings\n\n${about}\n\n${lines.join("\n")}\n`, { append: true });
}
if (values["cache-dir"] === undefined) await Deno.remove(cache, { recursive: true });
