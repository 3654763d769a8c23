import assert from "node:assert/strict";
import type { Dataset, Pairs } from "../../lib/data/dataset.ts";
import type { Embeddings } from "../../lib/embed/pairwise.ts";
import { toLabelledLists, toLabelledPairs, toTriplets, toTuples } from "../../lib/negatives/formats.ts";
import { semiHardNegatives, type SemiHardOptions, type SemiHardResult } from "../../lib/negatives/semi_hard.ts";
import type { NegativeStatistics, ScoreSummary } from "../../lib/negatives/statistics.ts";
import { engines } from "../engine/engines.ts";

type Cell = string | number | readonly Cell[];
interface Case {
  readonly options: Readonly<Record<string, number | boolean | null>>;
  readonly format: "triplet" | "n-tuple" | "labeled-pair" | "labeled-list";
  readonly scores: boolean;
  readonly rows: readonly (readonly Cell[])[];
  readonly printed?: readonly string[];
}

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/negatives.json", import.meta.url)));
const texts: readonly string[] = golden.texts;
const pairs: Dataset<Pairs> = {
  columns: { anchor: golden.anchor, positive: golden.positive },
  rows: golden.anchor.length,
};

function embed(wanted: readonly string[]): Promise<Embeddings> {
  const width: number = golden.width;
  const data = wanted.flatMap((text) => {
    const row = texts.indexOf(text);
    return golden.embeddings.slice(row * width, (row + 1) * width) as number[];
  });
  return Promise.resolve({ data: Float32Array.from(data), width, rows: wanted.length });
}

const score = (wanted: readonly (readonly [string, string])[]) =>
  Promise.resolve(Float32Array.from(wanted, ([anchor, document]) => {
    const [row, column] = [golden.anchors.indexOf(anchor), golden.documents.indexOf(document)];
    return golden.scores[row * golden.documents.length + column];
  }));

/** Their options as ours. */
function optionsOf({ options }: Case): SemiHardOptions {
  const names: Record<string, string> = {
    num_negatives: "negatives",
    range_min: "rangeMin",
    range_max: "rangeMax",
    max_score: "maxScore",
    min_score: "minScore",
    absolute_margin: "absoluteMargin",
    relative_margin: "relativeMargin",
    include_positives: "includePositives",
  };
  const known = Object.entries(options).filter(([name]) => name in names).map(([name, value]) => [names[name], value]);
  return {
    ...Object.fromEntries(known),
    ...(options["corpus"] === null ? {} : { corpus: golden.corpus }),
    // Without a bound theirs ignores the cross-encoder; they were given one that leaves nothing out.
    ...("cross_encoder" in options && { score }),
    ...(options["max_score"] === 1e9 && { maxScore: undefined }),
    includeAnchor: true, // as theirs
  };
}

/** Our rows as theirs. */
function written(
  { format, scores }: Case,
  { negatives }: SemiHardResult,
): { rows: Cell[][]; statistics: NegativeStatistics } {
  const options = { scores } as { scores: true };
  if (format === "triplet") {
    const { dataset: { columns: c, rows }, statistics } = toTriplets(negatives, options);
    return {
      rows: Array.from({ length: rows }, (_, r) => [
        ...[c.anchor, c.positive, c.negative].map((column) => column[r]!),
        ...(scores ? [[c.positive_score[r]!, c.negative_score[r]!]] : []),
      ]),
      statistics,
    };
  }
  if (format === "n-tuple") {
    const { dataset: { columns, rows }, statistics } = toTuples(negatives, options);
    const entries = Object.entries(columns);
    const isScore = (name: string) => name.endsWith("_score");
    return {
      rows: Array.from({ length: rows }, (_, r) => [
        ...entries.filter(([name]) => !isScore(name)).map(([, column]) => column[r]! as string),
        ...(scores ? [entries.filter(([name]) => isScore(name)).map(([, column]) => column[r]! as number)] : []),
      ]),
      statistics,
    };
  }
  if (format === "labeled-pair") {
    const { dataset: { columns, rows }, statistics } = toLabelledPairs(negatives, options);
    return {
      rows: Array.from({ length: rows }, (_, r) => Object.values(columns).map((column) => column[r]!)),
      statistics,
    };
  }
  const { dataset, statistics } = toLabelledLists(negatives);
  return {
    rows: dataset.map(({ anchor, documents, labels, scores: values }) => [
      anchor,
      documents,
      scores ? [...values] : [...labels],
    ]),
    statistics,
  };
}

/** Equal texts, and numbers within rounding. */
function assertRows(found: Cell, expected: Cell, where: string): void {
  if (typeof expected === "number") {
    assert.ok(Math.abs(found as number - expected) < 1e-6, `${where}: ${found} instead of ${expected}`);
  } else if (typeof expected === "string") {
    assert.equal(found, texts[Number(expected)], where);
  } else {
    assert.equal((found as Cell[]).length, expected.length, where);
    expected.forEach((cell, i) => assertRows((found as Cell[])[i]!, cell, `${where}, ${i}`));
  }
}

/** What they print: the table, what was left out, what is missing. */
function assertPrinted(
  printed: readonly string[],
  { statistics, skipped }: { statistics: NegativeStatistics; skipped: SemiHardResult["skipped"] },
  where: string,
): void {
  const rows: Record<string, Exclude<keyof ScoreSummary, "histogram">> = {
    Count: "count",
    Mean: "mean",
    Median: "median",
    Std: "std",
    Min: "min",
    "25%": "lowerQuartile",
    "50%": "middle",
    "75%": "upperQuartile",
    Max: "max",
  };
  let seen = 0;
  let missing = 0;
  for (const line of printed) {
    const [name, ...cells] = line.trim().split(/\s+/) as [string, ...string[]];
    if (name in rows) {
      seen++;
      const summaries = [statistics.positive, statistics.negative, statistics.difference];
      cells.forEach((cell, i) => {
        const [expected, found] = [Number(cell), summaries[i]![rows[name]!]];
        assert.ok(Math.abs(found - expected) <= 5.1e-5, `${where}: ${line}, ${found}`);
      });
    }
    const left = line.match(/^Skipped ([\d,]+) .* due to the (\w+) of/);
    if (left !== null && left[2] !== "min_score") { // under which theirs counts positives and gaps
      const by = left[2]!.replace(/_(.)/, (_, letter: string) => letter.toUpperCase());
      assert.equal(skipped.find((skip) => skip.by === by)?.count, Number(left[1]), `${where}: ${line}`);
    }
    const lacking = line.match(/for (\d+) samples \(([\d.]+)%\)/);
    if (lacking !== null) {
      missing = Number(lacking[1]);
      assert.ok(Math.abs(100 * statistics.missing / statistics.possible - Number(lacking[2])) < .0051, line);
    }
  }
  assert.equal(seen, 9, where);
  assert.equal(statistics.missing, missing, where);
}

for (const { name, create } of engines) {
  Deno.test(`${name}: semi-hard negatives equal mine_hard_negatives in every format`, async () => {
    const engine = await create();
    try {
      for (const one of golden.cases as Case[]) {
        const where = JSON.stringify([one.options, one.format, one.scores]);
        const result = await semiHardNegatives(engine, pairs, embed, optionsOf(one));
        const { rows, statistics } = written(one, result);
        assertRows(rows, one.rows, where);
        if (one.printed !== undefined) assertPrinted(one.printed, { statistics, skipped: result.skipped }, where);
      }
    } finally {
      engine.close();
    }
  });
}
