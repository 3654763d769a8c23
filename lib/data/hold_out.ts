/**
 * Rows that are held out of a training, to say what it was worth: none of their texts is trained on.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import type { Dataset } from "./dataset.ts";
import { type Columns, selectRows } from "./rows.ts";

/** Below so many rows nothing is held out where nobody asked for it. */
export const FEWEST_ROWS = 20;
/** Rows that are held out at most where nobody asked for more. */
const MOST_HELD_OUT = 1000;

/** Options of {@linkcode holdOut}. */
export interface HoldOutOptions {
  /** Rows, or a share below 1. Default: a tenth, 1,000 rows at most, and none of fewer than 20. */
  readonly rows?: number | undefined;
  /** Which rows is a function of it. */
  readonly seed: number;
  /** Columns whose texts must not be on both sides. Default: all columns of texts but negatives. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * How many of so many rows are to be held out.
 *
 * @param rows Rows in all.
 * @param wanted Rows, or a share below 1. Default: a tenth, 1,000 at most, and none of fewer than 20 rows.
 * @returns A whole number below `rows`.
 * @throws {DatasetError} So many cannot be held out.
 */
export function heldOutCount(rows: number, wanted?: number): number {
  if (wanted === undefined) return rows < FEWEST_ROWS ? 0 : Math.min(MOST_HELD_OUT, Math.round(rows / 10));
  const count = wanted < 1 ? Math.round(wanted * rows) : wanted;
  if (Number.isInteger(count) && count >= 0 && count < rows) return count;
  throw new DatasetError("so many rows cannot be held out", {
    expected: `a share below 1, or a whole number below ${rows}`,
    found: `${wanted}`,
  });
}

/**
 * Holds out rows. Rows that share a text, directly or through others, fall on one side; a group of rows that is larger than
 * what is still wanted is trained on, so that fewer rows than wanted may be held out, never more. Both parts keep the order
 * of the rows; in time nearly linear in the number of texts.
 *
 * @param dataset All rows.
 * @param options How many, and which.
 * @returns Rows to train on, and rows to measure by: none where all rows hang together.
 * @throws {DatasetError} So many cannot be held out.
 *
 * @example
 * ```ts
 * import { holdOut } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const columns = { anchor: ["a", "b", "a", "c"], positive: ["x", "y", "z", "z"] };
 * const { train, heldOut } = holdOut({ columns, rows: 4 }, { rows: 1, seed: 1 });
 * assert.deepEqual(heldOut.columns.anchor, ["b"]); // the others hang together: a, z
 * assert.equal(train.rows, 3);
 * ```
 */
export function holdOut<C extends Columns>(
  dataset: Dataset<C>,
  options: HoldOutOptions,
): { readonly train: Dataset<C>; readonly heldOut: Dataset<C> } {
  const { seed, columns = textColumns(dataset) } = options;
  const most = heldOutCount(dataset.rows, options.rows);
  const groups = groupsOf(columns.map((name) => dataset.columns[name] as readonly string[]), dataset.rows);
  const order = randomStream(seed, randomPurpose("split")).shuffle(Int32Array.from(groups.keys()));
  const held = new Uint8Array(dataset.rows);
  let count = 0;
  for (const number of order) {
    if (count === most) break;
    const group = groups[number]!;
    if (count + group.length > most) continue;
    for (const row of group) held[row] = 1;
    count += group.length;
  }
  const side = (value: number) => Int32Array.from(held.keys()).filter((row) => held[row] === value);
  return { train: selectRows(dataset, side(0)), heldOut: selectRows(dataset, side(1)) };
}

/** Columns of texts by which rows hang together. */
function textColumns(dataset: Dataset<Columns>): string[] {
  return Object.keys(dataset.columns).filter((name) =>
    Array.isArray(dataset.columns[name]) && !name.startsWith("negative")
  );
}

/** Rows that hang together, by union-find: each text unites the rows that have it. */
function groupsOf(columns: readonly (readonly string[])[], rows: number): readonly (readonly number[])[] {
  const parent = Int32Array.from({ length: rows }, (_, row) => row);
  const rootOf = (row: number): number => {
    while (parent[row] !== row) row = parent[row] = parent[parent[row]!]!; // halves the path as it goes
    return row;
  };
  const first = new Map<string, number>();
  for (const column of columns) {
    for (let row = 0; row < rows; row++) {
      const known = first.get(column[row]!);
      if (known === undefined) {
        first.set(column[row]!, row);
        continue;
      }
      const [a, b] = [rootOf(known), rootOf(row)];
      parent[Math.max(a, b)] = Math.min(a, b); // the root is a group's first row
    }
  }
  const groups = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    const root = rootOf(row);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
