/**
 * From rows to what a cross-encoder is trained on: which columns each of its losses takes.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import type {
  Dataset,
  LabelledPairs,
  MarginRows,
  Pairs,
  RankedDocuments,
  ScoredPairs,
  Triplets,
} from "../../data/dataset.ts";
import { listOffsets } from "../../data/lists.ts";
import type { Columns } from "../../data/rows.ts";
import { DatasetError, TrainingError } from "../../error.ts";
import {
  type CrossEncoderLabel,
  crossEncoderLossOf,
  type CrossEncoderLossSpec,
} from "../../loss/cross_encoder/named.ts";
import type { CrossEncoder } from "../../model/cross_encoder.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
import { tokenizeBare } from "../../text/pairs.ts";
import { crossEncoderObjective } from "../../train/cross_encoder_objective.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { listObjective, uniformLists } from "../../train/list_objective.ts";
import type { Objective } from "../../train/objective.ts";

/** The rows that a loss of a cross-encoder with this label trains on. */
export type CrossEncoderRowsOf<L extends CrossEncoderLabel> = L extends "list" ? RankedDocuments
  : L extends "none" ? Pairs | Triplets
  : L extends "score" ? ScoredPairs | MarginRows
  : LabelledPairs;

/** A loss and the rows that fit it. */
export interface FittedRows {
  readonly loss: ReturnType<typeof crossEncoderLossOf>;
  /** Labels of the model: 1 for a score, else classes. */
  readonly classes: number;
  /** The objective over the rows. */
  readonly rows: (model: CrossEncoder) => Promise<Objective>;
  /** What is worth knowing of the rows. */
  readonly warnings: readonly string[];
}

const isTexts = (column: Columns[string]): column is readonly string[] => Array.isArray(column);

/**
 * What a loss makes of a dataset. Columns that it would not use are refused.
 *
 * @throws {TrainingError} A column is missing, or would be ignored.
 * @throws {DatasetError} A score is not one that the loss can use.
 */
export function fitRows(spec: CrossEncoderLossSpec, data: Dataset<Columns>): FittedRows {
  const loss = crossEncoderLossOf(spec);
  if ("total" in loss) {
    expectColumns(loss.name, data, ["list", "query", "document", "relevance"]);
    const { query, document, relevance } = data.columns as RankedDocuments;
    const offsets = listOffsets(data as Dataset<RankedDocuments>);
    const labels = Float32Array.from(relevance);
    const lists = offsets.length - 1;
    const uniform = uniformLists({ offsets, labels });
    return {
      loss,
      classes: 1,
      rows: async (model) =>
        listObjective({
          model,
          loss,
          queries: await tokenizeBare(model.tokenizer, Array.from(offsets.subarray(0, lists), (row) => query[row]!)),
          documents: await tokenizeBare(model.tokenizer, document),
          offsets,
          labels,
        }),
      warnings: [
        ...emptyTextWarnings({ query, document }),
        ...(uniform === 0 || uniform === lists ? [] : [
          `${uniform} of ${counted(lists, "list")} have documents of one relevance alone: their order teaches nothing`,
        ]),
      ],
    };
  }
  const names = Object.keys(data.columns);
  const texts = Object.fromEntries(names.flatMap((name) => {
    const column = data.columns[name]!;
    return isTexts(column) ? [[name, column] as const] : [];
  }));
  const scores = names.filter((name) => /^score(_\d+)?$/.test(name));
  const label = loss.label === "none" ? [] : loss.label === "class" && "label" in data.columns ? ["label"] : scores;
  if (loss.label !== "none" && label.length === 0) {
    throw unfit(loss.name, data, loss.label === "class" ? "a label" : "a score");
  }
  expectColumns(loss.name, data, [...Object.keys(texts), ...label]);
  const columns = label.map((name) => data.columns[name] as ArrayLike<number>);
  const labels = loss.label === "none" ? undefined : labelsOf(columns, data.rows, loss.label === "class");
  // Scores become classes by being 0 and 1; a class of its own name may be any.
  if (label[0] === "score") checkScores(loss.name, columns, loss.label === "class" ? undefined : loss.range);
  let highest = 0;
  for (const value of labels ?? []) highest = Math.max(highest, value);
  return {
    loss,
    classes: loss.outputs === "score" ? 1 : Math.max(2, highest + 1),
    rows: async (model) => {
      const tokens: TokenizedTexts[] = [];
      for (const column of Object.values(texts)) tokens.push(await tokenizeBare(model.tokenizer, column));
      return crossEncoderObjective({
        model,
        loss,
        texts: tokens,
        labels,
        distinct: loss.inBatchNegatives === undefined ? undefined : Object.values(texts),
      });
    },
    warnings: emptyTextWarnings(texts),
  };
}

function expectColumns(loss: string, data: Dataset<Columns>, wanted: readonly string[]): void {
  const names = Object.keys(data.columns);
  const missing = wanted.filter((name) => !names.includes(name));
  const ignored = names.filter((name) => !wanted.includes(name));
  if (missing.length > 0 || ignored.length > 0) throw unfit(loss, data, wanted.join(", "), ignored);
}

function unfit(loss: string, data: Dataset<Columns>, expected: string, ignored: readonly string[] = []): TrainingError {
  return new TrainingError(`the loss ${loss} does not fit the data`, {
    expected,
    found: Object.keys(data.columns).join(", "),
    hint: ignored.length > 0 ? `the loss would ignore ${ignored.join(", ")}` : "map columns with --columns",
  });
}

/** Scores are within the range of the loss; without one they are 0 or 1 for classes. */
function checkScores(
  loss: string,
  columns: readonly ArrayLike<number>[],
  range: readonly [number, number] | undefined,
): void {
  const isClass = loss === "cross_entropy";
  if (range === undefined && !isClass) return;
  const [least, most] = range ?? [0, 1];
  for (const column of columns) {
    const bad = Array.from(column).findIndex((value) =>
      !(value >= least && value <= most) || (isClass && !Number.isInteger(value))
    );
    if (bad < 0) continue;
    throw new DatasetError("a score does not fit the cross-encoder", {
      where: `row ${bad + 1}`,
      expected: isClass ? "0 or 1" : `${least} … ${most}`,
      found: `${column[bad]}`,
      hint: isClass ? "--silver-labels soft takes scores between 0 and 1" : "divide scores by their highest grade",
    });
  }
}

/** Classes [rows], or scores [rows, columns], row by row. */
function labelsOf(columns: readonly ArrayLike<number>[], rows: number, isClass: boolean): Int32Array | Float32Array {
  const values = new Float32Array(rows * columns.length);
  columns.forEach((column, c) => {
    for (let row = 0; row < rows; row++) values[row * columns.length + c] = column[row]!;
  });
  return isClass ? Int32Array.from(values) : values;
}
