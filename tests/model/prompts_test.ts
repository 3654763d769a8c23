import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { columnPrompt, promptOf, trainedPrompts, trainingPrompt } from "../../lib/model/prompts.ts";

const model = { prompts: { query: "query: ", document: "", passage: "passage: " }, defaultPromptName: "query" };

Deno.test("a prompt is found by its name, or given as it is", () => {
  assert.equal(promptOf(model), "query: ");
  assert.equal(promptOf(model, { promptName: "passage" }), "passage: ");
  assert.equal(promptOf(model, { promptName: "document" }), undefined, "an empty prompt puts nothing before a text");
  assert.equal(promptOf(model, { prefix: "query" }), "query", "a prefix is a text, whatever it says");
  assert.equal(promptOf(model, { prefix: "" }), undefined, "an empty prefix takes the place of the default");
  assert.equal(promptOf({ prompts: {}, defaultPromptName: undefined }), undefined);
});

Deno.test("a name that the model does not define is an error that lists those it does", () => {
  const refused = (choice: Parameters<typeof promptOf>[1], says: RegExp) =>
    assert.throws(
      () => promptOf(model, choice),
      (error) => error instanceof UsageError && says.test(`${error.summary}; ${error.expected}; ${error.found}`),
    );
  refused({ promptName: "qeury" }, /no prompt of this name; one of query, document, passage; qeury/);
  refused({ promptName: "constructor" }, /no prompt of this name/);
  refused({ promptName: "query", prefix: "x" }, /one of them must do/);
});

Deno.test("a training's prompts: each column has its own, negatives that of positives, others none", () => {
  const prompts = { anchor: "q: ", positive: "p: " };
  assert.deepEqual(
    ["anchor", "positive", "negative", "negative_3", "text"].map((column) => columnPrompt(column, prompts)),
    ["q: ", "p: ", "p: ", "p: ", undefined],
  );
  assert.equal(columnPrompt("negative_2", { ...prompts, negative: "n: " }), "n: ");
  assert.deepEqual([columnPrompt("text", "all: "), columnPrompt("text", "")], ["all: ", undefined]);
});

Deno.test("a model that was trained with prompts has them, for anchors as query and for positives as document", () => {
  const columns = ["anchor", "positive", "negative"];
  assert.deepEqual(trainedPrompts(model, { anchor: "q: " }, columns), {
    prompts: { query: "q: ", document: "" }, // another name's prompt would be put before documents
    defaultPromptName: undefined,
  });
  assert.deepEqual(trainedPrompts(model, { sentence1: "a: " }, ["sentence1", "sentence2"]).prompts["sentence1"], "a: ");
  const all = trainedPrompts(model, "all: ", ["text"]);
  assert.equal(promptOf(all), "all: ");
  assert.equal(promptOf(all, { promptName: "document" }), "all: ");
  assert.throws(
    () => trainedPrompts(model, { query: "q: " }, columns),
    (error) => error instanceof UsageError && error.expected === "anchor, positive, negative",
  );
});

Deno.test("a column that is trained on has the prompt of its role, where a model tells queries from documents", () => {
  const columns = ["anchor", "positive", "negative_2", "sentence1"];
  const of = (prompts: Record<string, string>, defaultPromptName?: string, asked?: string) =>
    columns.map((column) => trainingPrompt({ prompts, defaultPromptName }, column, asked));
  assert.deepEqual(of({ query: "q: ", document: "", passage: "p: " }), ["q: ", "p: ", "p: ", undefined]);
  assert.deepEqual(of({ query: "q: ", document: "" }, "query"), ["q: ", undefined, undefined, "q: "]);
  assert.deepEqual(of({ all: "a: " }, "all"), ["a: ", "a: ", "a: ", "a: "], "a model without roles");
  assert.deepEqual(of({ query: "q: " }, undefined, "t: "), ["t: ", "t: ", "t: ", "t: "]);
  assert.deepEqual(of({ query: "q: " }, undefined, ""), [undefined, undefined, undefined, undefined]);
});
