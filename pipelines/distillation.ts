/**
 * Distillation: a smaller student learns to embed plain texts as its teacher does, or translations where the teacher has
 * their sources.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../lib/attempt.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import type { Columns } from "../lib/data/rows.ts";
import { UsageError } from "../lib/error.ts";
import type { EmbeddingDistance } from "../lib/loss/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { type BetweenWidths, teacherAndStudent } from "../lib/pipeline/distillation.ts";
import { blind, cut, type EvaluationSet, givenEvaluation, type Parts, partsOf } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { type Invocation, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { settingsLeft } from "../lib/pipeline/recipe.ts";
import { summary } from "../lib/pipeline/report.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { isOwn, modelShape, number, numberList, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { trainStudent } from "../lib/pipeline/stages/distill.ts";
import { evaluateModel } from "../lib/pipeline/stages/evaluate.ts";
import { loadFlatTexts, loadPairsOrNli, type Texts } from "../lib/pipeline/stages/load.ts";
import { asTriplets } from "../lib/pipeline/stages/rows.ts";
import { beforeAndAfter, metricsTable, sampleModel } from "../lib/pipeline/training.ts";
import type { CountedDataset } from "../lib/stage/artifact.ts";
import { model } from "../lib/stage/roots.ts";
import { type Artifact, valueOf } from "../lib/stage/stage.ts";

/** What is trained on, and what the student is measured by, where no rows of `--eval` are. */
type Material = Pick<Parts<Columns>, "evaluation" | "beside" | "warnings"> & {
  readonly texts: Artifact<CountedDataset<Columns>>;
};

/** Plain texts: those that are held out are compared with the teacher's embeddings of them. */
const plainTexts = Effect.fnUntraced(function* (invocation: Invocation) {
  const { values } = invocation;
  const all = (yield* loadFlatTexts(trainSource(invocation))) as Artifact<Dataset<Columns>> as Material["texts"];
  const own = isOwn(values);
  const given = values["eval"] !== undefined || !own ? yield* givenEvaluation(invocation, "similarity") : undefined;
  if (given !== undefined && values["hold-out"] === undefined) {
    return { texts: all, evaluation: given, beside: undefined, warnings: [] };
  }
  const { train, heldOut, warnings } = yield* cut(invocation, all);
  const source = text(values, "train") ?? "sample";
  const held = heldOut && { kind: "imitation" as const, rows: heldOut, source, heldOut: true };
  return {
    texts: train,
    evaluation: given ?? held,
    beside: given && held,
    warnings: given === undefined ? warnings : [],
  };
});

/** Translations: those that are held out must lie nearest to their sources, and where the teacher has these. */
const parallelTexts = Effect.fnUntraced(function* (invocation: Invocation) {
  const { values } = invocation;
  if (values["train"] === undefined) {
    return yield* Effect.fail(
      new UsageError("the sample has no translations", { hint: "--train FILE with columns anchor and positive" }),
    );
  }
  const pairs = yield* loadPairsOrNli(trainSource(invocation));
  const { train, evaluation, beside, warnings } = yield* partsOf(invocation, pairs, "retrieval");
  const texts = yield* asTriplets(train, { negatives: "none", seed: number(values, "seed") });
  const found = (set: EvaluationSet | undefined) =>
    set?.kind === "retrieval" ? { ...set, kind: "translation" as const } : set;
  return {
    texts: texts as Artifact<Dataset<Columns>> as Material["texts"],
    evaluation: found(evaluation),
    beside: found(beside),
    warnings,
  };
});

/** The command: load → keep-layers → guide → tokenize → train → evaluate. */
export const command: Command = {
  name: "distillation",
  summary: "trains a smaller student to embed texts as its teacher does",
  flags: [...TRAINING, "teacher", "layers", "between", "parallel", "imitate", ...MATRYOSHKA],
  meanings: {
    "model": "encoder that the student is made of: a folder or a model of the hub",
    "teacher": "encoder whose embeddings are the aim; default: --model with all its layers",
    "hold-out":
      "texts or translations, or a share of them, that are kept for evaluation: by their distance to the teacher's " +
      "embeddings, translations also by finding each other; 0: none; default: a tenth of data of your own, 1,000 at most, " +
      "where there is no --eval",
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
    const parallel = values["parallel"] === true;
    const material: Material = yield* parallel ? parallelTexts(invocation) : plainTexts(invocation);
    const { texts, warnings } = material;
    // The sample has no sentence encoder but the one that its own multiple-negatives example makes.
    const base = values["model"] === undefined ? yield* sampleModel(invocation) : yield* model(text(values, "model"));
    const { teacher, student, projection } = yield* teacherAndStudent({
      teacher: values["teacher"] === undefined ? base : yield* model(text(values, "teacher")),
      base,
      texts,
    }, {
      layers: yield* attemptSync(() => numberList(values, "layers")),
      between: text(values, "between") as BetweenWidths | undefined,
    });
    const measurable = (set: EvaluationSet | undefined) =>
      set?.kind === "imitation" && projection !== undefined ? undefined : set && { ...set, teacher };
    const [evaluation, beside] = [measurable(material.evaluation), measurable(material.beside)];
    const unmeasured = material.evaluation !== undefined && evaluation === undefined
      ? [blind("teacher and student have embeddings of different widths")]
      : [];
    const shape = yield* attemptSync(() => modelShape(values));
    const matryoshka = yield* matryoshkaOf(values, student);
    const measure = (set: EvaluationSet | undefined, keepBest?: string) =>
      beforeAndAfter(set, student, shape, { dimensions: matryoshka?.dimensions, keepBest });
    const [run, other] = [yield* measure(evaluation, text(values, "keep-best")), yield* measure(beside)];
    const taught = evaluation && (yield* evaluateModel(
      { model: teacher, rows: evaluation.rows, teacher },
      { kind: evaluation.kind },
      "evaluate-teacher",
    ));
    const trained = yield* trainStudent({
      teacher,
      student,
      texts: texts as Artifact<Dataset<Columns>> as Artifact<Dataset<Texts>>,
      ...(evaluation && { eval: evaluation.rows }),
    }, {
      settings: settingsLeft(values),
      freeze: text(values, "freeze"),
      matryoshka,
      ...shape,
      ...(evaluation && { evaluation: { kind: evaluation.kind } }),
      distance: {
        distance: text(values, "imitate") as EmbeddingDistance,
        target: parallel ? "first" : "each",
        ...(projection !== undefined && { projection }),
      },
    }, "train");
    const main = yield* run(trained);
    const [before, after, aim] = [
      main.before && (yield* valueOf(main.before)).metrics,
      main.after && (yield* valueOf(main.after)).metrics,
      taught && (yield* valueOf(taught)).metrics,
    ];
    const tables = [
      ...(aim === undefined ? [] : [{
        title: "The student beside its teacher",
        columns: ["metric", "student before", "student", "teacher"],
        rows: Object.keys(after ?? aim).map((key) =>
          [key, before?.[key] ?? null, after?.[key] ?? null, aim[key] ?? null] as const
        ),
      }]),
      ...(beside ? [yield* metricsTable("Rows that were held out", yield* other(trained))] : []),
    ];
    return yield* finish(invocation, output, {
      data: texts,
      evaluation,
      warnings: [...warnings, ...unmeasured],
      runs: { main },
      loss: `embeddings of the teacher, by ${text(values, "imitate")} (Reimers & Gurevych 2020, arXiv 2004.09813)`,
      ...(tables.length > 0 && { tables }),
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
