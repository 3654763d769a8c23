import assert from "node:assert/strict";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { goldenPath } from "../golden/golden.ts";

const { texts, ...kinds }: { readonly texts: string[] } & Record<string, number[][]> = JSON.parse(
  await Deno.readTextFile(goldenPath("tokenizers/today.json")),
);

for (const [kind, ids] of Object.entries(kinds as Record<string, number[][]>)) {
  Deno.test(`the tokenizer of ${kind} gives the ids of AutoTokenizer, with the special tokens that it has`, async () => {
    const tokenizer = await loadTokenizer(goldenPath(`tokenizers/${kind}`));
    assert.ok(ids.length >= 400);
    for (const [i, text] of texts.entries()) assert.deepEqual(tokenizer.ids(text, 1e6), ids[i], JSON.stringify(text));
    if (kind !== "modernbert") assert.equal(tokenizer.special.cls, undefined);
  });
}
