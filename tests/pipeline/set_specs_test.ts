import assert from "node:assert/strict";
import { mappingOf, promptsOfSet, type SetSpec } from "../../lib/pipeline/set_specs.ts";

const set = (name: string, train: string): SetSpec => ({ name, train, loss: "cosent" });

/** The prompts that each set gets of those by name. */
const given = (sets: readonly SetSpec[], prompts: Readonly<Record<string, string>>) =>
  sets.map((each) => promptsOfSet(each, sets, { prompts: JSON.stringify(prompts) }));

Deno.test("--prompts by set: a set's own name comes first, and the name of another is never that of a file", () => {
  const sets = [set("qa", "/data/qa-old.csv"), set("qa-new", "/data/qa.csv")];
  assert.deepEqual(given(sets, { "qa": "A: ", "qa-new": "B: " }), ["A: ", "B: "]);
  assert.deepEqual(given(sets, { "qa-new": "B: ", "qa": "A: " }), ["A: ", "B: "]);
  assert.deepEqual(given(sets, { "qa": "A: " }), ["A: ", undefined]);
});

Deno.test("--prompts by set: a file is known by its path, the end of it, or its name alone", () => {
  const sets = [set("old", "/data/old/pairs.csv"), set("new", "/data/new/pairs.csv"), set("hub", "nli#train")];
  for (
    const [key, wanted] of [
      ["/data/old/pairs.csv", ["x", undefined, undefined]],
      ["new/pairs.csv", [undefined, "x", undefined]],
      ["../new/pairs.csv", [undefined, "x", undefined]],
      ["./pairs.csv", ["x", "x", undefined]],
      ["pairs", ["x", "x", undefined]],
      ["nli#train", [undefined, undefined, "x"]],
    ] as const
  ) assert.deepEqual(given(sets, { [key]: "x" }), wanted, key);
  assert.deepEqual(given(sets, { "pairs": "x", "new/pairs.csv": "y" }), ["x", "y", undefined]);
});

Deno.test("columns of a set are a text as of --columns, or a record, in which a name may be any", () => {
  const named = { anchor: "question, long", positive: "a=b" };
  assert.deepEqual(mappingOf(named), named);
  assert.deepEqual(mappingOf('anchor="question, long",positive="a=b"'), named);
  assert.equal(mappingOf({}), undefined);
  assert.throws(() => mappingOf({ colour: "red, green" }), /a column that nothing uses/);
});
