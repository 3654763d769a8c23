import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { fastForm } from "../../../lib/engine/cpu/native.ts";
import { type Engine, scopeAsync } from "../../../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../../../lib/engine/philox.ts";
import { WAYS } from "./dots.ts";

/** Rows around some centres, so that many products of a row are nearly as large as its largest. */
function rowsOf(count: number, depth: number, seed: number, spread = 0.3): Float32Array {
  const stream = randomStream(1, randomPurpose("sample"), seed);
  const centres = Float32Array.from({ length: 7 * depth }, (_, i) => Math.sin(i * 12.9898));
  return Float32Array.from({ length: count * depth }, (_, i) => {
    const centre = Math.floor(i / depth) * 5 % 7;
    return centres[centre * depth + i % depth]! + spread * stream.normal();
  });
}

/** Queries, a first part of a corpus, and what comes then. */
interface Search {
  readonly name: string;
  readonly depth: number;
  readonly k: number;
  readonly a: Float32Array;
  readonly first: Float32Array;
  readonly then: Float32Array;
}

type Change = (rows: Float32Array, part: "a" | "first" | "then") => void;
/** As few rows of a, and as few columns before, as a search needs to leave anything out. */
const [QUERIES, BEFORE] = [131, 1700];

function search(name: string, depth: number, k: number, columns: number, change: Change = () => {}): Search {
  const [a, first, then] = [rowsOf(QUERIES, depth, 1), rowsOf(BEFORE, depth, 2), rowsOf(columns, depth, 3)];
  change(a, "a");
  change(first, "first");
  change(then, "then");
  return { name, depth, k, a, first, then };
}
const scaled = (by: (i: number, part: string) => number): Change => (rows, part) =>
  rows.forEach((value, i) => rows[i] = value * by(i, part));
/** One row of a corpus after rows of 0, for queries that are all the same. */
const single = (name: string, query: (i: number) => number, row: (i: number) => number): Search =>
  search(name, 128, 1, 20, (rows, part) => {
    rows.forEach((_, i) => rows[i] = part === "a" ? query(i % 128) : part === "then" && i < 128 ? row(i) : 0);
    if (part === "first") rows[0] = -1e18;
  });

const searches: readonly Search[] = [
  search("50 of many", 384, 50, 1024),
  search("one of few", 128, 1, 33),
  search("none", 128, 0, 33),
  search("nothing to search in", 128, 2, 0),
  search("sums in slices", 1030, 20, 100),
  search("rows of all lengths", 200, 10, 300, scaled((i) => 10 ** (Math.floor(i / 200) % 17 - 8))),
  search("long and short features", 200, 10, 300, scaled((i) => 10 ** (i % 200 % 9 - 4))),
  search("products too small for a float", 128, 10, 300, scaled(() => 1e-25)),
  search("tiny queries", 128, 10, 300, scaled((_, part) => part === "a" ? 1e-29 : 1e18)),
  search("queries of next to nothing", 128, 10, 300, scaled((_, part) => part === "a" ? 3e-32 : 1e18)),
  search("a corpus of next to nothing", 128, 10, 300, scaled((_, part) => part === "a" ? 1e18 : 3e-32)),
  search("huge", 128, 10, 300, scaled(() => 1e17)),
  search("too long to be sure of", 128, 10, 300, scaled(() => 3e18)),
  search(
    "many equal ones",
    128,
    30,
    500,
    (rows) => rows.forEach((_, i) => rows[i] = i % 128 % 3 - Math.floor(i / 128) % 5),
  ),
  search("rows of 0", 128, 30, 500, scaled((i) => Math.floor(i / 128) % 3 === 0 ? 0 : 1)),
  search("what is not finite", 128, 10, 300, (rows, part) => {
    for (let i = 7; i < rows.length && part === "then"; i += 128 * 20 + 11) {
      rows[i] = [NaN, Infinity, -Infinity][i % 3]!;
    }
  }),
  single("a sum that is finite, and in whole numbers is not", () => 63, (i) => i === 0 ? -2.7775e36 : -1.115e34),
  single("a sum that is infinite on the way", (i) => i < 4 ? 1e20 : 0, (i) => i < 2 ? 2e18 : i < 4 ? -2e18 : 0),
];

const bits = ({ buffer }: Float32Array | Int32Array) => new Uint32Array(buffer as ArrayBuffer);

async function found(engine: Engine, { depth, k, a, first, then }: Search, isWhole: boolean): Promise<Uint32Array[]> {
  return await scopeAsync(engine, async () => {
    const [queries, before, rows] = [a, first, then].map((values) =>
      engine.upload(values, [values.length / depth, depth])
    );
    const product = (b: typeof rows) => engine.matmul(queries!, b!, { transposeB: true });
    const best = { ...engine.topK(product(before), k), from: BEFORE };
    const top = isWhole ? engine.topK(product(rows), k, best) : engine.topProducts(queries!, rows!, k, best);
    return [bits(await engine.read(top.values)), bits(await engine.read(top.indices))];
  });
}

const callsOf = (engine: Engine, name: string) => engine.times!().find(({ kernel }) => kernel === name)?.calls ?? 0;

Deno.test("what is left out of a search changes no bit of what it finds", async (t) => {
  for (const [name, native] of WAYS) {
    for (const threads of [1, 3]) {
      await t.step(`${name}, ${threads} threads`, async () => {
        for (const each of searches) {
          const engine = createCpuEngine({ threads, native, profile: true });
          const [values, indices] = await found(engine, each, false);
          const isUsed = callsOf(engine, "topProducts") > 0;
          const [allValues, allIndices] = await found(engine, each, true);
          engine.close();
          const differs = indices!.findIndex((index, i) => index !== allIndices![i] || values![i] !== allValues![i]);
          assert.equal(differs, -1, each.name);
          assert.equal(isUsed, fastForm(native) !== undefined, each.name);
        }
      });
    }
  }
});

Deno.test("a search goes on leaving products out as long as most are, and then multiplies all", async () => {
  const [, native] = WAYS.at(-1)!;
  if (fastForm(native) === undefined) return;
  const calls = async (each: Search) => {
    const engine = createCpuEngine({ threads: 1, native, profile: true });
    for (let i = 0; i < 3; i++) await found(engine, each, false);
    const calls = callsOf(engine, "topProducts");
    engine.close();
    return calls;
  };
  assert.equal(await calls(searches[0]!), 3);
  const near: Change = (rows) => rows.forEach((value, i) => rows[i] = 1 + 0.01 * value);
  assert.equal(await calls(search("rows that are all but the same", 384, 50, 1024, near)), 1);
});
