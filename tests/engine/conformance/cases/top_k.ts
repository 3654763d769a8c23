/** The largest of each row. */
import { type Case, testCase } from "../case.ts";
import { matmul } from "../reference/products.ts";
import { topK } from "../reference/rows.ts";
import { filled, floats, integers, map, normals, type Tensor, tensor } from "../tensor.ts";

function topCase(x: Tensor, k: number, what = ""): Case {
  return testCase(
    `the ${k} largest of each row of [${x.shape}]${what}`,
    { x },
    (engine, { x }) => engine.topK(x, k),
    ({ x }) => topK(x, k),
    0,
  );
}

/** The search goes on: those before are what a first part gave. */
function goesOn(first: Tensor, x: Tensor, k: number, what = ""): Case {
  const from = first.shape[1]!;
  return testCase(
    `the ${k} largest of each row of [${x.shape}] and of [${first.shape}] before${what}`,
    { x, ...topK(first, k) },
    (engine, { x, values, indices }) => engine.topK(x, k, { values, indices, from }),
    ({ x, values, indices }) => topK(x, k, { values, indices, from }),
    0,
  );
}

/** The search begins with nothing, or goes on with whatever is given. */
function from(values: Tensor, indices: Tensor, x: Tensor, what: string, from = 0): Case {
  const k = values.shape[1]!;
  return testCase(
    `the ${k} largest of each row of [${x.shape}], ${what}`,
    { x, values, indices },
    (engine, { x, values, indices }) => engine.topK(x, k, { values, indices, from }),
    ({ x, values, indices }) => topK(x, k, { values, indices, from }),
    0,
  );
}

/** The largest of a bᵀ, after what a first part of b gave, or of it alone. */
function products(a: Tensor, parts: readonly [first: Tensor, then?: Tensor], k: number, what: string): Case {
  const [first, then] = parts;
  const flags = { transposeB: true };
  const name = `the ${k} largest of [${a.shape}] × [${(then ?? first).shape}]ᵀ${what}`;
  if (then === undefined) {
    return testCase(
      name,
      { a, first },
      (engine, { a, first }) => engine.topProducts(a, first, k),
      ({ a, first }) => topK(matmul(a, first, flags), k),
    );
  }
  const from = first.shape[0]!;
  return testCase(
    name,
    { a, then, ...topK(matmul(a, first, flags), k) },
    (engine, { a, then, values, indices }) => engine.topProducts(a, then, k, { values, indices, from }),
    ({ a, then, values, indices }) => topK(matmul(a, then, flags), k, { values, indices, from }),
  );
}

const nothing = (rows: number, k: number) =>
  [filled([rows, k], -Infinity), integers(Array(rows * k).fill(-1), [rows, k])] as const;
const rounded = (x: Tensor) => map(x, (value) => Math.round(value));
/** Rows that fall: nothing of a later part goes before what is held. And rows that rise: all of it does. */
const falling = (rows: number, columns: number, first = 0) => tensor([rows, columns], (i) => -first - i % columns);
const rising = (rows: number, columns: number, first = 0) => tensor([rows, columns], (i) => first + i % columns);

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
  topCase(floats([NaN, 1, -Infinity, NaN, 2, NaN, NaN, NaN, -Infinity, -1], [2, 5]), 4, " with NaN, as small as −∞"),
  topCase(tensor([2, 70], (i) => i % 3 === 0 ? NaN : -i), 60, " with many NaN"),
  topCase(falling(2, 300), 7, " that fall"),
  topCase(rising(2, 300), 7, " that rise"),
  topCase(rounded(normals([3, 700], 4)), 300, " with equal ones in all parts"),

  goesOn(normals([11, 20]), normals([11, 30], 1, 1), 3),
  goesOn(normals([3, 400]), normals([3, 600], 1, 1), 50),
  goesOn(normals([3, 400]), normals([3, 600], 1, 1), 200),
  goesOn(normals([4, 60]), normals([4, 7], 1, 1), 50, ": fewer columns than k"),
  goesOn(normals([4, 9]), normals([4, 1], 1, 1), 9),
  goesOn(normals([4, 9]), normals([4, 0], 1, 1), 9, ": no column"),
  goesOn(normals([0, 9]), normals([0, 5], 1, 1), 3),
  goesOn(normals([3, 9]), normals([3, 5], 1, 1), 0),
  goesOn(falling(3, 40), falling(3, 300, 40), 8, ": nothing is better"),
  goesOn(rising(3, 40), rising(3, 300, 40), 8, ": all is better"),
  goesOn(filled([3, 20], 1), filled([3, 40], 1), 8, ": all are equal"),
  goesOn(rounded(normals([5, 33])), rounded(normals([5, 99], 1, 1)), 20, " with many equal ones"),
  goesOn(
    floats([0, -0, -1, -0, 0, -1], [2, 3]),
    floats([-0, 0, 1, 0, -0, -1], [2, 3]),
    3,
    ": 0 and −0 are equal",
  ),
  goesOn(
    floats([NaN, 1, NaN, -Infinity, 2, NaN], [2, 3]),
    floats([NaN, -Infinity, -5, 0, NaN, 3, -Infinity, NaN], [2, 4]),
    3,
    " with NaN, as small as −∞",
  ),
  goesOn(
    tensor([2, 40], () => NaN),
    map(normals([2, 64], 1, 1), (value, i) => i % 5 === 0 ? NaN : value),
    30,
    " of NaN",
  ),
  from(...nothing(3, 4), normals([3, 20]), "nothing before"),
  from(...nothing(3, 9), normals([3, 5]), "nothing before and fewer columns than k", 100),
  from(...nothing(2, 3), floats([NaN, -Infinity, -1, 0], [2, 2]), "nothing before, which stays before −∞ and NaN", 7),
  from(
    floats([5, 5, 1, 3, -Infinity, -Infinity], [2, 3]),
    integers([900, 4, 70, 2, -1, -1], [2, 3]),
    floats([5, 1, 6, 3, 4, 2], [2, 3]),
    "columns before in any order and few",
    1000,
  ),

  products(normals([11, 20]), [normals([30, 20], 1, 1)], 3, ""),
  products(normals([11, 20]), [normals([9, 20], 1, 1), normals([30, 20], 1, 2)], 9, " after others"),
  // Sums of whole numbers are exact, and often equal.
  products(
    rounded(normals([130, 128])),
    [rounded(normals([70, 128])), rounded(normals([200, 128], 1, 1))],
    2,
    " of whole numbers",
  ),
  products(normals([130, 400]), [normals([320, 400], 1, 1), normals([77, 400], 1, 2)], 10, " after many"),
  products(normals([0, 8]), [normals([5, 8], 1, 1)], 2, ""),
  products(normals([3, 8]), [normals([5, 8], 1, 1), normals([0, 8], 1, 1)], 2, " after others"),
];
