/**
 * Distillation: a smaller student learns to embed plain texts as its teacher does, or translations where the teacher has
 * their sources.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt, attemptSync } from "../lib/attempt.ts";
import type { Pairs } from "../lib/data/dataset.ts";
import { UsageError } from "../lib/error.ts";
import type { EmbeddingDistance } from "../lib/loss/mod.ts";
import { folderFacts } from "../lib/pipeline/card.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { evaluationOfTexts, partsOf } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { type Invocation, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { settingsLeft } from "../lib/pipeline/recipe.ts";
import { summary } from "../lib/pipeline/report.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { modelShape, number, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { trainStudent } from "../lib/pipeline/stages/distill.ts";
import { evaluateModel } from "../lib/pipeline/stages/evaluate.ts";
import { keepLayers } from "../lib/pipeline/stages/keep_layers.ts";
import { loadFlatTexts, loadPairsOrNli } from "../lib/pipeline/stages/load.ts";
import { asTriplets } from "../lib/pipeline/stages/rows.ts";
import { beforeAndAfter, sampleModel } from "../lib/pipeline/training.ts";
import type { CountedDataset } from "../lib/stage/artifact.ts";
import { model } from "../lib/stage/roots.ts";
import { type Artifact, valueOf } from "../lib/stage/stage.ts";

/** Texts, and what the student is measured by: parallel sentences are held out and found again, plain texts are not. */
const data = Effect.fnUntraced(function* (invocation: Invocation) {
  if (invocation.values["parallel"] !== true) {
    const texts = yield* loadFlatTexts(trainSource(invocation));
    return { texts, ...yield* evaluationOfTexts(invocation, "train") };
  }
  if (invocation.values["train"] === undefined) {
    return yield* Effect.fail(
      new UsageError("the sample has no translations", { hint: "--train FILE with columns anchor and positive" }),
    );
  }
  const pairs = yield* loadPairsOrNli(trainSource(invocation));
  const { train, evaluation, warnings } = yield* partsOf(invocation, pairs, "retrieval");
  const texts = yield* asTriplets(train, { negatives: "none", seed: number(invocation.values, "seed") });
  return { texts: texts as Artifact<CountedDataset<Pairs>>, evaluation, warnings };
});

/** The command: load → keep-layers → guide → tokenize → train → evaluate. */
export const command: Command = {
  name: "distillation",
  summary: "trains a smaller student to embed texts as its teacher does",
  flags: [...TRAINING, "teacher", "layers", "parallel", "imitate", ...MATRYOSHKA],
  meanings: {
    "model": "encoder that the student is made of: a folder or a model of the hub",
    "teacher": "encoder whose embeddings are the aim; default: --model with all its layers",
    "columns": "the column of the texts: text=answer; with --parallel anchor=SOURCE,positive=TRANSLATION",
  },
  presets: trainingPresets({
    all: { "imitate": "mse" },
    sample: { "limit": 20_000, "layers": "0" },
    chapter: { "limit": 25_000 },
    test: { "limit": 200, "layers": "0" },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const { texts, evaluation, warnings } = yield* data(invocation);
    // The sample has no sentence encoder but the one that its own multiple-negatives example makes.
    const base = values["model"] === undefined ? yield* sampleModel(invocation) : yield* model(text(values, "model"));
    const teacher = values["teacher"] === undefined ? base : yield* model(text(values, "teacher"));
    const layers = text(values, "layers")?.split(",").map((layer) => layer.trim() === "" ? NaN : Number(layer));
    if (layers === undefined && teacher === base) {
      return yield* Effect.fail(
        new UsageError("the student would be its teacher", { hint: "--layers 0,2,5, or --teacher MODEL" }),
      );
    }
    const student = layers === undefined ? base : yield* keepLayers({ model: base }, { layers }, "student");
    const widthOf = Effect.fnUntraced(function* ({ folder }: { readonly folder: string }) {
      return (yield* attempt(() => folderFacts(folder)))["features of an embedding"] as number;
    });
    const [wide, narrow] = [yield* widthOf(yield* valueOf(teacher)), yield* widthOf(yield* valueOf(student))];
    const shape = yield* attemptSync(() => modelShape(values));
    const matryoshka = yield* matryoshkaOf(values, student);
    const run = yield* beforeAndAfter(evaluation, student, shape, { dimensions: matryoshka?.dimensions });
    const taught = evaluation &&
      (yield* evaluateModel({ model: teacher, rows: evaluation.rows }, { kind: evaluation.kind }, "evaluate-teacher"));
    const trained = yield* trainStudent({ teacher, student, texts, ...(evaluation && { eval: evaluation.rows }) }, {
      settings: settingsLeft(values),
      freeze: text(values, "freeze"),
      matryoshka,
      ...shape,
      ...(evaluation && { evaluation: { kind: evaluation.kind } }),
      distance: {
        distance: text(values, "imitate") as EmbeddingDistance,
        target: values["parallel"] === true ? "first" : "each",
        ...(wide !== narrow && { projection: wide }),
      },
    }, "train");
    const main = yield* run(trained);
    const [before, after, aim] = [
      main.before && (yield* valueOf(main.before)).metrics,
      main.after && (yield* valueOf(main.after)).metrics,
      taught && (yield* valueOf(taught)).metrics,
    ];
    return yield* finish(invocation, output, {
      data: texts,
      evaluation,
      warnings,
      runs: { main },
      loss: `embeddings of the teacher, by ${text(values, "imitate")} (Reimers & Gurevych 2020, arXiv 2004.09813)`,
      ...(aim !== undefined && {
        tables: [{
          title: "The student beside its teacher",
          columns: ["metric", "student before", "student", "teacher"],
          rows: Object.keys(aim).map((key) => [key, before?.[key] ?? null, after?.[key] ?? null, aim[key]!] as const),
        }],
      }),
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
