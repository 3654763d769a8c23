/**
 * Classification: logistic regression on a few embedded rows of each class, ten times.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { DatasetError } from "../../error.ts";
import { accuracy, averagePrecision, precisionRecallF1 } from "../classification.ts";
import { fitLogisticRegression, predictClasses } from "../../numeric/logistic_regression.ts";
import { numpyRandom } from "../../numeric/mersenne_twister.ts";
import { type Columns, labelsOf, numberClasses, textsOf } from "./data.ts";
import { rowsOf } from "../../embed/pairwise.ts";
import type { Embedder } from "./embedder.ts";
import type { TaskScores } from "./result.ts";
import type { ClassificationTask } from "./task.ts";

/** Seed of everything that mteb draws. */
const SEED = 42;

/**
 * Rows of each experiment: the first `perLabel` of each class in a shuffled order. The order is shuffled again for every
 * experiment, by a generator that starts anew: experiment e sees the e-th power of one permutation.
 */
function undersample(labels: ArrayLike<number>, perLabel: number, experiments: number): readonly Int32Array[] {
  const order = Int32Array.from({ length: labels.length }, (_, row) => row);
  return Array.from({ length: experiments }, () => {
    numpyRandom(SEED).shuffle(order);
    const counts = new Map<number, number>();
    return order.filter((row) => {
      const count = counts.get(labels[row]!) ?? 0;
      counts.set(labels[row]!, count + 1);
      return count < perLabel;
    });
  });
}

/** TaskScores of a split: the mean of the experiments, and each of them. */
export async function evaluateClassification(
  embedder: Embedder,
  task: ClassificationTask,
  train: Columns,
  test: Columns,
  warn: (message: string) => void = () => {},
): Promise<TaskScores> {
  const { samples_per_label: perLabel = 8, n_experiments: experiments = 10 } = task;
  const names = [labelsOf(train, "label"), labelsOf(test, "label")] as const;
  const [trainTexts, testTexts] = [textsOf(train, "text"), textsOf(test, "text")];
  const classes = numberClasses(names.flat());
  const [trainLabels, testLabels] = names.map((side) => Int32Array.from(side, (name) => classes.get(name)!)) as [
    Int32Array,
    Int32Array,
  ];
  const counts = new Map<string, number>();
  for (const name of names[0]) counts.set(`${name}`, (counts.get(`${name}`) ?? 0) + 1);
  if (counts.size < 2) {
    throw new DatasetError("a classifier needs at least two classes", {
      where: train.where(0),
      found: `only ${[...counts.keys()][0]}`,
    });
  }
  const few = [...counts].filter(([, count]) => count < perLabel);
  if (few.length > 0) {
    const told = few.slice(0, 3).map(([name, count]) => `${name}: ${count}`).join(", ");
    warn(
      `${task.name}: ${counted(few.length, "class")} with fewer than ${
        counted(perLabel, "row")
      } to train on (${told}): all are taken`,
    );
  }
  const unseen = [...classes.keys()].filter((name) => !counts.has(`${name}`));
  if (unseen.length > 0) {
    warn(`${task.name}: ${counted(unseen.length, "class")} in the test rows only (${unseen[0]})`);
  }

  const selections = undersample(trainLabels, perLabel, experiments);
  const union = Int32Array.from(new Set(selections.flatMap((rows) => [...rows]))).sort();
  const place = new Map(Array.from(union, (row, i) => [row, i]));
  const trained = await embedder.embed(Array.from(union, (row) => trainTexts[row]!));
  const tested = await embedder.embed(testTexts);
  const isBinary = new Set(testLabels).size === 2;
  const each: Record<string, number | null>[] = [];
  for (const rows of selections) {
    const model = await fitLogisticRegression(
      rowsOf(trained, rows.map((row) => place.get(row)!)),
      rows.map((row) => trainLabels[row]!),
    );
    each.push(scoresOf(testLabels, await predictClasses(model, tested), isBinary));
  }
  const mean: Record<string, number | null> = {};
  for (const key of Object.keys(each[0]!)) {
    const values = each.flatMap((scores) => scores[key] ?? []);
    mean[key] = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  }
  return { ...mean, scores_per_experiment: each };
}

function scoresOf(labels: Int32Array, predictions: Float64Array, isBinary: boolean): Record<string, number | null> {
  const [macro, weighted] = [
    precisionRecallF1(labels, predictions, "macro"),
    precisionRecallF1(labels, predictions, "weighted"),
  ];
  const ap = isBinary ? averagePrecision(labels, predictions) : null; // predictions are the scores, as in mteb
  return {
    accuracy: accuracy(labels, predictions),
    f1: macro.f1,
    f1_weighted: weighted.f1,
    precision: macro.precision,
    precision_weighted: weighted.precision,
    recall: macro.recall,
    recall_weighted: weighted.recall,
    ap,
    ap_weighted: ap,
  };
}
