/**
 * How often words are split and joined as nltk does it, on a file that `tests/golden/words.py` made of any sentences:
 * `deno run -A tools/check_words.ts FILE [--show]`
 *
 * @module
 */
import { joinWords, splitWords } from "../lib/text/words.ts";

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
const [file, show] = Deno.args;
const lines = (await Deno.readTextFile(file!)).split("\n").filter((line) => line !== "");
const equal = { split: 0, join: 0, deletion: 0 };
const report = (what: string, ...values: unknown[]) =>
  show === "--show" && print([what, ...values.map((value) => JSON.stringify(value))].join("\n  "));
const started = performance.now();
for (const line of lines) {
  const [text, words, joined, kept, damaged] = JSON.parse(line) as [string, string[], string, number[], string];
  const found = splitWords(text);
  if (JSON.stringify(found) === JSON.stringify(words)) equal.split++;
  else report("split", text, words, found);
  if (joinWords(words) === joined) equal.join++;
  else report("join", words, joined, joinWords(words));
  const rest = kept.map((i) => words[i]!);
  if (joinWords(rest) === damaged) equal.deletion++;
  else report("deletion", rest, damaged, joinWords(rest));
}
const seconds = (performance.now() - started) / 1000;
for (const [what, count] of Object.entries(equal)) {
  print(`${what.padEnd(8)} ${count} of ${lines.length}: ${(100 * count / lines.length).toFixed(3)} %`);
}
print(`${Math.round(lines.length / seconds)} sentences per second`);
