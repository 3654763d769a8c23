import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { promptOf } from "../../lib/model/prompts.ts";

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
