/**
 * The table of every row's texts and cosines, written while the rows are measured.
 *
 * @module
 */
import { join } from "node:path";
import { csvRows } from "../data/csv_text.ts";
import type { ScoreColumns } from "./pair_evaluation.ts";

/** A table that is being written. */
export interface ScoreTable {
  /** Appends rows; the first ones name the columns. */
  readonly write: (columns: ScoreColumns) => Promise<void>;
  /** Ends the file and gives it its name. */
  readonly finish: () => Promise<void>;
  /** Leaves no file, unless it is finished. */
  readonly abandon: () => Promise<void>;
}

/** Rows that become text at a time. */
const ROWS = 1000;

/** Begins `scores.csv` in a folder, under a temporary name; the folder is made where it is missing. */
export async function scoreTable(folder: string): Promise<ScoreTable> {
  await Deno.mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  const file = await Deno.open(temporary, { write: true, createNew: true });
  let open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  const encoder = new TextEncoder();
  const append = async (text: string) => {
    const bytes = encoder.encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  let isEmpty = true;
  return {
    async write(columns) {
      const names = Object.keys(columns);
      if (isEmpty) await append(csvRows([names]));
      isEmpty = false;
      const values = Object.values(columns);
      const count = values[0]!.length;
      for (let from = 0; from < count; from += ROWS) {
        const rows = Array.from({ length: Math.min(ROWS, count - from) }, (_, i) => values.map((all) => all[from + i]));
        await append(csvRows(rows));
      }
    },
    async finish() {
      await file.sync();
      close();
      await Deno.rename(temporary, join(folder, "scores.csv"));
    },
    async abandon() {
      close();
      await Deno.remove(temporary).catch(() => {});
      await Deno.remove(folder).catch(() => {}); // if nothing else is in it
    },
  };
}
