/**
 * A column of a row group, read a page at a time: memory holds one page, and the dictionary.
 *
 * @module
 */
import type { DecodedArray, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { checkHeader, type PageColumn, type PlainPage, plainPage } from "./parquet_page.ts";
import { holdsTexts, plainTexts, type TextAt, textPage } from "./parquet_texts.ts";

/** Reads bytes `[start, end)` of a file. */
export type ReadBytes = (start: number, end: number) => ArrayBuffer;

/** A page in the file. */
export interface PageAt {
  /** What it says of itself. */
  readonly header: PageHeader;
  /** Its first byte, behind the header. */
  readonly start: number;
}

/** Bytes that a page's header takes, as a first guess. */
const HEADER = 1 << 13;

/**
 * The pages of a column of a row group, in order: their headers are read, not what is in them.
 *
 * @throws {Error} where a header cannot be that of a page of the column
 */
export function* pagesOf(column: PageColumn, read: ReadBytes): Generator<PageAt> {
  const { dictionary_page_offset, data_page_offset, total_compressed_size } = column.metadata;
  let at = Number(dictionary_page_offset || data_page_offset);
  const end = at + Number(total_compressed_size);
  while (at < end - 1) {
    const { header, length } = headerAt(at, end, read);
    at += length;
    checkHeader(header, column, end - at);
    yield { header, start: at };
    at += header.compressed_page_size;
  }
}

/** A header, of which only its end says how long it is: extremes of the page's texts stand in it. */
function headerAt(at: number, end: number, read: ReadBytes): { readonly header: PageHeader; readonly length: number } {
  for (let size = HEADER;; size *= 8) {
    const to = Math.min(end, at + size);
    const reader = { view: new DataView(read(at, to)), offset: 0 };
    try {
      return { header: parquetHeader(reader), length: reader.offset };
    } catch (error) {
      if (to === end) throw error;
    }
  }
}

/** A column of a row group. */
export interface ColumnReader {
  /** Values of rows `[start, end)` of the group. */
  readonly cells: (start: number, end: number) => unknown[];
}

/**
 * A column that is no list and no structure: a page has a row for each value.
 *
 * @param column What it is.
 * @param path The schema from its root to the column.
 * @param groupRows Rows of the group, for which it has a value each.
 * @param read Reads bytes of the file.
 */
export function flatColumn(column: PageColumn, path: SchemaTree[], groupRows: number, read: ReadBytes): ColumnReader {
  const { metadata, element } = column;
  const decoder = {
    pathInSchema: metadata.path_in_schema,
    type: metadata.type,
    element,
    schemaPath: path,
    codec: "UNCOMPRESSED" as const,
    parsers: DEFAULT_PARSERS,
  };
  const rowsOf = ({ data_page_header, data_page_header_v2 }: PageHeader) =>
    data_page_header_v2?.num_rows ?? data_page_header?.num_values ?? 0;
  const plain = ({ header, start }: PageAt): PlainPage =>
    plainPage(new Uint8Array(read(start, start + header.compressed_page_size)), header, column);
  const decoded = ({ header, bytes }: PlainPage): DecodedArray => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return readPage({ view, offset: 0 }, header, decoder, dictionary, undefined, 0).data ?? [];
  };
  const isText = holdsTexts(column);
  let words: { readonly at: TextAt; readonly count: number } | undefined;
  let dictionary: DecodedArray | undefined;
  const valuesOf = (page: PlainPage): (row: number) => unknown => {
    const texts = isText ? textPage(page, column, words) : undefined;
    if (texts !== undefined) return texts;
    const values = decoded(page);
    return (row) => values[row];
  };
  const pages: (PageAt & { readonly first: number; readonly last: number })[] = [];
  let rows = 0;
  for (const page of pagesOf(column, read)) {
    const { dictionary_page_header: head } = page.header;
    if (head !== undefined && isText) {
      words = { at: plainTexts(plain(page), 0, head.num_values), count: head.num_values };
    } else if (head !== undefined) dictionary = convert(decoded(plain(page)), decoder);
    else {
      pages.push({ ...page, first: rows, last: rows + rowsOf(page.header) });
      rows += rowsOf(page.header);
      if (rows > groupRows) {
        throw new Error(`${metadata.path_in_schema.join(".")} has more values than ${groupRows} rows`);
      }
    }
  }
  let current: { readonly page: PageAt; readonly at: (row: number) => unknown } | undefined;
  return {
    cells(start, end) {
      const cells: unknown[] = [];
      for (const page of pages) {
        if (page.last <= start || page.first >= end) continue;
        if (current?.page !== page) current = { page, at: valuesOf(plain(page)) };
        const to = Math.min(end, page.last) - page.first;
        for (let i = Math.max(start, page.first) - page.first; i < to; i++) cells.push(current.at(i));
      }
      return cells;
    },
  };
}
