import assert from "node:assert/strict";
import { AGENTS, COUNTS, MANNERS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS } from "../../lib/data/sample/lexicon.ts";
import { sampleNli, sampleSts, sampleTexts, sampleVocabulary } from "../../lib/data/sample/mod.ts";
import { spearman } from "../../lib/evaluate/correlation.ts";
import { jaccard, tfidfCosine } from "../../lib/evaluate/overlap.ts";

const nli = sampleNli();
const sts = sampleSts();

Deno.test("no word stands for two meanings, or a label could be wrong", () => {
  const groups: Record<string, readonly (readonly string[])[]> = {
    noun: [...AGENTS, ...OBJECTS].map(({ words }) => words),
    verb: VERBS.map(({ words }) => words.map(([third]) => third)),
    participle: VERBS.map(({ words }) => words.map(([, participle]) => participle)),
    place: PLACES,
    time: TIMES,
    manner: MANNERS,
    quality: QUALITIES.flatMap(([one, other]) => [one, other]),
    count: COUNTS.map((words) => [...new Set(words)]),
  };
  for (const [name, meanings] of Object.entries(groups)) {
    const words = meanings.flat();
    assert.deepEqual(words.filter((word, i) => words.indexOf(word) !== i), [], name);
  }
  const kinds = new Set([...AGENTS, ...OBJECTS].map(({ kind }) => kind));
  assert.deepEqual(groups["noun"]!.flat().filter((word) => kinds.has(word)), []);
  VERBS.forEach(({ opposite }, verb) => assert.equal(VERBS[opposite]!.opposite, verb));
});

Deno.test("20,000 distinct labelled pairs, the classes in equal parts", () => {
  const { premise, hypothesis, label } = nli.columns;
  assert.equal(nli.rows, 20_000);
  assert.equal(new Set(premise.map((text, row) => `${text}|${hypothesis[row]}`)).size, 20_000);
  const counts = [0, 1, 2].map((kind) => label.filter((value) => value === kind).length);
  assert.ok(counts.every((count) => count > 6000), counts.join());
  const words = premise.map((text) => text.split(" ").length);
  assert.ok(Math.min(...words) >= 5 && Math.max(...words) < 25);
});

Deno.test("the sentences of the graded pairs occur in no training pair and no training text, with any seed", () => {
  const graded = new Set([...sts.columns.sentence1, ...sts.columns.sentence2]);
  for (const seed of [1, 2]) {
    const { premise, hypothesis } = sampleNli({ seed }).columns;
    for (const text of [...premise, ...hypothesis, ...sampleTexts({ seed })]) assert.ok(!graded.has(text), text);
  }
});

Deno.test("grades from 0 to 5, and word overlap alone does not solve them", () => {
  const { sentence1, sentence2, score } = sts.columns;
  assert.equal(sts.rows, 1500);
  assert.deepEqual([...new Set(score)].sort(), [0, 1, 3, 4, 5]);
  for (const overlap of [jaccard, tfidfCosine]) {
    const rho = spearman(overlap(sentence1, sentence2), score);
    assert.ok(rho > 0.2 && rho < 0.55, `${rho}`);
  }
});

Deno.test("a more general word follows from a special one: entailed, and graded as such", () => {
  const kinds = new Set(OBJECTS.map(({ kind }) => kind));
  const general = (text: string) => text.split(" ").some((word) => kinds.has(word));
  const labels = nli.columns.hypothesis.flatMap((text, row) => general(text) ? [nli.columns.label[row]!] : []);
  assert.ok(labels.length > 300 && labels.every((label) => label === 0));
  const grades = sts.columns.sentence2.flatMap((text, row) => general(text) ? [sts.columns.score[row]!] : []);
  assert.ok(grades.length > 30 && grades.every((grade) => grade === 4));
});

Deno.test("the same seed gives the same sample, another seed another one", () => {
  assert.deepEqual(sampleNli({ seed: 5, rows: 300 }), sampleNli({ seed: 5, rows: 300 }));
  assert.notDeepEqual(sampleNli({ seed: 6, rows: 300 }), sampleNli({ seed: 5, rows: 300 }));
  assert.deepEqual(sampleSts(), sts);
});

Deno.test("the vocabulary has every word or can piece it together", () => {
  const tokens = sampleVocabulary();
  const vocabulary = new Set(tokens);
  assert.equal(vocabulary.size, tokens.length);
  const pieces = (word: string): string[] | undefined => {
    const found: string[] = [];
    for (let start = 0; start < word.length;) {
      let end = word.length;
      const piece = () => `${start > 0 ? "##" : ""}${word.slice(start, end)}`;
      while (end > start && !vocabulary.has(piece())) end--;
      if (end === start) return undefined;
      found.push(piece());
      start = end;
    }
    return found;
  };
  const texts = [...nli.columns.premise, ...nli.columns.hypothesis, ...sts.columns.sentence1, ...sts.columns.sentence2];
  const words = [...new Set(texts.flatMap((text) => text.split(" ")))];
  const cut = words.map((word) => pieces(word) ?? assert.fail(word));
  const longest = cut.map((found, i) => [found.length, words[i]!] as const).sort(([a], [b]) => b - a)[0]!;
  assert.ok(longest[0] <= 6, `${longest}`);
});
