/**
 * Datasets as Parquet files, the form that other tools read.
 *
 * @module
 */
import { ByteWriter, type ColumnSource, parquetWrite } from "hyparquet-writer";
import type { Column, Dataset } from "./dataset.ts";

/** Rows of a row group: what a reader must hold at least. */
const ROW_GROUP = 10_000;

/** Writes a dataset under a temporary name, makes sure it is on the disk, and renames it. */
export async function writeParquet(path: string, dataset: Dataset): Promise<void> {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    columnData: Object.entries(dataset.columns).map(([name, column]) => columnSource(name, column)),
    rowGroupSize: ROW_GROUP,
  });
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      const bytes = writer.getBytes();
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.syncData();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

function columnSource(name: string, column: Column): ColumnSource {
  if (column instanceof Float64Array) return { name, data: column, type: "DOUBLE", nullable: false };
  if (column instanceof Int32Array) return { name, data: column, type: "INT32", nullable: false };
  return { name, data: [...column], type: "STRING", nullable: false };
}
