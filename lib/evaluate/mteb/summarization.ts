/**
 * Summarization: does a summary that is near to those of people please people?
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { DatasetError } from "../../error.ts";
import { pearson, spearman } from "../../numeric/correlation.ts";
import { correlationPValue } from "../../numeric/p_value.ts";
import { type Columns, numberListsOf, textListsOf } from "./data.ts";
import { rowsOf } from "../../embed/pairwise.ts";
import { type Embedder, similarityTable } from "./embedder.ts";
import type { TaskScores } from "./result.ts";
import type { SummarizationTask } from "./task.ts";

/**
 * For each text: every machine summary's highest similarity to a human summary, correlated with the judgements; the mean
 * over texts. Texts whose judgements or similarities are all equal are left out.
 */
export async function evaluateSummarization(
  embedder: Embedder,
  task: SummarizationTask,
  columns: Columns,
): Promise<TaskScores> {
  const [human, machine] = [textListsOf(columns, "human_summaries"), textListsOf(columns, "machine_summaries")];
  const judged = numberListsOf(columns, "relevance");
  judged.forEach((grades, row) => {
    if (grades.length === machine[row]!.length && human[row]!.length > 0) return;
    throw new DatasetError("summaries and judgements do not match", {
      where: columns.where(row),
      expected: `${counted(machine[row]!.length, "judgement")}, and summaries by people`,
      found: `${counted(grades.length, "judgement")}, ${human[row]!.length} summaries by people`,
    });
  });
  const [byPeople, byMachines] = [await embedder.embed(human.flat()), await embedder.embed(machine.flat())];
  const lists: Record<string, number[]> = {};
  const add = (name: string, statistic: number, n: number) => {
    const value = task.averages_p_values === true ? (statistic + correlationPValue(statistic, n)) / 2 : statistic;
    (lists[name] ??= []).push(value);
  };
  let [h, m] = [0, 0];
  for (let row = 0; row < columns.rows; row++) {
    const [people, machines] = [human[row]!.length, machine[row]!.length];
    const references = rowsOf(byPeople, Array.from({ length: people }, (_, i) => h + i));
    const candidates = rowsOf(byMachines, Array.from({ length: machines }, (_, i) => m + i));
    h += people;
    m += machines;
    const highest = (kind: Parameters<typeof similarityTable>[2]) => {
      const table = similarityTable(candidates, references, kind);
      return Float32Array.from(
        { length: machines },
        (_, i) => Math.max(...table.subarray(i * people, (i + 1) * people)),
      );
    };
    const similarities = { "": highest(embedder.similarity), cosine_: highest("cosine"), dot_: highest("dot") };
    const isConstant = (values: ArrayLike<number>) => new Set(Array.from(values)).size === 1;
    const grades = judged[row]!;
    if (isConstant(grades) || isConstant(similarities.dot_) || isConstant(similarities.cosine_)) continue;
    for (const [prefix, values] of Object.entries(similarities)) {
      add(`${prefix}pearson`, pearson(grades, values), machines);
      add(`${prefix}spearman`, spearman(grades, values), machines);
    }
  }
  if (Object.keys(lists).length === 0) {
    throw new DatasetError("no text has summaries that differ in judgement and similarity", {
      where: columns.where(0),
    });
  }
  return Object.fromEntries(
    Object.entries(lists).map(([name, values]) => [name, values.reduce((sum, v) => sum + v, 0) / values.length]),
  );
}
