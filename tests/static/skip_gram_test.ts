import assert from "node:assert/strict";
import { DatasetError, UsageError } from "../../lib/error.ts";
import {
  countWords,
  nearestWords,
  resolveSkipGram,
  type SkipGramSettings,
  startSkipGram,
  trainSkipGram,
  wordIds,
  wordVectorsOf,
} from "../../lib/static/mod.ts";

/** Two rooms whose words never meet. */
const texts = Array.from({ length: 400 }, (_, i) => {
  const [animal, drink] = [["cat", "dog", "cow"][i % 3]!, ["tea", "milk", "juice"][i % 3]!];
  return i % 2 === 0 ? `The ${animal} eats the grass.` : `a cup of ${drink}, please`;
});
const vocabulary = countWords(texts, 1);
const corpus = wordIds(texts, vocabulary);
const settingsOf = (settings: SkipGramSettings) => resolveSkipGram({ width: 12, subsample: 0, ...settings });

Deno.test("words are counted in lower case without punctuation; rare ones are left out", () => {
  assert.equal(vocabulary.words[0], "the");
  assert.equal(vocabulary.counts[0], 400);
  assert.ok(vocabulary.words.includes("please"));
  const few = countWords(texts, 150);
  assert.deepEqual([...few.words].sort(), ["a", "cup", "eats", "grass", "of", "please", "the"]);
  assert.deepEqual([...wordIds(["the cat, of A"], few).ids].map((id) => few.words[id]), ["the", "of", "a"]);
  assert.throws(() => countWords(texts, 500), DatasetError);
});

Deno.test("a step goes against the gradient of the loss, by finite differences", () => {
  // One portion at so small a rate that its steps do not feel each other: the change is −rate · Σ ∂loss.
  const settings = settingsOf({ epochs: 1, learningRate: 1e-4, window: 2, noiseWords: 2, seed: 3 });
  const start = () => {
    const state = startSkipGram(vocabulary, settings);
    for (let i = 0; i < state.outer.length; i++) state.outer[i] = Math.sin(i);
    return state;
  };
  const few = wordIds(texts.slice(0, 12), vocabulary);
  const lossOf = (state: ReturnType<typeof start>) => [...trainSkipGram(vocabulary, few, settings, state)][0]!.loss;
  const moved = start();
  lossOf(moved);
  // Σ over pairs: one place's change and its slope have the same factor everywhere.
  const factors: number[] = [];
  for (const kind of ["inner", "outer"] as const) {
    for (const place of [0, 17, 40, 75]) {
      const [up, down] = [start(), start()];
      up[kind][place]! += 0.01;
      down[kind][place]! -= 0.01;
      const slope = (lossOf(up) - lossOf(down)) / 0.02;
      factors.push((moved[kind][place]! - start()[kind][place]!) / slope);
    }
  }
  for (const factor of factors) {
    assert.ok(factor < 0);
    assert.ok(Math.abs(factor / factors[0]! - 1) < 0.02, factors.join(" "));
  }
});

Deno.test("a run that is cut off and goes on has the same bits; another seed has others", () => {
  const settings = settingsOf({ epochs: 4 });
  const whole = startSkipGram(vocabulary, settings);
  const portions = [...trainSkipGram(vocabulary, corpus, settings, whole)];
  assert.equal(portions.at(-1)!.done, portions[0]!.total);
  assert.ok(portions.at(-1)!.loss < portions[0]!.loss);
  const first = startSkipGram(vocabulary, settings);
  trainSkipGram(vocabulary, corpus, settings, first).next();
  const state = { inner: first.inner.slice(), outer: first.outer.slice(), done: first.done };
  for (const _ of trainSkipGram(vocabulary, corpus, settings, state));
  assert.deepEqual(state.inner, whole.inner);
  const other = startSkipGram(vocabulary, settingsOf({ epochs: 4, seed: 7 }));
  assert.notDeepEqual(other.inner, startSkipGram(vocabulary, settings).inner);
});

Deno.test("words of one kind become near", () => {
  const settings = settingsOf({ epochs: 60, learningRate: 0.05 });
  const state = startSkipGram(vocabulary, settings);
  for (const _ of trainSkipGram(vocabulary, corpus, settings, state));
  const vectors = wordVectorsOf(vocabulary, state);
  assert.deepEqual(new Set(nearestWords(vectors, "cat", 2).map(([word]) => word)), new Set(["dog", "cow"]));
  assert.deepEqual(nearestWords(vectors, "unknown"), []);
});

Deno.test("settings that cannot be are refused", () => {
  for (const bad of [{ width: 0 }, { window: 1.5 }, { subsample: 1 }, { learningRate: 0 }, { lastLearningRate: 1 }]) {
    assert.throws(() => resolveSkipGram(bad), UsageError);
  }
});
