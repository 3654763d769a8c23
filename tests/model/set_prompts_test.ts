import assert from "node:assert/strict";
import { setPrompts } from "../../lib/model/set_prompts.ts";

const plain = { prompts: { passage: "old: ", clustering: "cluster: " }, defaultPromptName: "clustering" };
const pairs = ["anchor", "positive"];

Deno.test("sets without prompts leave a model its own", () => {
  assert.deepEqual(setPrompts(plain, [{ name: "a", columns: pairs }]), plain);
});

Deno.test("one set's prompts are the model's, as in a training on it alone; others keep their names", () => {
  const prompts = { anchor: "q: ", positive: "p: " };
  const { prompts: now, defaultPromptName } = setPrompts(plain, [
    { name: "a", prompts, columns: pairs },
    { name: "b", columns: ["sentence1", "sentence2"] },
  ]);
  assert.deepEqual(now, { ...plain.prompts, query: "q: ", document: "p: " });
  assert.equal(defaultPromptName, undefined);
});

Deno.test("where sets agree a name stays, where they do not each has its own", () => {
  const { prompts, defaultPromptName } = setPrompts(plain, [
    { name: "a", prompts: { anchor: "q: " }, columns: pairs },
    { name: "b", prompts: { anchor: "r: " }, columns: pairs },
  ]);
  // No document of either set had a prompt: that of another name must not come back.
  assert.deepEqual(prompts, { clustering: "cluster: ", "a-query": "q: ", "b-query": "r: ", document: "" });
  assert.equal(defaultPromptName, undefined);
});

Deno.test("one text for all columns of all sets is the default, a text of one set alone is not", () => {
  const all = (second: string) =>
    setPrompts(plain, [
      { name: "a", prompts: "text: ", columns: pairs },
      { name: "b", prompts: second, columns: ["text"] },
    ]);
  assert.equal(all("text: ").prompts[all("text: ").defaultPromptName!], "text: ");
  assert.equal(all("other: ").defaultPromptName, undefined);
  assert.throws(() => setPrompts(plain, [{ name: "a", prompts: { text: "" }, columns: pairs }]), /no column text/);
});
