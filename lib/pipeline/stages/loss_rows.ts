/**
 * Rows as a loss takes them: which columns are its texts and its labels, and whether there are all of them and no others.
 *
 * @module
 */
import type {
  Dataset,
  LabelledPairs,
  LabelledTexts,
  MarginRows,
  Pairs,
  ScoredPairs,
  Triplets,
} from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { Embeddings } from "../../embed/pairwise.ts";
import { TrainingError, UsageError } from "../../error.ts";
import type { LabelKind, Loss } from "../../loss/loss.ts";
import type { BiEncoder } from "../../model/bi_encoder.ts";
import { type ColumnPrompts, promptLength, trainingPrompt } from "../../model/prompts.ts";
import type { Parameters } from "../../tensor/tensor.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
import { biEncoderObjective } from "../../train/bi_encoder_objective.ts";
import { textColumns } from "./tokenize.ts";

/** The rows that a loss with this label trains on. */
export type RowsOf<L extends LabelKind> = L extends "none" ? Pairs | Triplets
  : L extends "score" ? ScoredPairs | MarginRows
  : LabelledPairs | LabelledTexts;

/** The columns of texts among these names: those that are not named as labels are. */
export const textNames = (columns: readonly string[]): readonly string[] =>
  columns.filter((name) => !/^(label|score(_\d+)?)$/.test(name));

/**
 * Refuses rows that a loss cannot use, or would use only in part.
 *
 * @param loss The loss.
 * @param columns Names of all columns.
 * @param names Those of texts among them. Default: those that are not named as labels are.
 * @returns The names of the columns of texts, and of those of labels.
 */
export function requireFit(
  loss: Loss,
  columns: readonly string[],
  names: readonly string[] = textNames(columns),
): { readonly names: readonly string[]; readonly labels: readonly string[] } {
  const label = loss.label === "class" ? "label" : loss.label;
  const widths = loss.labelWidths?.(names.length) ?? [1];
  const labels = loss.label === "none" ? [] : labelColumns(columns, label);
  const missing = loss.label !== "none" && !widths.includes(labels.length);
  const ignored = columns.filter((name) => !names.includes(name) && !labels.includes(name));
  if (names.length < loss.texts.min || names.length > loss.texts.max || missing || ignored.length > 0) {
    const { min, max } = loss.texts;
    const texts = min === max ? `${min}` : max === Infinity ? `${min} or more` : `${min} to ${max}`;
    throw new TrainingError(`the loss ${loss.name} does not fit the data`, {
      expected: `${texts} columns of texts${
        loss.label === "none"
          ? ", no label"
          : ` and ${label}${widths.join() === "1" ? "" : `, ${widths.join(" or ")} of them`}`
      }`,
      found: columns.join(", "),
      hint: ignored.length > 0 ? `the loss would ignore ${ignored.join(", ")}` : "map columns with --columns",
    });
  }
  return { names, labels };
}

/** A loss that learns from another model needs one, and no other loss has a use for it. */
export function requireGuide<L extends LabelKind>(loss: Loss<L>, given: boolean): Loss<L> {
  if (loss.guide !== undefined && !given) {
    throw new UsageError(`the loss ${loss.name} learns from another model`, { expected: "a guide", found: "none" });
  }
  if (loss.guide === undefined && given) {
    throw new UsageError(`the loss ${loss.name} learns from no other model`, {
      found: "a guide",
      hint: "leave it out",
    });
  }
  return loss;
}

/** The objective of a loss over rows that must fit it. */
export function objectiveOf(
  model: BiEncoder,
  loss: Loss,
  head: Parameters,
  data: Dataset<Columns>,
  tokens: Readonly<Record<string, TokenizedTexts>>,
  prompts: ColumnPrompts | undefined,
  guides: readonly Embeddings[] | undefined,
) {
  const { names, labels } = requireFit(loss, Object.keys(data.columns), Object.keys(textColumns(data)));
  const columns = names.map((name) => data.columns[name] as readonly string[]);
  const values = loss.label === "none"
    ? undefined
    : loss.label === "class"
    ? data.columns["label"] as Int32Array
    : byRow(labels.map((name) => data.columns[name] as Float64Array));
  return biEncoderObjective({
    model,
    loss,
    head,
    texts: names.map((name) => tokens[name]!),
    skip: names.map((name) => {
      return promptLength(model.tokenizer, trainingPrompt(model, name, prompts), model.maxSeqLength);
    }),
    labels: values,
    guides,
    distinct: loss.inBatch ? columns : undefined,
  });
}

/** The columns of labels: `label`, or `score`, `score_2`, …, as far as there are any. */
function labelColumns(columns: readonly string[], label: string): readonly string[] {
  if (label !== "score") return columns.filter((name) => name === label);
  const named = (place: number) => place === 1 ? label : `${label}_${place}`;
  const found: string[] = [];
  while (columns.includes(named(found.length + 1))) found.push(named(found.length + 1));
  return found;
}

/** Columns of numbers, the numbers of a row beside each other. */
function byRow(columns: readonly Float64Array[]): Float32Array {
  const width = columns.length;
  const values = new Float32Array(columns[0]!.length * width);
  columns.forEach((column, at) => column.forEach((value, row) => values[row * width + at] = value));
  return values;
}
