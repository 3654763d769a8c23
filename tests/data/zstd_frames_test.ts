import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import type { PageHeader } from "hyparquet";
import { plainPage } from "../../lib/data/parquet_page.ts";
import { checkZstd } from "../../lib/data/zstd_frames.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
/** A last block that is kept as it is, and one that is a byte repeated. */
const kept = (...bytes: readonly number[]) => [...u32(bytes.length << 3 | 1).slice(0, 3), ...bytes];
const repeated = (count: number, byte: number) => [...u32(count << 3 | 1 << 1 | 1).slice(0, 3), byte];

Deno.test("frames that become what they should are taken, with their sizes or without, several of them, some skipped", () => {
  for (const text of ["", "a", "ab".repeat(40_000), "x".repeat(300_000)]) {
    const bytes = new TextEncoder().encode(text);
    const packed = zstdCompressSync(bytes);
    checkZstd(packed, bytes.length);
    if (bytes.length > 0) {
      const twice = Uint8Array.from([...packed, 0x50, 0x2a, 0x4d, 0x18, ...u32(2), 7, 7, ...packed]);
      checkZstd(twice, 2 * bytes.length);
    }
  }
  checkZstd(Uint8Array.from([...MAGIC, 0, 0, ...kept(1, 2, 3)]), 3); // no size, a window of 1024 bytes
  checkZstd(Uint8Array.from([...MAGIC, 0, 17 << 3, ...kept(1, 2, 3)]), 3); // of 2^27 bytes
});

Deno.test("frames that claim more than their page has are refused before they are unpacked", () => {
  const refused = (bytes: readonly number[], pattern: RegExp) =>
    assert.throws(() => checkZstd(Uint8Array.from(bytes), 3), pattern);
  refused([...MAGIC, 0xa0, ...u32(2 ** 32 - 1), ...kept(1, 2, 3)], /4294967295 bytes in a page of 3/);
  refused([...MAGIC, 0xe0, ...u32(0), ...u32(1), ...kept(1, 2, 3)], /4294967296 bytes in a page of 3/);
  refused([...MAGIC, 0, 0, ...repeated(2 ** 21 - 1, 1)], /2097151 bytes in a page of 3/);
  refused([...MAGIC, 0, 20 << 3, ...kept(1, 2, 3)], /a window of 1073741824 bytes/);
  const small = [...MAGIC, 0x20, 1, ...kept(5)];
  checkZstd(Uint8Array.from([...small, ...small]), 2);
  assert.throws(
    () => checkZstd(Uint8Array.from([...small, ...small]), 1),
    /a Zstandard frame of 1 bytes in a page of 1/,
  );
  const packed = Array.from({ length: 2049 }, (_, i) => [i === 2048 ? 2 << 1 | 1 : 2 << 1, 0, 0]).flat();
  refused([...MAGIC, 0, 17 << 3, ...packed], /blocks with room for 268566528 bytes/);
  refused([1, 2, 3, 4, 5, 6], /no Zstandard frame/);
  refused([...MAGIC, 0, 0, 0, 0, 0], /bounds/); // no last block
});

Deno.test("a page's packed bytes are checked", () => {
  const header = {
    type: "DATA_PAGE",
    uncompressed_page_size: 3,
    compressed_page_size: 15,
    data_page_header: { num_values: 0, encoding: "PLAIN" },
  } as PageHeader;
  const metadata = {
    type: "BYTE_ARRAY" as const,
    encodings: [],
    path_in_schema: ["text"],
    codec: "ZSTD" as const,
    num_values: 0n,
    total_uncompressed_size: 3n,
    total_compressed_size: 15n,
    data_page_offset: 4n,
  };
  const column = {
    metadata,
    element: { name: "text", type: "BYTE_ARRAY" as const },
    levels: { repetition: 0, definition: 0 },
  };
  const page = (size: number) => Uint8Array.from([...MAGIC, 0xa0, ...u32(size), ...kept(1, 2, 3)]);
  assert.deepEqual([...plainPage(page(3), header, column).bytes], [1, 2, 3]);
  assert.throws(() => plainPage(page(2 ** 31), header, column), /a Zstandard frame of 2147483648 bytes in a page of 3/);
});
