import assert from "node:assert/strict";
import {
  dequantizeEmbeddings,
  embeddingRanges,
  type Embeddings,
  nearest,
  nearestBits,
  nearestQuantized,
  quantizeEmbeddings,
  recallOf,
  tokenEmbeddings,
} from "../../lib/embed/mod.ts";
import { OUTPUT_PRECISIONS } from "../../lib/embed/quantize.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("quantization.json")));

function matrix(values: readonly number[], width: number): Embeddings {
  return { data: Float32Array.from(values), width, rows: values.length / width };
}

type Expected = Readonly<Record<"int8" | "uint8" | "binary" | "ubinary" | "float16", number[]>>;
const expectedOf = (expected: Expected) => Object.entries(expected) as [keyof Expected, number[]][];

/** Different rows of numbers, the same on every run. */
function waves(rows: number, width: number, seed = 1): Embeddings {
  return { data: Float32Array.from({ length: rows * width }, (_, i) => Math.sin(seed + i * (i % 977))), width, rows };
}

for (const { name, width, rows, expected } of golden.cases) {
  Deno.test(`${name}: embeddings in every precision are sentence-transformers'`, () => {
    const embeddings = matrix(rows, width);
    for (const [precision, values] of expectedOf(expected)) {
      assert.deepEqual([...quantizeEmbeddings(embeddings, precision).data], values, precision);
    }
    assert.deepEqual(quantizeEmbeddings(embeddings, "float32").data, embeddings.data);
  });
}

Deno.test("ranges are those of the calibration, given as they are or as embeddings", () => {
  const { width, rows } = golden.cases[0];
  const { rows: values, calibrated, ranges } = golden.calibration;
  const [embeddings, calibrationEmbeddings] = [matrix(rows, width), matrix(values, width)];
  const found = embeddingRanges(calibrationEmbeddings);
  assert.deepEqual([...found.min, ...found.max], ranges);
  for (const [precision, codes] of expectedOf(calibrated)) {
    assert.deepEqual([...quantizeEmbeddings(embeddings, precision, { calibrationEmbeddings }).data], codes);
    assert.deepEqual([...quantizeEmbeddings(embeddings, precision, { ranges: found }).data], codes);
  }
  assert.deepEqual(quantizeEmbeddings(embeddings, "int8", { ranges: found }).ranges, found);
});

Deno.test("what comes back is within a step of what it was; bits are its signs; halves themselves", () => {
  const embeddings = waves(50, 13);
  const { min, max } = embeddingRanges(embeddings);
  for (const precision of ["int8", "uint8"] as const) {
    const { data } = dequantizeEmbeddings(quantizeEmbeddings(embeddings, precision));
    data.forEach((x, i) => {
      const lost = embeddings.data[i]! - x;
      const step = (max[i % 13]! - min[i % 13]!) / 255;
      assert.ok(lost >= -1e-6 && lost <= step + 1e-6, `${lost} of a step of ${step}`);
    });
  }
  for (const precision of ["binary", "ubinary"] as const) {
    const { data } = dequantizeEmbeddings(quantizeEmbeddings(embeddings, precision), 10, 12);
    assert.deepEqual([...data], [...embeddings.data.subarray(130, 156)].map((x) => x > 0 ? 1 : -1));
  }
  const halves = dequantizeEmbeddings(quantizeEmbeddings(embeddings, "float16"));
  assert.deepEqual([...halves.data], [...embeddings.data].map(Math.f16round));
});

Deno.test("what is not finite, too large for float16, without a range or of another width is refused", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const precision of OUTPUT_PRECISIONS) {
      assert.throws(() => quantizeEmbeddings(matrix([1, 2, 3, bad], 2), precision), {
        message: /not finite/,
        where: "row 1, feature 1",
      });
    }
  }
  assert.throws(() => quantizeEmbeddings(matrix([65520], 1), "float16"), /too large for float16/);
  assert.throws(() => quantizeEmbeddings(matrix([1, 2], 2), "int8"), /single embedding has no ranges/);
  const ranges = { min: Float32Array.of(0, 1), max: Float32Array.of(1, 0) };
  assert.throws(() => quantizeEmbeddings(matrix([1, 2], 2), "uint8", { ranges }), /range of a feature is none/);
  assert.throws(() => quantizeEmbeddings(matrix([1, 2, 3], 3), "uint8", { ranges }), /another width/);
  const { ranges: _, ...bare } = quantizeEmbeddings(waves(3, 2), "int8");
  assert.throws(() => dequantizeEmbeddings(bare), /without their ranges/);
  assert.equal(quantizeEmbeddings(matrix([], 9), "binary").columns, 2);
  assert.equal(quantizeEmbeddings(matrix([], 9), "int8").rows, 0);
});

for (const { name, create } of engines) {
  for (const { precision, rows, scores } of golden.searches) {
    Deno.test(`${name}: a search in ${precision} finds what sentence-transformers' with rescoring finds`, async () => {
      const { k, multiplier, width } = golden.search;
      const [corpus, queries] = [matrix(golden.search.corpus, width), matrix(golden.search.queries, width)];
      const engine = await create();
      const found = await nearestQuantized(engine, queries, quantizeEmbeddings(corpus, precision), {
        k,
        rescoreMultiplier: multiplier,
        similarity: "dot",
      });
      assert.deepEqual([...found.indices], rows.flat());
      assertNear("scores", found.scores, scores.flat(), 1e-5);
      engine.close();
    });
  }

  for (const { folder, prompt, lengths, width, values } of golden.tokens) {
    Deno.test(`${name}: embeddings of tokens by ${folder} ${prompt === null ? "" : "with a prompt "}are sentence-transformers'`, async () => {
      const engine = await create();
      const model = await loadBiEncoder(engine, goldenPath(folder));
      for (const tokenBudget of [4096, 20]) {
        const options = { prefix: prompt ?? "", tokenBudget };
        const found = await tokenEmbeddings(engine, model, golden.texts, options);
        assert.deepEqual([found.width, found.rows], [width, golden.texts.length]);
        const ends = lengths.map((_: number, i: number) =>
          lengths.slice(0, i + 1).reduce((a: number, b: number) => a + b)
        );
        assert.deepEqual([...found.offsets], [0, ...ends]);
        assertNear("tokens", found.data, values, 1e-5);
      }
      engine.close();
    });
  }
}

Deno.test("bits that differ are counted right at any width, in rows of either kind", async () => {
  for (const width of [1, 7, 8, 31, 32, 33, 64, 95, 96, 100, 384, 1029]) {
    const corpus = waves(40, width, 2);
    const queries = waves(3, width, 5);
    const differing = (q: number, row: number) =>
      queries.data.subarray(q * width, (q + 1) * width)
        .reduce((sum, x, i) => sum + ((x > 0) !== (corpus.data[row * width + i]! > 0) ? 1 : 0), 0);
    for (const [a, b] of [["binary", "binary"], ["ubinary", "binary"], ["ubinary", "ubinary"]] as const) {
      const found = await nearestBits(quantizeEmbeddings(queries, a), quantizeEmbeddings(corpus, b), { k: 7 });
      for (let q = 0; q < 3; q++) {
        const right = Array.from({ length: 40 }, (_, row) => row)
          .sort((x, y) => differing(q, x) - differing(q, y) || x - y).slice(0, 7);
        assert.deepEqual([...found.indices.subarray(7 * q, 7 * q + 7)], right, `${width} ${a} ${b}`);
        assert.deepEqual([...found.scores.subarray(7 * q, 7 * q + 7)], right.map((row) => -differing(q, row)));
      }
    }
  }
});

Deno.test("rescoring by another precision of the corpus, and with every row a candidate, comes to the float search", async () => {
  const engine = await engines[0]!.create();
  const [corpus, queries] = [waves(300, 32), waves(20, 32, 3)];
  const exact = await nearest(engine, queries, corpus, { k: 10 });
  const bits = quantizeEmbeddings(corpus, "ubinary");
  const recall = async (options: object) =>
    recallOf(await nearestQuantized(engine, queries, bits, { k: 10, ...options }), exact);
  const all = { rescoreMultiplier: 30, rescoreWith: quantizeEmbeddings(corpus, "float32") };
  assert.equal(await recall(all), 1);
  const found = await nearestQuantized(engine, queries, bits, { k: 10, ...all });
  assertNear("cosines", found.scores, exact.scores, 1e-5);
  const [few, more] = [await recall({ rescoreMultiplier: 1 }), await recall({ ...all, rescoreMultiplier: 4 })];
  assert.ok(few < more && more < 1, `${few} ${more}`);
  // Cosine and dot product of bits order alike, and fewer rows than are asked for are all found.
  const by = async (similarity: "cosine" | "dot") =>
    (await nearestQuantized(engine, queries, bits, { k: 10, similarity })).indices;
  assert.deepEqual(await by("cosine"), await by("dot"));
  assert.equal((await nearestQuantized(engine, queries, bits, { k: 500 })).k, 300);
  assert.equal((await nearestQuantized(engine, queries, quantizeEmbeddings(corpus, "int8"), { k: 500 })).k, 300);
  await assert.rejects(nearestQuantized(engine, waves(1, 8), bits), /do not fit together/);
  await assert.rejects(
    nearestQuantized(engine, queries, bits, { rescoreWith: quantizeEmbeddings(waves(2, 32), "int8") }),
    /must be the same corpus/,
  );
  engine.close();
});
