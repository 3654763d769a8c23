/** One row of the table: kernels on some inputs, and what they are to give. */
import assert from "node:assert/strict";
import type { Engine, Handle } from "../../../lib/engine/engine.ts";
import type { Tensor } from "./tensor.ts";

/** A case, for any engine. */
export interface Case {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The kernels. They may change the inputs in place. */
  readonly run: (engine: Engine, inputs: Readonly<Record<string, Handle>>) => Readonly<Record<string, Handle>>;
  /** What each result is by definition. */
  readonly expected: () => Readonly<Record<string, Tensor>>;
  /** How far a result may be off, in shares of its largest element. */
  readonly tolerance: number;
  /** Whether an engine may have used memory behind the results, and given it back. */
  readonly scratch?: boolean;
  /** What an engine may do without, if it refuses it by name. */
  readonly needs?: "int8";
}

/** What most kernels keep: some tens of roundings. */
const TOLERANCE = 3e-6;

/**
 * A case, whose results are the same by name here and there.
 *
 * @param name What is special about it.
 * @param inputs Tensors by name.
 * @param run The kernels, on these inputs as an engine has them.
 * @param expected The definition, in double precision.
 * @param tolerance Where some tens of roundings do not cover it; 0: the same bits.
 */
export function testCase<I extends Readonly<Record<string, Tensor>>, Result extends string>(
  name: string,
  inputs: I,
  run: (engine: Engine, inputs: { readonly [Name in keyof I]: Handle }) => Readonly<Record<Result, Handle>>,
  expected: (inputs: I) => Readonly<Record<Result, Tensor>>,
  tolerance = TOLERANCE,
): Case {
  let computed: Readonly<Record<string, Tensor>> | undefined;
  // Such as f32 can hold, so that every engine gets what the definition gets.
  const exact = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      value.dtype === "i32" ? value : { ...value, data: value.data.map(Math.fround) },
    ]),
  ) as I;
  return {
    name,
    inputs: exact,
    run: (engine, handles) => run(engine, handles as { readonly [Name in keyof I]: Handle }),
    expected: () => computed ??= expected(exact),
    tolerance,
  };
}

/** The same case, where what is behind the results may be written to as well. */
export const withScratch = (each: Case): Case => ({ ...each, scratch: true });

/** What an engine gave, by name. */
export type Values = Readonly<Record<string, Float32Array | Int32Array>>;

/** Uploads a tensor of the reference. */
export function upload(engine: Engine, { shape, data, dtype = "f32" }: Tensor): Handle {
  return engine.upload(dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data), shape);
}

/**
 * Runs a case and compares every result. Memory that is handed out is full of NaN before.
 *
 * @param engine Where.
 * @param each The case.
 * @param displaced Whether tensors move, so that memory behind them has been used.
 * @returns The results as the engine has them.
 */
export async function check(
  engine: Engine,
  { inputs, run, expected, tolerance, scratch = false }: Case,
  displaced = false,
): Promise<Values> {
  const wanted = expected();
  const values: Record<string, Float32Array | Int32Array> = {};
  engine.enter();
  try {
    const handles = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, upload(engine, value)]));
    engine.enter();
    const size = Object.values(wanted).reduce((total, { data }) => total + data.length + 16, 1 << 16);
    engine.upload(new Float32Array(size).fill(NaN), [size]);
    engine.exit();
    const results = run(engine, handles);
    const behind = await engine.read(engine.empty([256])); // where the engine put nothing
    if (!scratch && !displaced && Number.isNaN(behind.at(-1))) {
      const written = behind.findLastIndex((value) => !Number.isNaN(value));
      assert.equal(written, -1, "what is behind the results is written to");
    }
    assert.deepEqual(Object.keys(results).sort(), Object.keys(wanted).sort());
    for (const [name, handle] of Object.entries(handles)) {
      if (Object.values(results).includes(handle)) continue;
      const [after, before] = [await engine.read(handle), inputs[name]!.data];
      assert.ok(after.every((value, i) => Object.is(value, before[i])), `the input ${name} is changed`);
    }
    for (const [name, handle] of Object.entries(results)) {
      values[name] = await engine.read(handle);
      assert.deepEqual([...handle.shape], [...wanted[name]!.shape], `the shape of ${name}`);
      assert.equal(handle.dtype, wanted[name]!.dtype ?? "f32", `the type of ${name}`);
    }
  } finally {
    engine.exit();
  }
  for (const [name, found] of Object.entries(values)) compare(name, found, wanted[name]!, tolerance);
  return values;
}

/** Every element near its value, measured by the largest one; what is not finite the same. */
function compare(name: string, found: Float32Array | Int32Array, wanted: Tensor, tolerance: number): void {
  const { data, shape, only } = wanted;
  assert.equal(found.length, data.length, `the size of ${name}`);
  const places = only ?? [...data.keys()];
  const largest = places.reduce((most, i) => Number.isFinite(data[i]!) ? Math.max(most, Math.abs(data[i]!)) : most, 0);
  for (const i of places) {
    const [a, b] = [found[i]!, data[i]!];
    const right = Number.isFinite(b) ? Math.abs(a - b) <= tolerance * largest : Object.is(a, b);
    if (!right) {
      assert.fail(`${name}[${i}] of [${shape}] is ${a} instead of ${b} (off by ${a - b}, largest ${largest})`);
    }
  }
}
