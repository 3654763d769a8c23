/**
 * Tokenises the texts of a file, line by line, with Kindred and with the package `@huggingface/tokenizers` in turn, in
 * one thread, and prints the ratio of texts per second, and how many texts have other ids.
 *
 * `deno run -A bench/tokenize.ts --tokenizer DIR --texts FILE [--runs 5]`
 *
 * Each run makes both tokenizers anew, so that what they remember of words is part of it. The ratio is of medians.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadTokenizer } from "../lib/text/tokenizer.ts";

const { values } = parseArgs({
  options: {
    tokenizer: { type: "string" },
    texts: { type: "string" },
    runs: { type: "string", default: "5" },
  },
});
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const folder = values.tokenizer!;
const texts = (await Deno.readTextFile(values.texts!)).split("\n").filter((text) => text !== "");
// Only this file needs the package; it is none of the library's.
const { Tokenizer } = await import(["npm:", "@huggingface/tokenizers@0.2.0"].join(""));
const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(folder, name)));
const [definition, config] = [await read("tokenizer.json"), await read("tokenizer_config.json")];

type Encode = (text: string) => readonly number[];
const makers: Record<string, () => Promise<Encode>> = {
  kindred: async () => {
    const tokenizer = await loadTokenizer(folder);
    return (text) => tokenizer.ids(text, 512);
  },
  package: () => {
    const tokenizer = new Tokenizer({ ...definition, truncation: null, padding: null }, config);
    return Promise.resolve((text) => tokenizer.encode(text, { add_special_tokens: true }).ids.slice(0, 512));
  },
};
const seconds: Record<string, number[]> = { kindred: [], package: [] };
let others = 0;
for (let run = 0; run < Number(values.runs); run++) {
  const found: Record<string, (readonly number[])[]> = {};
  for (const [name, make] of Object.entries(makers)) {
    const encode = await make();
    const start = performance.now();
    found[name] = texts.map(encode);
    seconds[name]!.push((performance.now() - start) / 1000);
  }
  others = texts.filter((_, i) => found["kindred"]![i]!.join() !== found["package"]![i]!.join()).length;
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const rates = Object.entries(seconds).map(([name, times]) => [name, texts.length / median(times)] as const);
for (const [name, rate] of rates) say(`${name}: ${Math.round(rate)} texts per second`);
say(`ratio ${(rates[0]![1] / rates[1]![1]).toFixed(2)}; other ids in ${others} of ${texts.length} texts`);
