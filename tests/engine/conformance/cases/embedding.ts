/** Rows of a table, and their gradient. */
import { type Case, testCase } from "../case.ts";
import { gather, scatterAdd } from "../reference/rows.ts";
import { integers, normals } from "../tensor.ts";

/** Ids of which some come often and some never. */
const idsOf = (count: number, rows: number) =>
  integers(Int32Array.from({ length: count }, (_, i) => (i * i * 3) % rows));

export const embedding: readonly Case[] =
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
