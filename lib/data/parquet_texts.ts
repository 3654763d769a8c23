/**
 * Texts of a Parquet page: their bytes stay as they are, and become strings when they are asked for. So a page of tens of
 * thousands of texts is no more in memory than its bytes.
 *
 * @module
 */
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import type { PageColumn, PlainPage } from "./parquet_page.ts";

/** The text of a row, or of a word of a dictionary; null where there is none. */
export type TextAt = (index: number) => string | null;

/** Whether a column holds texts. */
export function holdsTexts({ metadata, element }: PageColumn): boolean {
  return metadata.type === "BYTE_ARRAY" &&
    (element.converted_type === "UTF8" || element.logical_type?.type === "STRING");
}

const decoder = new TextDecoder();

/** Texts that stand one after the other, each behind its length. */
export function plainTexts({ bytes }: Pick<PlainPage, "bytes">, offset: number, count: number): TextAt {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = offset + 4;
    offset += 4 + view.getUint32(offset, true);
    if (offset > view.byteLength) throw new Error(`a text that ends at byte ${offset} of ${view.byteLength}`);
  }
  return (index) => {
    const start = starts[index]!;
    return decoder.decode(bytes.subarray(start, start + view.getUint32(start - 4, true)));
  };
}

/**
 * Texts of a page of values, by row; undefined where it is encoded in another way.
 *
 * @param page From `plainPage`, checked.
 * @param column Of texts, neither a list nor part of a structure.
 * @param words Its dictionary, where it has one, and how many words that has.
 */
export function textPage(
  { header, bytes }: PlainPage,
  column: PageColumn,
  words: { readonly at: TextAt; readonly count: number } | undefined,
): TextAt | undefined {
  const second = header.data_page_header_v2;
  const { encoding, num_values: count } = second ?? header.data_page_header!;
  const isDictionary = encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY";
  if (encoding !== "PLAIN" && !(isDictionary && words !== undefined)) return undefined;
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  // Of each row's text among those that are there; −1: it has none. Undefined: every row has one.
  let places: Int32Array | undefined;
  let there = count;
  if (column.levels.definition > 0) {
    places = new Int32Array(count);
    readRleBitPackedHybrid(reader, 1, places, second?.definition_levels_byte_length);
    there = 0;
    for (let row = 0; row < count; row++) places[row] = places[row] === 1 ? there++ : -1;
  }
  if (second !== undefined) {
    reader.offset = second.repetition_levels_byte_length + second.definition_levels_byte_length;
  }
  const byRow = (at: TextAt): TextAt => places === undefined ? at : (row) => places[row]! < 0 ? null : at(places[row]!);
  if (!isDictionary) return byRow(plainTexts({ bytes }, reader.offset, there));
  const indices = new Int32Array(there);
  const width = there === 0 ? 0 : reader.view.getUint8(reader.offset++);
  if (width > 0) readRleBitPackedHybrid(reader, width, indices, bytes.length - reader.offset);
  for (const index of indices) {
    if (index < 0 || index >= words!.count) throw new Error(`the word ${index} of ${words!.count}`);
  }
  return byRow((place) => words!.at(indices[place]!));
}
