/** What moves values and computes none: every bit is to be right. */
import { type Case, testCase, withScratch } from "../case.ts";
import { transpose } from "../reference/products.ts";
import { filled, floats, integers, map, normals, sizeOf, type Tensor, tensor } from "../tensor.ts";

const exact = 0;
const reshaped = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape });

/** Columns from … to − 1 of rows of so many; rows are columns of a matrix that is one row. */
function columns({ shape, data, ...rest }: Tensor, from: number, to: number): Tensor {
  const width = shape[1]!;
  const part = to - from;
  const picked = tensor([shape[0]!, part], (i) => data[Math.floor(i / part) * width + from + i % part]!);
  return { ...rest, ...picked };
}

function rows({ shape, data, ...rest }: Tensor, from: number, to: number): Tensor {
  const width = sizeOf(shape.slice(1));
  return { ...rest, shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) };
}

function stacked(parts: readonly Tensor[]): Tensor {
  const data = parts.flatMap(({ data }) => [...data]);
  return {
    ...parts[0]!,
    shape: [parts.reduce((sum, { shape }) => sum + shape[0]!, 0), parts[0]!.shape[1]!],
    data: Float64Array.from(data),
  };
}

const counted = (...shape: number[]) =>
  integers(Int32Array.from({ length: sizeOf(shape) }, (_, i) => i * 7 - 20), shape);

const slices: Case[] =
  ([[[7, 5], 2, 5], [[7, 5], 0, 7], [[7, 5], 3, 3], [[6], 1, 4], [[4, 3, 5], 1, 3], [[300, 64], 17, 260]] as const)
    .map(([shape, from, to]) =>
      testCase(
        `rows ${from} … ${to} of [${shape}]`,
        { x: normals(shape), i: counted(...shape) },
        (engine, { x, i }) => ({ y: engine.sliceRows(x, from, to), j: engine.sliceRows(i, from, to) }),
        ({ x, i }) => ({ y: rows(x, from, to), j: rows(i, from, to) }),
        exact,
      )
    );

const columnSlices: Case[] =
  ([[[7, 5], 2, 5], [[7, 5], 0, 1], [[7, 5], 4, 4], [[1, 9], 3, 8], [[300, 65], 1, 64]] as const)
    .map(([shape, from, to]) =>
      testCase(
        `columns ${from} … ${to} of [${shape}]`,
        { x: normals(shape), i: counted(...shape) },
        (engine, { x, i }) => ({ y: engine.sliceColumns(x, from, to), j: engine.sliceColumns(i, from, to) }),
        ({ x, i }) => ({ y: columns(x, from, to), j: columns(i, from, to) }),
        exact,
      )
    );

export const moves: readonly Case[] = [
  testCase(
    "upload and zeros of both types, one element and none",
    { x: normals([3, 5]), one: floats([1.5]), none: floats([], [0, 4]), i: integers([3, -1, 2147483647, -2147483648]) },
    (engine, x) => ({
      ...x,
      zeros: engine.zeros([5, 7]),
      full: engine.full([5, 7], -2.5),
      nought: engine.full([1], 0),
      integers: engine.zeros([3], "i32"),
      empty: engine.zeros([0, 3]),
    }),
    (x) => ({
      ...x,
      full: filled([5, 7], -2.5),
      nought: floats([0]),
      zeros: filled([5, 7], 0),
      integers: integers([0, 0, 0]),
      empty: filled([0, 3], 0),
    }),
    exact,
  ),
  testCase(
    "what is empty holds what is written to it, of both types",
    { x: normals([3, 5]), i: integers([3, -1]) },
    (engine, { x, i }) => {
      const [floats, integers] = [engine.empty([5, 3]), engine.empty([2], "i32")];
      engine.copy(floats, x);
      engine.copy(integers, i);
      return { floats, integers };
    },
    ({ x, i }) => ({ floats: reshaped(x, [5, 3]), integers: i }),
    exact,
  ),
  testCase(
    "write to the beginning, the middle and the end",
    { x: floats([1, 2, 3, 4, 5, 6], [2, 3]), i: integers([1, 2, 3, 4, 5]) },
    (engine, { x, i }) => {
      engine.write(x, Float32Array.of(10, 11));
      engine.write(x, Float32Array.of(12), 3);
      engine.write(x, Float32Array.of(13), 5);
      engine.write(x, new Float32Array(0), 6);
      const given = Int32Array.of(-7, -8);
      engine.write(i, given, 2);
      given.fill(99); // copied before the call returned
      return { x, i };
    },
    () => ({ x: floats([10, 11, 3, 12, 5, 13], [2, 3]), i: integers([1, 2, -7, -8, 5]) }),
    exact,
  ),
  testCase(
    "fill",
    { x: normals([3, 7]), i: integers([1, 2, 3]), large: normals([40_001]), one: floats([1]), around: floats([3, 4]) },
    (engine, { x, i, large, one, around }) => {
      engine.fill(x, -0.5);
      engine.fill(i, 9);
      engine.fill(large, 3);
      engine.fill(one, 0);
      return { x, i, large, one, around };
    },
    ({ around }) => ({
      x: filled([3, 7], -0.5),
      i: integers([9, 9, 9]),
      large: filled([40_001], 3),
      one: floats([0]),
      around,
    }),
    exact,
  ),
  testCase(
    "copy, to another shape, of both types",
    { x: normals([3, 4]), y: normals([2, 6], 1, 1), i: integers([1, 2, 3]), j: integers([4, 5, 6], [3, 1]) },
    (engine, { x, y, i, j }) => {
      engine.copy(y, x);
      engine.copy(j, i);
      engine.fill(x, 0);
      return { x, y, i, j };
    },
    ({ x, i }) => ({ x: filled([3, 4], 0), y: reshaped(x, [2, 6]), i, j: reshaped(i, [3, 1]) }),
    exact,
  ),
  testCase(
    "reshape is the same elements: what is written to one is in the other",
    { x: normals([4, 6]) },
    (engine, { x }) => {
      const view = engine.reshape(x, [3, 8]);
      const other = engine.reshape(view, [24]);
      engine.write(view, Float32Array.of(5, 6), 7);
      engine.write(x, Float32Array.of(7), 23);
      engine.addTo(other, engine.zeros([24]), 1);
      return { x, view, other, sum: engine.rowReduce("max", engine.reshape(view, [2, 12])) };
    },
    ({ x }) => {
      const after = map(x, (value, i) => ({ 7: 5, 8: 6, 23: 7 })[i] ?? value);
      const most = (from: number) => Math.max(...after.data.slice(from, from + 12));
      return {
        x: after,
        view: reshaped(after, [3, 8]),
        other: reshaped(after, [24]),
        sum: floats([most(0), most(12)]),
      };
    },
    exact,
  ),
  ...([[1, 1], [3, 5], [1, 9], [9, 1], [130, 67], [0, 4]] as const).map((shape) =>
    testCase(
      `transpose [${shape}]`,
      { x: normals(shape), i: counted(...shape) },
      (engine, { x, i }) => ({ y: engine.transpose(x), j: engine.transpose(i) }),
      ({ x, i }) => ({ y: transpose(x), j: { ...transpose(i), dtype: "i32" as const } }),
      exact,
    )
  ),
  ...slices,
  ...columnSlices,
  testCase(
    "concatenation of rows, one part, and parts without any",
    { a: normals([3, 5]), b: normals([1, 5], 1, 1), none: filled([0, 5], 0), i: counted(2, 3), j: counted(4, 3) },
    (engine, { a, b, none, i, j }) => ({
      all: engine.concatRows([a, none, b, a]),
      one: engine.concatRows([b]),
      integers: engine.concatRows([i, j]),
    }),
    ({ a, b, i, j }) => ({ all: stacked([a, b, a]), one: b, integers: stacked([i, j]) }),
    exact,
  ),
  testCase(
    "concatenation of columns",
    { a: normals([130, 5]), b: normals([130, 1]), c: normals([130, 66]), i: counted(3, 2), j: counted(3, 1) },
    (engine, { a, b, c, i, j }) => ({
      all: engine.concatColumns([a, b, c]),
      one: engine.concatColumns([c]),
      integers: engine.concatColumns([i, j]),
    }),
    ({ a, b, c, i, j }) => ({
      all: transpose(stacked([a, b, c].map(transpose))),
      one: c,
      integers: { ...transpose(stacked([i, j].map(transpose))), dtype: "i32" as const },
    }),
    exact,
  ),
  withScratch(testCase(
    "what is kept outlives its arena with its views, and nothing else of it moves",
    { x: normals([40]) },
    (engine, { x }) => {
      engine.enter();
      engine.zeros([100]);
      engine.enter();
      engine.zeros([50]);
      const made = engine.affine(x, 2);
      const view = engine.reshape(made, [8, 5]);
      const other = engine.affine(x, -1);
      const lost = engine.affine(x, 7);
      engine.keep(view);
      const kept = engine.keep(other);
      const again = engine.keep(made);
      engine.exit();
      engine.fill(engine.zeros([500]), 9); // where they lay
      engine.keep(kept);
      engine.keep(view);
      void lost;
      engine.exit();
      engine.fill(engine.zeros([500]), 8);
      engine.write(again, Float32Array.of(100), 1);
      return { made, view, kept, x };
    },
    ({ x }) => {
      const made = map(x, (value, i) => i === 1 ? 100 : 2 * value);
      return { made, view: reshaped(made, [8, 5]), kept: map(x, (value) => -value), x };
    },
    exact,
  )),
  testCase(
    "a variable is 0, lives on without its arena, and is given back",
    { x: normals([6, 4]) },
    (engine, { x }) => {
      engine.enter();
      const [first, second] = [engine.variable([6, 4]), engine.variable([6, 4])];
      engine.copy(first, x);
      engine.copy(second, first);
      engine.exit();
      engine.free(first);
      const [third, integers] = [engine.variable([5, 4]), engine.variable([2], { dtype: "i32" })];
      const results = {
        second: engine.affine(second, 1),
        third: engine.affine(third, 1),
        i: engine.sliceRows(integers, 0, 2),
      };
      for (const variable of [second, third, integers]) engine.free(variable);
      return results;
    },
    ({ x }) => ({ second: x, third: filled([5, 4], 0), i: integers([0, 0]) }),
    exact,
  ),
  testCase(
    "one rank: sums over ranks and what all of them have are one's own",
    { x: normals([3, 5]) },
    (engine, { x }) => {
      engine.allReduce(x);
      return { x, all: engine.affine(engine.allGather(x), 1) };
    },
    ({ x }) => ({ x, all: x }),
    exact,
  ),
];
