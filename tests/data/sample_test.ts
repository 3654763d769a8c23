import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";
import { createHash } from "node:crypto";
import type { Dataset, LabelledPairs, ScoredPairs } from "../../lib/data/dataset.ts";
import { COMPUTING } from "../../lib/data/sample/computing.ts";
import { EVERYDAY } from "../../lib/data/sample/everyday.ts";
import { wordsOf } from "../../lib/data/sample/generate.ts";
import type { Lexicon } from "../../lib/data/sample/lexicon.ts";
import {
  sampleBaseModel,
  sampleGraded,
  sampleNextSentences,
  sampleNli,
  samplePairModel,
  sampleStories,
  sampleSts,
  sampleTargetNli,
  sampleTargetSts,
  sampleTargetTexts,
  sampleTexts,
  sampleVocabulary,
} from "../../lib/data/sample/mod.ts";
import { contradict, drawScene } from "../../lib/data/sample/scene.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { spearman } from "../../lib/numeric/correlation.ts";
import { jaccard, tfidfCosine } from "../../lib/evaluate/overlap.ts";

interface Domain {
  /** Everyday scenes are split by agent: with other seeds, two agents of a kind can meet in a general sentence. */
  readonly seeds: readonly number[];
  readonly lexicon: Lexicon;
  readonly nli: Dataset<LabelledPairs>;
  readonly sts: Dataset<ScoredPairs>;
  readonly trainingTexts: (seed: number) => Iterable<string>;
}

const everyday: Domain = {
  seeds: [1, 2],
  lexicon: EVERYDAY,
  nli: sampleNli(),
  sts: sampleSts(),
  trainingTexts: (seed) => {
    const { sentence1, sentence2 } = sampleGraded({ seed }).columns;
    return textsOf(sampleNli({ seed }).columns, [...sampleTexts({ seed }), ...sentence1, ...sentence2]);
  },
};
const computing: Domain = {
  seeds: [1, 2, 3, 4, 5],
  lexicon: COMPUTING,
  nli: sampleTargetNli(),
  sts: sampleTargetSts(),
  trainingTexts: (seed) => textsOf(sampleTargetNli({ seed }).columns, sampleTargetTexts({ seed })),
};
const domains = Object.entries({ everyday, computing });

function textsOf({ premise, hypothesis }: LabelledPairs, more: readonly string[]): string[] {
  return [...premise, ...hypothesis, ...more];
}

const sha256 = (value: unknown) => {
  const plain = JSON.stringify(value, (_, part) => ArrayBuffer.isView(part) ? Array.from(part as Int32Array) : part);
  return createHash("sha256").update(plain).digest("hex");
};

Deno.test("the rows of the everyday domain are what they always were: results depend on them", () => {
  assert.equal(sha256(everyday.nli.columns), "8c02b31d94fef7f03bbc92c0c2ce078325fce03084598ee54452ccdf6b6fe083");
  assert.equal(sha256(everyday.sts.columns), "7d6436840e10b61eec1c38963422f79aae09170808ec09e9bed9fe2d56bb3771");
  assert.equal(sha256(sampleTexts()), "6ee12db1cbfdef4dbee46fccf560b718c0637fe19323300149c709e39d61e0e2");
});

for (const [name, { seeds, lexicon, nli, sts, trainingTexts }] of domains) {
  const { agents, objects, verbs, places, times, manners, qualities, counts } = lexicon;
  const nouns = [...agents, ...objects];

  Deno.test(`${name}: no word stands for two meanings, or a label could be wrong`, () => {
    const groups: Record<string, readonly (readonly string[])[]> = {
      noun: nouns.map(({ words }) => words),
      verb: verbs.map(({ words }) => words.map(([third]) => third)),
      participle: verbs.map(({ words }) => words.map(([, participle]) => participle)),
      place: places,
      time: times,
      manner: manners,
      quality: qualities.flat(),
      count: counts.map((words) => [...new Set(words)]),
    };
    for (const [group, meanings] of Object.entries(groups)) {
      const words = meanings.flat();
      assert.deepEqual(words.filter((word, i) => words.indexOf(word) !== i), [], group);
    }
    const kinds = new Set(nouns.map(({ kind }) => kind));
    assert.deepEqual(groups["noun"]!.flat().filter((word) => kinds.has(word)), []);
    verbs.forEach(({ opposite }, verb) => {
      assert.equal(verbs[opposite]!.opposite, verb);
      assert.notEqual(opposite, verb);
    });
  });

  Deno.test(`${name}: a scene that excludes another differs from it, in the way it says`, () => {
    const random = randomStream(1, randomPurpose("sample"), 99);
    for (let i = 0; i < 5000; i++) {
      const scene = drawScene(lexicon, random);
      const [other, way] = contradict(lexicon, scene, random);
      const changed = Object.keys(scene).filter((key) =>
        String(scene[key as "agent"]) !== String(other[key as "agent"])
      );
      const expected = way === "antonym" ? ["verb"] : way === "roles" ? ["agent", "patient"] : [way];
      if (way === "negation") assert.equal(other.negated, true);
      else assert.deepEqual(changed, expected, way);
      const lists = { agent: agents, verb: verbs, object: objects, patient: agents, place: places, count: counts };
      for (const [key, list] of Object.entries(lists)) {
        const value = other[key as keyof typeof lists];
        assert.ok(value === undefined || (Number.isInteger(value) && value >= 0 && value < list.length), key);
      }
    }
  });

  Deno.test(`${name}: 20,000 distinct labelled pairs, the classes in equal parts`, () => {
    const { premise, hypothesis, label } = nli.columns;
    assert.equal(nli.rows, 20_000);
    assert.equal(new Set(premise.map((text, row) => `${text}|${hypothesis[row]}`)).size, 20_000);
    const sizes = [0, 1, 2].map((kind) => label.filter((value) => value === kind).length);
    assert.ok(sizes.every((size) => size > 6000), sizes.join());
    const words = premise.map((text) => text.split(" ").length);
    assert.ok(Math.min(...words) >= 5 && Math.max(...words) < 25);
  });

  Deno.test(`${name}: no sentence of the graded pairs is in a training pair or text`, () => {
    const graded = new Set([...sts.columns.sentence1, ...sts.columns.sentence2]);
    for (const seed of seeds) {
      for (const text of trainingTexts(seed)) assert.ok(!graded.has(text), text);
    }
  });

  Deno.test(`${name}: grades from 0 to 5, and word overlap alone does not solve them`, () => {
    const { sentence1, sentence2, score } = sts.columns;
    assert.equal(sts.rows, 1500);
    assert.deepEqual([...new Set(score)].sort(), [0, 1, 3, 4, 5]);
    for (const overlap of [jaccard, tfidfCosine]) {
      const rho = spearman(overlap(sentence1, sentence2), score);
      assert.ok(rho > 0.2 && rho < 0.55, `${rho}`);
    }
  });

  Deno.test(`${name}: a more general word follows from a special one: entailed, and graded as such`, () => {
    const kinds = new Set(objects.map(({ kind }) => kind));
    const general = (text: string) => text.split(" ").some((word) => kinds.has(word));
    const labels = nli.columns.hypothesis.flatMap((text, row) => general(text) ? [nli.columns.label[row]!] : []);
    assert.ok(labels.length > 300 && labels.every((label) => label === 0));
    const grades = sts.columns.sentence2.flatMap((text, row) => general(text) ? [sts.columns.score[row]!] : []);
    assert.ok(grades.length > 30 && grades.every((grade) => grade === 4));
  });
}

Deno.test("the same seed gives the same sample, another seed another one", () => {
  for (const nli of [sampleNli, sampleTargetNli]) {
    assert.deepEqual(nli({ seed: 5, rows: 300 }), nli({ seed: 5, rows: 300 }));
    assert.notDeepEqual(nli({ seed: 6, rows: 300 }), nli({ seed: 5, rows: 300 }));
  }
  for (const texts of [sampleTexts, sampleTargetTexts]) {
    assert.deepEqual(texts({ seed: 5, rows: 300 }), texts({ seed: 5, rows: 300 }));
    assert.notDeepEqual(texts({ seed: 6, rows: 300 }), texts({ seed: 5, rows: 300 }));
  }
  assert.deepEqual(sampleSts(), everyday.sts);
  assert.deepEqual(sampleTargetSts(), computing.sts);
});

Deno.test("the texts of the target domain are distinct, and all its words occur in them", () => {
  const texts = sampleTargetTexts();
  assert.equal(new Set(texts).size, texts.length);
  const found = new Set(texts.flatMap((text) => text.split(" ")));
  assert.deepEqual([...wordsOf(COMPUTING)].filter((word) => !found.has(word)), []);
});

Deno.test("the domains share function words, numbers and a few verbs that mean the same in both, and no other word", () => {
  const meanings = new Set(EVERYDAY.verbs.map(({ words }) => words.join()));
  const sharedVerbs = COMPUTING.verbs.filter(({ words }) => meanings.has(words.join()));
  assert.ok(sharedVerbs.length >= 8 && sharedVerbs.length <= COMPUTING.verbs.length / 5, `${sharedVerbs.length}`);
  const common = new Set([
    ...sharedVerbs.flatMap(({ words }) => words.flat()),
    ...COMPUTING.counts.flat().flatMap((count) => count.split(" ")),
    ..."the in on at up back over every before after during".split(" "),
  ]);
  const shared = wordsOf(EVERYDAY).intersection(wordsOf(COMPUTING));
  assert.deepEqual([...shared].filter((word) => !common.has(word)), []);
});

Deno.test("the words of a computing scene keep company; those of an everyday scene do not", () => {
  const distinctVerbs = ({ lexicon }: Domain) => {
    const random = randomStream(1, randomPurpose("sample"), 98);
    const verbs = new Set<number>();
    for (let i = 0; i < 50_000; i++) {
      const { agent, verb } = drawScene(lexicon, random);
      if (agent === 0) verbs.add(verb);
    }
    return verbs.size / lexicon.verbs.length;
  };
  assert.equal(distinctVerbs(everyday), 1);
  assert.ok(distinctVerbs(computing) < 0.35);
});

Deno.test("stories are told twice, in words of one circle; no sentence of them is evaluated on", () => {
  const graded = new Set([...everyday.sts.columns.sentence1, ...everyday.sts.columns.sentence2]);
  const stories = sampleStories({ rows: 5000 });
  assert.notDeepEqual(sampleStories({ rows: 20, seed: 2 }), stories.slice(0, 20));
  const companions = new Map<string, Set<string>>();
  let twice = 0;
  for (const story of stories) {
    const [first, second, ...more] = story.split(" [SEP] ");
    assert.ok(first !== undefined && more.length === 0, story);
    assert.ok(!graded.has(first) && !graded.has(second ?? ""), story);
    twice += second === undefined ? 0 : 1;
    for (const [, noun] of first.matchAll(/the (doctor|physician|nurse) /g)) {
      const words = companions.get(noun!) ?? new Set();
      first.split(" ").forEach((word) => words.add(word));
      companions.set(noun!, words);
    }
  }
  assert.ok(twice > 3800 && twice < 4200, `${twice}`);
  const shared = (a: string, b: string) => {
    const [left, right] = [companions.get(a)!, companions.get(b)!];
    return left.intersection(right).size / left.union(right).size;
  };
  assert.ok(shared("doctor", "physician") > shared("doctor", "nurse"), "words of one meaning keep the same company");
});

Deno.test("next sentences: as many that tell the first again as others, some of them near", () => {
  const { sentence1, sentence2, score } = sampleNextSentences({ rows: 4000 }).columns;
  const again = score.filter((value) => value === 1).length;
  assert.ok(again > 1800 && again < 2200, `${again}`);
  assert.ok(score.every((value) => value === 0 || value === 1));
  const overlap = jaccard(sentence1, sentence2);
  const mean = (kind: number) => {
    const values = overlap.filter((_, row) => score[row] === kind);
    return values.reduce((a, b) => a + b) / values.length;
  };
  assert.ok(mean(1) > mean(0) && mean(0) > 0.1, `${mean(1)} ${mean(0)}`);
});

Deno.test("the model of pairs has the base model's shape and vocabulary, a pooler, and no classifier", async () => {
  const read = (folder: string, file: string) => Deno.readTextFile(join(folder, file));
  const [base, pair] = [await sampleBaseModel(), await samplePairModel()];
  assert.equal(await read(pair, "vocab.txt"), await read(base, "vocab.txt"));
  const { architectures, ...shape } = JSON.parse(await read(pair, "config.json"));
  const { architectures: _, ...wanted } = JSON.parse(await read(base, "config.json"));
  assert.deepEqual([shape, architectures], [wanted, ["BertModel"]]);
  const reader = await openTensors(pair);
  const names = [...reader.tensors.keys()];
  reader.close();
  assert.ok(names.includes("pooler.dense.weight") && !names.some((name) => /classifier|cls\./.test(name)), `${names}`);
});

Deno.test("the vocabulary is that of the base model, and has every word of the first domain", async () => {
  const tokens = sampleVocabulary();
  const shipped = await Deno.readTextFile(join(await sampleBaseModel(), "vocab.txt"));
  assert.deepEqual(tokens, shipped.trimEnd().split("\n"), "the command that remakes the base model makes this one");
  const vocabulary = new Set(tokens);
  assert.equal(vocabulary.size, tokens.length);
  assert.deepEqual([...wordsOf(EVERYDAY)].filter((word) => word.length > 1 && !vocabulary.has(word)), []);
  const tokenizer = tokenizerFromVocabulary(tokens);
  const unknown = tokenizer.idOf("[UNK]")!;
  for (const [, { nli, sts }] of domains) {
    for (const text of [...nli.columns.premise.slice(0, 500), ...sts.columns.sentence1.slice(0, 500)]) {
      assert.ok(!tokenizer.ids(text, 64).includes(unknown), text);
    }
  }
});
