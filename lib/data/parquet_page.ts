/**
 * Pages of a Parquet column: unpacked, and checked before they are decoded, since a decoder believes the lengths of runs
 * and prefixes that stand in them, and takes as much memory as they say.
 *
 * @module
 */
import type { ColumnMetaData, PageHeader, SchemaElement } from "hyparquet";
import { decompressPage } from "hyparquet/src/datapage.js";
import { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { compressors } from "hyparquet-compressors";
import { checkZstd } from "./zstd_frames.ts";

/** What a page must know of its column. */
export interface PageColumn {
  /** Its description in the file. */
  readonly metadata: ColumnMetaData;
  /** Its type. */
  readonly element: SchemaElement;
  /** The deepest list that a value may stand in, and how many of its ancestors and itself may be missing. */
  readonly levels: { readonly repetition: number; readonly definition: number };
}

/** A page of unpacked bytes, and a header that says so. */
export interface PlainPage {
  /** The header. */
  readonly header: PageHeader;
  /** Levels and values. */
  readonly bytes: Uint8Array;
}

/** Bytes of a page that need not be declared by the column, which some writers count wrongly. */
const USUAL_PAGE = 1 << 26;
/** Bytes of all values of a page that are put together from prefixes. */
const MOST_PREFIXED = 1 << 28;
/** Values of a block of differences. */
const LARGEST_BLOCK = 1 << 20;

/**
 * A page's lengths, as its header has them.
 *
 * @throws {Error} where they cannot be those of such a column
 */
export function checkHeader(header: PageHeader, { metadata }: PageColumn, room: number): void {
  const isLength = (value: unknown, most: number) =>
    Number.isInteger(value) && value as number >= 0 && value as number <= most;
  const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
  const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: words } = header;
  const values = Number(metadata.num_values);
  const isRight = isLength(packed, room) &&
    isLength(unpacked, Math.max(USUAL_PAGE, Number(metadata.total_uncompressed_size))) &&
    (first === undefined || isLength(first.num_values, values)) &&
    (words === undefined || isLength(words.num_values, 8 * unpacked)) &&
    (second === undefined ||
      [second.num_values, second.num_nulls, second.num_rows].every((count) => isLength(count, values)) &&
        second.num_nulls <= second.num_values &&
        isLength(second.definition_levels_byte_length, Math.min(packed, unpacked)) &&
        isLength(
          second.definition_levels_byte_length + second.repetition_levels_byte_length,
          Math.min(packed, unpacked),
        ));
  if (!isRight) throw new Error(`a page of ${nameOf(metadata)} is described wrongly`);
}

const nameOf = ({ path_in_schema }: ColumnMetaData) => path_in_schema.join(".");

/**
 * Unpacks a page, and checks what stands in it.
 *
 * @throws {Error} where it cannot be unpacked, or something in it is longer than the page's values
 */
export function plainPage(packed: Uint8Array, header: PageHeader, column: PageColumn): PlainPage {
  const page = unpacked(packed, header, column.metadata);
  checkPage(page, column);
  return page;
}

function unpacked(packed: Uint8Array, header: PageHeader, { codec }: ColumnMetaData): PlainPage {
  const second = header.data_page_header_v2;
  const levels = second === undefined ? 0 : second.definition_levels_byte_length + second.repetition_levels_byte_length;
  const isPacked = codec !== "UNCOMPRESSED" && second?.is_compressed !== false;
  const size = header.uncompressed_page_size;
  const body = packed.subarray(levels);
  if (isPacked && codec === "ZSTD" && size > levels) checkZstd(body, size - levels);
  // Of nothing, packers leave a byte or two, which not every unpacker takes for nothing.
  const values = size === levels
    ? new Uint8Array()
    : isPacked
    ? decompressPage(body, size - levels, codec, compressors)
    : body;
  let bytes = values;
  if (levels > 0) {
    bytes = new Uint8Array(levels + values.length);
    bytes.set(packed.subarray(0, levels));
    bytes.set(values, levels);
  }
  return {
    bytes,
    header: {
      ...header,
      compressed_page_size: bytes.length,
      uncompressed_page_size: bytes.length,
      ...(second !== undefined && { data_page_header_v2: { ...second, is_compressed: false } }),
    },
  };
}

/** A place in bytes. */
interface Reader {
  readonly view: DataView;
  offset: number;
}

function checkPage({ header, bytes }: PlainPage, { metadata, element, levels }: PageColumn): void {
  const reader: Reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const refuse = (what: string): never => {
    throw new Error(`a page of ${nameOf(metadata)} has ${what}`);
  };
  const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: words } = header;
  if (words !== undefined) {
    const least = LEAST_BYTES[metadata.type] ?? element.type_length ?? 1;
    if (words.num_values * least > bytes.length) refuse(`${words.num_values} words in ${bytes.length} bytes`);
  } else if (second !== undefined) {
    const count = second.num_values;
    const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition } = second;
    if (levels.repetition > 0) checkRuns(reader, widthOf(levels.repetition), count, repetition, refuse);
    reader.offset = repetition;
    if (levels.definition > 0) checkRuns(reader, widthOf(levels.definition), count, repetition + definition, refuse);
    reader.offset = repetition + definition;
    const isRuns = second.encoding === "RLE";
    checkValues(reader, isRuns ? "runs" : second.encoding, count - second.num_nulls, refuse);
  } else if (first !== undefined) {
    let count = first.num_values;
    if (levels.repetition > 0) checkOwnRuns(reader, widthOf(levels.repetition), count, refuse);
    if (levels.definition > 0) {
      const before = { ...reader };
      checkOwnRuns(reader, widthOf(levels.definition), count, refuse);
      if (first.encoding === "DELTA_BYTE_ARRAY") count -= missing(before, levels.definition, count);
    }
    const isRuns = first.encoding === "RLE" && metadata.type === "BOOLEAN";
    checkValues(reader, isRuns ? "runs" : first.encoding, count, refuse);
  }
}

/** Bytes that a word of a dictionary takes at least. */
const LEAST_BYTES: Readonly<Record<string, number>> = {
  BOOLEAN: 1 / 8,
  INT32: 4,
  FLOAT: 4,
  BYTE_ARRAY: 4,
  INT64: 8,
  DOUBLE: 8,
  INT96: 12,
};

const widthOf = (most: number) => 32 - Math.clz32(most);

/** Runs that begin with their length in bytes. */
function checkOwnRuns(reader: Reader, width: number, count: number, refuse: (what: string) => never): void {
  const end = reader.offset + 4 + reader.view.getUint32(reader.offset, true);
  reader.offset += 4;
  checkRuns(reader, width, count, end, refuse);
  reader.offset = end;
}

/** Runs of equal values and packed values: none goes on behind the page's last value, but for what fills up eight. */
function checkRuns(reader: Reader, width: number, count: number, end: number, refuse: (what: string) => never): void {
  if (end > reader.view.byteLength) refuse(`runs up to byte ${end} of ${reader.view.byteLength}`);
  for (let seen = 0; seen < count && reader.offset < end;) {
    const head = varint(reader);
    const length = head & 1 ? (head >>> 1) * 8 : head >>> 1;
    if (length > Math.ceil((count - seen) / 8) * 8) {
      refuse(`a run of ${length} values where ${count - seen} are left`);
    }
    reader.offset += head & 1 ? (head >>> 1) * width : (width + 7) >> 3;
    seen += length;
  }
}

/** How many of the values are missing, by their levels. */
function missing(reader: Reader, definition: number, count: number): number {
  const levels = new Array<number>(count).fill(0);
  readRleBitPackedHybrid(reader, widthOf(definition), levels);
  return levels.reduce((sum, level) => sum + (level < definition ? 1 : 0), 0);
}

function checkValues(reader: Reader, encoding: string, count: number, refuse: (what: string) => never): void {
  const { view } = reader;
  if (count === 0 || reader.offset >= view.byteLength) return;
  if (encoding === "runs") checkOwnRuns(reader, 1, count, refuse);
  else if (encoding.endsWith("_DICTIONARY") || encoding === "RLE") {
    const width = view.getUint8(reader.offset++);
    if (width > 32) refuse(`numbers of ${width} bits`);
    checkRuns(reader, width, count, view.byteLength, refuse);
  } else if (encoding.startsWith("DELTA")) {
    checkBlocks(reader, refuse);
    if (encoding === "DELTA_BYTE_ARRAY") checkPrefixes(reader, count, refuse);
  }
}

/** What stands before blocks of differences; stays where it is. */
function checkBlocks({ view, offset }: Reader, refuse: (what: string) => never): void {
  const reader = { view, offset };
  const [block, parts] = [varint(reader), varint(reader)];
  if (block > LARGEST_BLOCK || parts === 0 || block % parts !== 0) {
    refuse(`blocks of ${block} values in ${parts} parts`);
  }
}

/** A prefix is part of the value before it. */
function checkPrefixes({ view, offset }: Reader, count: number, refuse: (what: string) => never): void {
  const reader = { view, offset };
  const [prefixes, suffixes] = [new Int32Array(count), new Int32Array(count)];
  deltaBinaryUnpack(reader, count, prefixes);
  checkBlocks(reader, refuse);
  deltaBinaryUnpack(reader, count, suffixes);
  let [before, total] = [0, 0];
  for (let i = 0; i < count; i++) {
    const [prefix, suffix] = [prefixes[i]!, suffixes[i]!];
    if (prefix < 0 || prefix > before || suffix < 0) refuse(`a prefix of ${prefix} bytes of ${before}`);
    before = prefix + suffix;
    if (prefix > 0) total += before;
    if (total > MOST_PREFIXED) refuse(`values of more than ${MOST_PREFIXED} bytes`);
  }
}

/** An unsigned number of seven bits a byte; bits above 32 are lost, as in the decoder. */
function varint(reader: Reader): number {
  let [result, shift] = [0, 0];
  for (;;) {
    const byte = reader.view.getUint8(reader.offset++);
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) return result >>> 0;
    shift += 7;
  }
}
