import assert from "node:assert/strict";
import { asLabelledTexts } from "../../lib/data/columns.ts";
import { pairsFromLabels, tripletsFromLabels } from "../../lib/data/label_rows.ts";
import { ATTITUDES, sampleAttitudes, sampleNli } from "../../lib/data/sample/mod.ts";
import type { Cell, Table } from "../../lib/data/table_builder.ts";
import { DatasetError } from "../../lib/error.ts";

function tableOf(columns: Record<string, readonly Cell[]>): Table {
  const names = Object.keys(columns);
  const rows = columns[names[0]!]!.length;
  return {
    names,
    header: true,
    columns: new Map(Object.entries(columns)),
    rows,
    dropped: 0,
    where: (row) => `file.csv:${row + 2}`,
  };
}

Deno.test("asLabelledTexts() numbers words by the alphabet and numbers by their size; known classes keep theirs", () => {
  const words = asLabelledTexts(tableOf({ text: ["a", "b", "c"], label: ["sad", "glad", "sad"] }));
  assert.deepEqual(words.classes, ["glad", "sad"]);
  assert.deepEqual([...words.dataset.columns.label], [1, 0, 1]);
  const numbers = asLabelledTexts(tableOf({ title: ["a", "b", "c"], category: ["10", 9n, 2] }));
  assert.deepEqual(numbers.classes, ["2", "9", "10"]);
  const more = asLabelledTexts(tableOf({ text: ["x", "y"], label: ["new", "sad"] }), {}, words.classes);
  assert.deepEqual(more.classes, ["glad", "sad", "new"]);
  assert.deepEqual([...more.dataset.columns.label], [2, 1]);
  const mapped = asLabelledTexts(tableOf({ said: ["x"], mood: [true] }), { text: "said", label: "mood" });
  assert.deepEqual(mapped.classes, ["true"]);
});

Deno.test("asLabelledTexts() says which label is missing, and where", () => {
  for (const bad of [null, undefined, ""]) {
    assert.throws(() => asLabelledTexts(tableOf({ text: ["a", "b"], label: ["x", bad] })), (error: unknown) => {
      assert.ok(error instanceof DatasetError);
      assert.equal(error.where, "file.csv:3");
      return true;
    });
  }
  assert.throws(() => asLabelledTexts(tableOf({ text: ["a"], other: ["x"] })), /no column for label/);
  for (const [label, meant] of [["moods", "; did you mean Mood?"], ["mood", "; did you mean Mood?"], ["class", ""]]) {
    assert.throws(() => asLabelledTexts(tableOf({ text: ["a"], Mood: ["x"] }), { label: label! }), {
      summary: "there is no column for label",
      expected: label!,
      found: "text, Mood",
      hint: `map one with --columns label=NAME${meant}`,
    });
  }
});

const texts = {
  columns: { text: ["a", "b", "b", "c", "d", "e"], label: Int32Array.of(0, 0, 0, 1, 1, 2) },
  rows: 6,
};

Deno.test("tripletsFromLabels() takes partners by class, never the same words, and depends on row and seed alone", () => {
  const classOf = new Map(texts.columns.text.map((text, row) => [text, texts.columns.label[row]]));
  const { columns, rows } = tripletsFromLabels(texts, { seed: 3 });
  assert.deepEqual(columns.anchor, ["a", "b", "b", "c", "d"]); // e is alone
  for (const [row, anchor] of columns.anchor.entries()) {
    const positive: string = columns.positive[row]!;
    const negative: string = columns.negative[row]!;
    assert.equal(classOf.get(anchor), classOf.get(positive));
    assert.notEqual(anchor, positive);
    assert.notEqual(classOf.get(anchor), classOf.get(negative));
  }
  assert.deepEqual(tripletsFromLabels(texts, { seed: 3 }), { columns, rows });
  const many = sampleAttitudes({ rows: 300 });
  assert.notDeepEqual(tripletsFromLabels(many, { seed: 1 }), tripletsFromLabels(many, { seed: 2 }));
});

Deno.test("pairsFromLabels() gives each text one partner of either kind", () => {
  const { columns, rows } = pairsFromLabels(texts);
  assert.equal(rows, 10);
  assert.deepEqual([...columns.score], [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
  assert.deepEqual(columns.sentence1.filter((_, row) => row % 2 === 0), ["a", "b", "b", "c", "d"]);
});

Deno.test("labels without partners are an error", () => {
  const of = (text: string[], label: number[]) => ({
    columns: { text, label: Int32Array.from(label) },
    rows: text.length,
  });
  for (const bad of [of([], []), of(["a", "b"], [0, 1]), of(["a", "b"], [0, 0]), of(["a", "a", "b"], [0, 0, 1])]) {
    assert.throws(() => tripletsFromLabels(bad), DatasetError);
    assert.throws(() => pairsFromLabels(bad), DatasetError);
  }
  // One row against very many is found without trying them all.
  const rare = of(Array.from({ length: 5000 }, (_, i) => `t${i}`), [...Array<number>(4999).fill(0), 1]);
  assert.equal(tripletsFromLabels(rare).columns.negative.every((text) => text === "t4999"), true);
});

Deno.test("the sample's attitudes are balanced, distinct, and held-out sentences are new to all of the sample", () => {
  const [trained, heldOut] = [sampleAttitudes({ rows: 600 }), sampleAttitudes({ rows: 300, heldOut: true })];
  for (const { columns, rows } of [trained, heldOut]) {
    assert.equal(new Set(columns.text).size, rows);
    for (const kind of ATTITUDES.keys()) assert.equal(columns.label.filter((label) => label === kind).length, rows / 3);
  }
  const nli = sampleNli({ rows: 3000 }).columns;
  const known = new Set([...trained.columns.text, ...nli.premise, ...nli.hypothesis]);
  assert.deepEqual(heldOut.columns.text.filter((text) => known.has(text)), []);
  // "never" turns a verb round: the same one stands under both labels.
  const { text, label } = sampleAttitudes({ rows: 3000 }).columns;
  const loved = (never: boolean) =>
    text.flatMap((sentence, row) =>
      /\bloved\b/.test(sentence) && /\bnever\b/.test(sentence) === never ? [label[row]] : []
    );
  assert.deepEqual([new Set(loved(false)), new Set(loved(true))], [new Set([2]), new Set([0])]);
  assert.deepEqual(sampleAttitudes({ rows: 30 }), sampleAttitudes({ rows: 30 }));
  assert.notDeepEqual(sampleAttitudes({ rows: 30 }), sampleAttitudes({ rows: 30, seed: 2 }));
});
