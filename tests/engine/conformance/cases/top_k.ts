/** The largest of each row. */
import { type Case, testCase } from "../case.ts";
import { topK } from "../reference/rows.ts";
import { floats, map, normals, type Tensor } from "../tensor.ts";

function topCase(x: Tensor, k: number, what = ""): Case {
  return testCase(
    `the ${k} largest of each row of [${x.shape}]${what}`,
    { x },
    (engine, { x }) => engine.topK(x, k),
    ({ x }) => topK(x, k),
    0,
  );
}

export const largest: readonly Case[] = [
  topCase(normals([11, 20]), 3),
  topCase(normals([3, 5]), 5),
  topCase(normals([16, 20]), 2),
  topCase(normals([300, 67]), 10),
  topCase(normals([2, 5000]), 100),
  topCase(normals([4, 1]), 1),
  topCase(normals([0, 4]), 2),
  topCase(normals([3, 4]), 0),
  topCase(
    floats([1, 3, 3, 2, 3, -1, -1, -1, -1, -2, 0, -0, 0, -Infinity, 5, -7, -8, -9, -10, -11], [4, 5]),
    3,
    " with equal ones",
  ),
  topCase(map(normals([5, 33]), (value) => Math.round(value)), 8, " with many equal ones"),
];
