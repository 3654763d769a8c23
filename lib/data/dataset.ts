/**
 * Typed datasets in columns: what loaders make and stages pass on.
 *
 * @module
 */

/** A column: texts, numbers (scores, class labels), or both missing in no row. */
export type Column = readonly string[] | Float64Array | Int32Array;

/** Rows by column; all columns have equal length. `C` names the columns and their types. */
export interface Dataset<C extends { readonly [name: string]: Column } = { readonly [name: string]: Column }> {
  /** The columns, in file order. */
  readonly columns: C;
  /** Number of rows. */
  readonly rows: number;
}

/** A pair of sentences with a class: 0 entailment, 1 neutral, 2 contradiction. */
export type LabelledPairs = {
  /** What is given. */
  readonly premise: readonly string[];
  /** What may follow from it. */
  readonly hypothesis: readonly string[];
  /** The class. */
  readonly label: Int32Array;
};

/** A pair of sentences with a similarity. */
export type ScoredPairs = {
  /** First sentence. */
  readonly sentence1: readonly string[];
  /** Second sentence. */
  readonly sentence2: readonly string[];
  /** Similarity, in the unit of the source. */
  readonly score: Float64Array;
};

/** An anchor and what belongs to it. */
export type Pairs = {
  /** The query, premise or question. */
  readonly anchor: readonly string[];
  /** What should be near to it. */
  readonly positive: readonly string[];
};

/** An anchor, what belongs to it, and what does not. */
export type Triplets = Pairs & {
  /** What should be far from the anchor. */
  readonly negative: readonly string[];
};

/**
 * Triplets with what a teacher says of them: the margin, or in `score` and `score_2` its scores of positive and negative.
 * Further negatives and scores stand in columns `negative_2`, `score_2`, … beside them.
 */
export type MarginRows = Triplets & {
  /** The margin of the first negative, or the score of the positive. */
  readonly score: Float64Array;
};

/** Texts with a class each. */
export type LabelledTexts = {
  /** The texts. */
  readonly text: readonly string[];
  /** Their classes, from 0. */
  readonly label: Int32Array;
};

/** Documents with how relevant each is to its query, list by list. */
export type RankedDocuments = {
  /** Which list a document is in; the rows of a list are consecutive. */
  readonly list: Int32Array;
  /** What is asked: the same in all rows of a list. */
  readonly query: readonly string[];
  /** What may answer it. */
  readonly document: readonly string[];
  /** How relevant it is: more is better. */
  readonly relevance: Float64Array;
};
