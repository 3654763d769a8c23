// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Word vectors beside gensim's: do the same words have the same neighbours, as far as two seeds of gensim do?
 *
 *     deno run -A bench/word2vec.ts --texts FILE --python PYTHON
 *
 * FILE has a text on each line; PYTHON has gensim.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeWordVectorFile } from "../lib/checkpoint/word_vectors.ts";
import {
  countWords,
  resolveSkipGram,
  startSkipGram,
  trainSkipGram,
  wordIds,
  wordVectorsOf,
} from "../lib/static/mod.ts";

const { values } = parseArgs({ options: { texts: { type: "string" }, python: { type: "string", default: "python" } } });
const texts = (await Deno.readTextFile(values.texts!)).split("\n").filter((line) => line.trim() !== "");
const folder = await Deno.makeTempDir();
try {
  const files: string[] = [];
  for (const seed of [1, 2]) {
    const begin = performance.now();
    const settings = resolveSkipGram({ seed });
    const vocabulary = countWords(texts);
    const state = startSkipGram(vocabulary, settings);
    for (const _ of trainSkipGram(vocabulary, wordIds(texts, vocabulary), settings, state));
    console.log(`Kindred, seed ${seed}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    files.push(join(folder, `${seed}.txt`));
    await writeWordVectorFile(files.at(-1)!, wordVectorsOf(vocabulary, state));
  }
  const args = [new URL("word2vec.py", import.meta.url).pathname, values.texts!, ...files];
  const { code } = await new Deno.Command(values.python, { args }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
