import assert from "node:assert/strict";
import type { PageHeader } from "hyparquet";
import { type PageColumn, plainPage } from "../../lib/data/parquet_page.ts";

/** A column of texts that may be missing; 1000 values. */
const COLUMN: PageColumn = {
  metadata: {
    type: "BYTE_ARRAY",
    encodings: [],
    path_in_schema: ["text"],
    codec: "UNCOMPRESSED",
    num_values: 1000n,
    total_uncompressed_size: 1000n,
    total_compressed_size: 1000n,
    data_page_offset: 4n,
  },
  element: { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8" },
  levels: { repetition: 0, definition: 1 },
};
const REQUIRED: PageColumn = { ...COLUMN, levels: { repetition: 0, definition: 0 } };

const varint = (value: number): number[] => value < 128 ? [value] : [value & 127 | 128, ...varint(value >>> 7)];
const length = (bytes: readonly number[]) => [...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
const zigzag = (value: number) => varint(value * 2);
/** Differences that are all the same: `count` values from `first` in steps of `step`. */
const steps = (
  count: number,
  first: number,
  step: number,
) => [...varint(128), ...varint(4), ...varint(count), ...zigzag(first), ...zigzag(step), 0, 0, 0, 0];

function check(values: number, encoding: string, bytes: readonly number[], column = COLUMN): void {
  const header = {
    type: "DATA_PAGE",
    uncompressed_page_size: bytes.length,
    compressed_page_size: bytes.length,
    data_page_header: { num_values: values, encoding },
  } as PageHeader;
  plainPage(Uint8Array.from(bytes), header, column);
}

Deno.test("a run in a page goes on no longer than the page has values", () => {
  const all = length([...varint(100 << 1), 1]);
  check(100, "PLAIN", all);
  const packed = length([13 << 1 | 1, ...new Array(13).fill(255)]); // 104 values: fills up eight
  check(100, "PLAIN", packed);
  for (const run of [2 ** 28, 2 ** 30, 106]) {
    const bytes = length([...varint(run * 2), 1]);
    assert.throws(() => check(100, "PLAIN", bytes), /a page of text has a run of \d+ values where 100 are left/);
  }
  assert.throws(() => check(100, "PLAIN", length([...varint(2 ** 28 + 1), 1])), /a run of \d+ values/);
  const indices = (run: number) => [...all, 3, ...varint(run << 1), 5];
  check(100, "RLE_DICTIONARY", indices(100));
  assert.throws(() => check(100, "RLE_DICTIONARY", indices(2 ** 27)), /a run of 134217728 values/);
  // Of width 0 a packed run takes no bytes, and would be counted through in vain.
  assert.throws(() => check(100, "RLE_DICTIONARY", [0, ...varint(2 ** 27 + 1)], REQUIRED), /a run of \d+ values/);
});

Deno.test("blocks of differences and prefixes are no longer than what they stand for", () => {
  const suffixes = steps(3, 2, 0);
  check(3, "DELTA_BYTE_ARRAY", [...steps(3, 0, 2), ...suffixes, ...new Array(6).fill(97)], REQUIRED); // 0, 2, 4 of 2, 4, 6
  assert.throws(
    () => check(3, "DELTA_BYTE_ARRAY", [...steps(3, 0, 2 ** 28), ...suffixes], REQUIRED),
    /a prefix of 268435456 bytes of 2/,
  );
  const huge = [...varint(2 ** 30), ...varint(2 ** 30), ...varint(3), 0];
  assert.throws(() => check(3, "DELTA_LENGTH_BYTE_ARRAY", huge, REQUIRED), /blocks of 1073741824 values/);
});

Deno.test("a page of nothing is empty, whatever its packer left of it", () => {
  const metadata = { ...COLUMN.metadata, codec: "LZ4_RAW" as const };
  const header = {
    type: "DICTIONARY_PAGE",
    uncompressed_page_size: 0,
    compressed_page_size: 1,
    dictionary_page_header: { num_values: 0, encoding: "PLAIN" },
  } as PageHeader;
  assert.equal(plainPage(Uint8Array.of(0), header, { ...COLUMN, metadata }).bytes.length, 0);
});
