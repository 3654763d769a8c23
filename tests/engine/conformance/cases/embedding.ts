/** Rows of a table, and their gradient. */
import type { WeighingMode } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { gather, scatterAdd } from "../reference/rows.ts";
import { pool } from "../reference/sequences.ts";
import { add, differences, dot, integers, normals, some, type Tensor } from "../tensor.ts";

/** Ids of which some come often and some never. */
const idsOf = (count: number, rows: number) =>
  integers(Int32Array.from({ length: count }, (_, i) => (i * i * 3) % rows));

/** Sequences of tokens that are rows of a table. */
function pooled(mode: WeighingMode, skip: number): Case {
  const [rows, width, lengths] = [13, 21, [4, 0, 1, 9, 2, 30, 3]];
  const offsets = Int32Array.from([0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b))]);
  return testCase(
    `gather and scatter-add by ${mode} of sequences, ${skip} left out`,
    {
      table: normals([rows, width]),
      ids: idsOf(offsets.at(-1)!, rows),
      offsets: integers(offsets),
      dy: normals([lengths.length, width], 1, 1),
      dTable: normals([rows, width], 1, 2),
    },
    (engine, { table, ids, offsets, dy, dTable }) => {
      engine.scatterPool(dTable, ids, offsets, dy, mode, skip);
      return { y: engine.gatherPool(table, ids, offsets, mode, skip), dTable };
    },
    ({ table, ids, offsets, dy, dTable }) => {
      const of = (table: Tensor) => pool(gather(table, ids), offsets, mode, skip);
      return { y: of(table), dTable: add(dTable, differences(table, (table) => dot(dy, of(table)), some(table, 60))) };
    },
  );
}

const gathers: readonly Case[] =
  ([[9, 5, 11], [1, 1, 4], [7, 20, 1], [50, 96, 300], [16, 16, 16], [3, 4, 0], [40, 1, 9], [2, 17, 200]] as const).map((
    [rows, width, count],
  ) =>
    testCase(
      `gather and scatter-add: ${count} of [${rows}, ${width}]`,
      {
        table: normals([rows, width]),
        ids: idsOf(count, rows),
        dy: normals([count, width], 1, 1),
        dTable: normals([rows, width], 1, 2),
      },
      (engine, { table, ids, dy, dTable }) => {
        engine.scatterAdd(dTable, ids, dy);
        return { y: engine.gather(table, ids), dTable };
      },
      ({ table, ids, dy, dTable }) => ({ y: gather(table, ids), dTable: scatterAdd(dTable, ids, dy) }),
    )
  );

const MODES = ["mean", "cls", "mean_sqrt_len", "weightedmean", "lasttoken"] as const;

export const embedding: readonly Case[] = [...gathers, ...MODES.flatMap((mode) => [pooled(mode, 0), pooled(mode, 2)])];
