/**
 * Data: sources, tables, typed datasets, labels and triplets.
 *
 * @module
 */
export type { ColumnMapping, ColumnRole, NamedColumns } from "./column_names.ts";
export { asLabelledPairs, asLabelledTexts, asPairsOrTriplets, asScoredPairs, usedColumns } from "./columns.ts";
export { type CsvCell, csvRows, csvText, withApostrophe, withoutApostrophe } from "./csv_text.ts";
export type {
  Column,
  Dataset,
  LabelledPairs,
  LabelledTexts,
  MarginRows,
  Pairs,
  RankedDocuments,
  ScoredPairs,
  Triplets,
} from "./dataset.ts";
export { heldOutCount, holdOut, type HoldOutOptions } from "./hold_out.ts";
export { type LabelRowsOptions, pairsFromLabels, tripletsFromLabels } from "./label_rows.ts";
export {
  asRankedDocuments,
  type DocumentList,
  documentLists,
  holdOutLists,
  listOffsets,
  rankedDocuments,
} from "./lists.ts";
export { asMarginRows } from "./margins.ts";
export { deletion, type DeletionOptions, type Noise, type NoiseDraw } from "./noise.ts";
export {
  type ColumnChunk,
  type ColumnType,
  type ParquetSink,
  parquetSink,
  type VectorValues,
  writeParquet,
} from "./parquet.ts";
export { type ColumnRange, openParquet, type ParquetFile, readColumns } from "./parquet_file.ts";
export { type Columns, datasetOf, dedupe, firstRows, selectRows } from "./rows.ts";
export { resolveSource, type Source } from "./source.ts";
export { isDataFile, readChunks, readTable } from "./table.ts";
export { type Cell, type ChunkOptions, type Table, type TableOptions } from "./table_builder.ts";
export { type DistinctTexts, distinctTexts } from "./texts.ts";
