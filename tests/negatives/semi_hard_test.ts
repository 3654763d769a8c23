import assert from "node:assert/strict";
import type { Dataset, Pairs } from "../../lib/data/dataset.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError, EvaluationError, UsageError } from "../../lib/error.ts";
import { type Candidates, findCandidates } from "../../lib/negatives/candidates.ts";
import { toLabelledLists, toLabelledPairs, toTriplets, toTuples } from "../../lib/negatives/formats.ts";
import { semiHardNegatives, type SemiHardOptions } from "../../lib/negatives/semi_hard.ts";
import { embedAngles, pairsOf } from "./vectors.ts";

async function mine(pairs: Dataset<Pairs>, options: SemiHardOptions, embed = embedAngles) {
  const engine = createCpuEngine({ threads: 1 });
  try {
    return await semiHardNegatives(engine, pairs, embed, options);
  } finally {
    engine.close();
  }
}

/** Negatives by anchor. */
function lists({ anchors, documents, indices, counts, width }: Candidates): Record<string, string[]> {
  return Object.fromEntries(
    anchors.map((anchor, i) => [
      anchor,
      Array.from(indices.subarray(i * width, i * width + counts[i]!), (row) => documents[row]!),
    ]),
  );
}

const corpus = Array.from({ length: 30 }, (_, i) => `c${i + 10}`);

Deno.test("random sampling draws from the range alone, by the seed, best first", async () => {
  // Another anchor with many positives: the search brings more than the range.
  const pairs = pairsOf(["a0", "p1"], ["b0", "p1"], ["z180", "p180"], ["z180", "p181"], ["z180", "p182"]);
  const options = { corpus, negatives: 3, rangeMin: 5, rangeMax: 15, sampling: "random" } as const;
  const range = corpus.slice(5, 15);
  const seen = new Set<string>();
  const draws = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const { negatives } = await mine(pairs, { ...options, seed });
    const found = lists(negatives);
    const { a0, b0 } = found as { a0: string[]; b0: string[] };
    for (const list of [a0, b0]) {
      assert.equal(new Set(list).size, 3);
      assert.ok(list.every((text) => range.includes(text)), `${list}`);
      assert.deepEqual(list, list.toSorted());
      list.forEach((text) => seen.add(text));
    }
    draws.add(`${a0}|${b0}`);
    if (seed === 7) assert.deepEqual(lists((await mine(pairs, { ...options, seed })).negatives), found);
  }
  assert.equal(seen.size, range.length, "every candidate of the range is drawn at times");
  assert.ok(draws.size > 17, "seeds differ");
  const few = await mine(pairs, { ...options, corpus: corpus.slice(0, 7) });
  assert.deepEqual(lists(few.negatives)["a0"]!.slice(0, 2), ["c15", "c16"], "fewer than were wanted are all taken");
});

Deno.test("a text is no negative of itself, unless that is asked for", async () => {
  const pairs = pairsOf(["a0", "p5"]);
  const options = { corpus: ["a0", "c40", "c50"], negatives: 2, rangeMax: 2 };
  assert.deepEqual(lists((await mine(pairs, options)).negatives), { a0: ["c40", "c50"] });
  assert.deepEqual(lists((await mine(pairs, { ...options, includeAnchor: true })).negatives), { a0: ["a0", "c40"] });
});

Deno.test("no positive of an anchor is its negative; the margin goes by the lowest of them", async () => {
  const pairs = pairsOf(["a0", "p5"], ["a0", "p60"], ["b90", "p80"], ["a0", "p5"]);
  const { negatives } = await mine(pairs, { corpus: ["c20", "c70"], negatives: 5, absoluteMargin: 0 });
  assert.deepEqual(lists(negatives), { a0: ["c70", "p80"], b90: ["c70", "p60", "c20", "p5"] });
  const { dataset } = toTriplets(negatives);
  assert.deepEqual(dataset.columns.positive.slice(0, 4), ["p5", "p5", "p60", "p60"]);
});

Deno.test("a scorer decides, without a margin as well, in calls for all anchors together", async () => {
  const pairs = pairsOf(["a0", "p1"], ["b5", "p2"], ["b5", "p3"]);
  const calls: number[] = [];
  const score = (scored: readonly (readonly [string, string])[]) => {
    calls.push(scored.length);
    return Promise.resolve(Float32Array.from(scored, ([, document]) => Number(document.slice(1)) / 100));
  };
  const found = await mine(pairs, { corpus, negatives: 2, rangeMax: 6, score });
  assert.deepEqual(lists(found.negatives), { a0: ["c14", "c13"], b5: ["c14", "c13"] });
  assert.equal(calls.length, 1);
  assert.deepEqual([...found.negatives.positiveScores], [.01, .02, .03].map(Math.fround));

  const byDefault = await mine(pairs, { corpus, negatives: 1, score });
  assert.equal(byDefault.range.max, 10 + 2, "a scorer has something to choose from");
  const bounded = await mine(pairs, { corpus, negatives: 2, rangeMax: 6, score, maxScore: .125 });
  assert.deepEqual(lists(bounded.negatives)["a0"], ["c12", "c11"]);

  await assert.rejects(
    mine(pairs, { score: (scored) => Promise.resolve(new Float32Array(scored.length).fill(NaN)) }),
    (error: unknown) => error instanceof EvaluationError && /NaN/.test(error.found!) && /a0/.test(error.where!),
  );
  await assert.rejects(mine(pairs, { score: () => Promise.resolve(new Float32Array(1)) }), /one score for each pair/);
});

Deno.test("more pairs than go into one call are scored in several, in order", async () => {
  const many = Array.from({ length: 2000 }, (_, i) => [`a${i / 100}`, `p${(i + .5) / 100}`] as const);
  let calls = 0;
  const value = (anchor: string, document: string) => Math.fround((Number(document.slice(1)) * 7 % 1) + anchor.length);
  const engine = createCpuEngine({ threads: 1 });
  const candidates = await findCandidates(engine, pairsOf(...many), embedAngles, {
    count: 20,
    score: (scored) => {
      calls++;
      return Promise.resolve(Float32Array.from(scored, ([anchor, document]) => value(anchor, document)));
    },
  });
  engine.close();
  assert.equal(calls, 2);
  const { anchors, documents, indices, scores, counts, width } = candidates;
  for (let i = 0; i < anchors.length; i++) {
    for (let c = 0; c < counts[i]!; c++) {
      const at = i * width + c;
      assert.equal(scores[at], value(anchors[i]!, documents[indices[at]!]!));
      assert.ok(c === 0 || scores[at - 1]! >= scores[at]!);
    }
  }
});

Deno.test("what is left out is counted once, minScore without positives and gaps", async () => {
  const pairs = pairsOf(["a0", "p1"]);
  const { skipped } = await mine(pairs, { corpus: ["c2", "c30", "c80", "c85"], absoluteMargin: .01, minScore: .5 });
  assert.deepEqual(skipped, [
    { by: "absoluteMargin", bound: .01, count: 1, share: 1 / 4 },
    { by: "minScore", bound: .5, count: 2, share: 2 / 3 },
  ]);
});

Deno.test("little or nothing to choose from", async () => {
  const alone = await mine(pairsOf(["a0", "p1"]), {});
  assert.deepEqual([...alone.negatives.counts], [0]);
  assert.deepEqual(toTriplets(alone.negatives).dataset, {
    columns: { anchor: [], positive: [], negative: [] },
    rows: 0,
  });
  assert.equal(toTriplets(alone.negatives).statistics.missing, 3);
  assert.deepEqual(toLabelledLists(alone.negatives).dataset, []);
  assert.equal(toTuples(alone.negatives).dataset.rows, 0);
  assert.deepEqual(toLabelledPairs(alone.negatives).dataset.columns.document, ["p1"]);
  const { positive, negative, difference } = toTriplets(alone.negatives).statistics;
  assert.equal(positive.mean.toFixed(4), "0.9998");
  assert.deepEqual([negative.mean, difference.mean], [NaN, NaN]);

  const same = await mine(pairsOf(...Array(9).fill(["a0", "a0"])), { corpus: Array(9).fill("a0") });
  assert.deepEqual([...same.negatives.counts], [0]);
  assert.equal(same.negatives.documents.length, 1);

  const two = await mine(pairsOf(["a0", "p1"], ["b0", "p2"]), { negatives: 500 });
  assert.deepEqual(lists(two.negatives), { a0: ["p2"], b0: ["p1"] });
  const double = await mine(pairsOf(["a0", "p1"]), { corpus: ["c5:x", "c5:y", "c5:x"], negatives: 3 });
  assert.deepEqual(lists(double.negatives), { a0: ["c5:x", "c5:y"] });
});

Deno.test("what makes no sense is refused", async () => {
  const pairs = pairsOf(["a0", "p1"], ["b9", "p8"]);
  for (
    const options of [
      { negatives: 0 },
      { negatives: 1.5 },
      { rangeMin: -1 },
      { rangeMax: 2, negatives: 3 },
      { rangeMin: 5, rangeMax: 7 },
      { rangeMax: NaN },
      { absoluteMargin: NaN },
      { maxScore: Infinity },
    ]
  ) await assert.rejects(mine(pairs, options), UsageError, JSON.stringify(options));
  await assert.rejects(mine(pairsOf(), {}), DatasetError);
  const shape = (change: (embeddings: Float32Array, isQuery: boolean) => { width?: number; rows?: number } | void) =>
    mine(
      pairs,
      {},
      (async (texts: readonly string[], role: string) => {
        const embeddings = await embedAngles(texts);
        return { ...embeddings, ...change(embeddings.data, role === "query") };
      }) as typeof embedAngles,
    );
  await assert.rejects(shape((data) => void (data[1] = NaN)), DatasetError);
  await assert.rejects(
    shape((_, isQuery) => isQuery ? { width: 1, rows: 4 } : undefined),
    /one embedding for each text/,
  );
  await assert.rejects(shape((data, isQuery) => isQuery ? { data: data.slice(0, 2), width: 1 } : undefined), /width/);
});

Deno.test("positives among the negatives are written out as tuples only", async () => {
  const { negatives } = await mine(pairsOf(["a0", "p1"], ["b90", "p88"]), { includePositives: true, negatives: 2 });
  assert.deepEqual(toTuples(negatives).dataset.columns["negative_1"], ["p1", "p88"]);
  for (const write of [toTriplets, toLabelledPairs, toLabelledLists]) {
    assert.throws(() => write(negatives), /a positive is among the negatives/);
  }
});
