import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { DOTS, LEVELS, type NativeKernels, openNativeKernels } from "../../../lib/engine/cpu/native.ts";
import { type Engine, scopeAsync } from "../../../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../../../lib/engine/philox.ts";

/** Every way in which the machine can know products about: by level, and by instruction. */
const ways: [name: string, native: NativeKernels | undefined][] = [["wasm", undefined]];
for (const level of LEVELS) {
  const { native } = await openNativeKernels(level);
  if (native === undefined) continue;
  for (const dots of DOTS.slice(0, DOTS.indexOf(native.dots) + 1)) {
    ways.push([`${level}, ${dots}`, { ...native, dots }]);
  }
}

/** Rows around some centres, so that many products of a row are nearly as large as its largest. */
function rowsOf(count: number, depth: number, seed: number, spread = 0.3): Float32Array {
  const stream = randomStream(1, randomPurpose("sample"), seed);
  const centres = Float32Array.from({ length: 7 * depth }, (_, i) => Math.sin(i * 12.9898));
  return Float32Array.from({ length: count * depth }, (_, i) => {
    const centre = Math.floor(i / depth) * 5 % 7;
    return centres[centre * depth + i % depth]! + spread * stream.normal();
  });
}

interface Search {
  readonly name: string;
  readonly depth: number;
  readonly k: number;
  readonly a: Float32Array;
  readonly first: Float32Array;
  readonly then: Float32Array;
}

const [QUERIES, BEFORE] = [131, 1700];
function search(
  name: string,
  depth: number,
  k: number,
  columns: number,
  change: (rows: Float32Array) => void = () => {},
): Search {
  const [a, first, then] = [rowsOf(QUERIES, depth, 1), rowsOf(BEFORE, depth, 2), rowsOf(columns, depth, 3)];
  for (const rows of [a, first, then]) change(rows);
  return { name, depth, k, a, first, then };
}
const scaled = (by: (i: number) => number) => (rows: Float32Array) =>
  rows.forEach((value, i) => rows[i] = value * by(i));

const searches: readonly Search[] = [
  search("50 of many", 384, 50, 1024),
  search("one of few", 128, 1, 33),
  search("sums in slices", 1030, 20, 100),
  search("rows of all lengths", 200, 10, 300, scaled((i) => 10 ** (Math.floor(i / 200) % 17 - 8))),
  search("long and short features", 200, 10, 300, scaled((i) => 10 ** (i % 200 % 9 - 4))),
  search("tiny", 128, 10, 300, scaled(() => 1e-25)),
  search("next to nothing", 128, 10, 300, scaled(() => 3e-32)),
  search("huge", 128, 10, 300, scaled(() => 1e17)),
  search(
    "many equal ones",
    128,
    30,
    500,
    (rows) => rows.forEach((_, i) => rows[i] = i % 128 % 3 - Math.floor(i / 128) % 5),
  ),
  search("rows of 0", 128, 30, 500, scaled((i) => Math.floor(i / 128) % 3 === 0 ? 0 : 1)),
  search("what is not finite", 128, 10, 300, (rows) => {
    for (let i = 128 * 7; i < rows.length; i += 128 * 40) rows[i] = [NaN, Infinity, -Infinity][i % 3]!;
  }),
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

Deno.test("what is left out of a search changes no bit of what it finds", async (t) => {
  for (const [name, native] of ways) {
    for (const threads of [1, 3]) {
      await t.step(`${name}, ${threads} threads`, async () => {
        const engine = createCpuEngine({ threads, native });
        for (const each of searches) {
          const [values, indices] = await found(engine, each, false);
          const [allValues, allIndices] = await found(engine, each, true);
          const differs = indices!.findIndex((index, i) => index !== allIndices![i] || values![i] !== allValues![i]);
          assert.equal(differs, -1, each.name);
        }
        engine.close();
      });
    }
  }
});

Deno.test("most products are left out", async () => {
  const { native } = await openNativeKernels();
  const engine = createCpuEngine({ threads: 1, native, profile: true });
  await found(engine, searches[0]!, false);
  const kernels = engine.times!().map(({ kernel }) => kernel);
  engine.close();
  assert.ok(kernels.includes("topProducts") || native?.dots === "widened" && Deno.build.arch === "aarch64");
});
