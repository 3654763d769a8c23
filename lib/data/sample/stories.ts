/**
 * Stories: what happens among a few people and things that belong together, told twice. From them a model learns to read
 * two sentences at once, and which words mean the same.
 *
 * @module
 */
import type { RandomStream } from "../../engine/philox.ts";
import type { Dataset, ScoredPairs } from "../dataset.ts";
import { EVERYDAY } from "./everyday.ts";
import { sampleStream } from "./generate.ts";
import type { Lexicon } from "./lexicon.ts";
import { drawScene, isHeldOut, type Scene, tell } from "./scene.ts";

/** Options of the stories. */
export interface SampleStoriesOptions {
  /** Another seed, other stories of the same circles. Default 1. */
  readonly seed?: number;
  /** Number of rows. */
  readonly rows?: number;
}

/** About two agents, three objects, three verbs and one place in each. */
const CIRCLES = 30;

/**
 * The everyday lexicon dealt out: each agent, object, verb and place belongs to one circle, all its words with it. A verb
 * has lost its opposite: scenes of a circle are told, not contradicted.
 */
const circles: readonly Lexicon[] = (() => {
  const random = sampleStream(1, 5);
  const deal = <A>(list: readonly A[]): A[][] => {
    const shuffled = random.shuffle([...list]);
    return Array.from({ length: CIRCLES }, (_, circle) => shuffled.filter((_, i) => i % CIRCLES === circle));
  };
  const { agents, objects, verbs, places, toAgents } = EVERYDAY;
  const dealt = { agents: deal(agents), objects: deal(objects), verbs: deal(verbs), places: deal(places) };
  const done = new Set(toAgents.map((verb) => verbs[verb]!));
  return Array.from({ length: CIRCLES }, (_, circle) => ({
    ...EVERYDAY,
    agents: dealt.agents[circle]!,
    objects: dealt.objects[circle]!,
    verbs: dealt.verbs[circle]!,
    places: dealt.places[circle]!,
    toAgents: dealt.verbs[circle]!.flatMap((verb, i) => done.has(verb) ? [i] : []),
  }));
})();

/** Who is together in a story: those of a circle; one time in five anyone. */
const company = (random: RandomStream): Lexicon => random.uniform() < 0.2 ? EVERYDAY : circles[random.int(CIRCLES)]!;

/** A scene of the training side. */
function sceneOf(circle: Lexicon, random: RandomStream): Scene {
  while (true) {
    const scene = drawScene(circle, random);
    const agent = EVERYDAY.agents.indexOf(circle.agents[scene.agent]!);
    const verb = EVERYDAY.verbs.indexOf(circle.verbs[scene.verb]!);
    if (!isHeldOut(EVERYDAY, { ...scene, agent, verb })) return scene;
  }
}

/** Told again, one time in ten in more general words. */
const again = (circle: Lexicon, scene: Scene, random: RandomStream) =>
  tell(circle, scene, random, { general: random.uniform() < 0.1 });

/**
 * What happened, told twice, as BERT reads two sentences: `first [SEP] second`; one in five is told once. Default 40,000.
 *
 * @param options How many rows, and the seed.
 * @returns The texts.
 */
export function sampleStories(options: SampleStoriesOptions = {}): readonly string[] {
  const { seed = 1, rows = 40_000 } = options;
  const random = sampleStream(seed, 6);
  return Array.from({ length: rows }, () => {
    const circle = company(random);
    const scene = sceneOf(circle, random);
    if (random.uniform() < 0.2) return tell(circle, scene, random);
    return `${tell(circle, scene, random)} [SEP] ${again(circle, scene, random)}`;
  });
}

/**
 * BERT's next-sentence prediction on stories: 1, the second sentence tells the first again; 0, it tells something else, half
 * of the time in the same circle. Default 100,000.
 *
 * @param options How many rows, and the seed.
 * @returns sentence1, sentence2, score 1 or 0.
 */
export function sampleNextSentences(options: SampleStoriesOptions = {}): Dataset<ScoredPairs> {
  const { seed = 1, rows = 100_000 } = options;
  const random = sampleStream(seed, 7);
  const sentence1: string[] = [];
  const sentence2: string[] = [];
  const score = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const circle = company(random);
    const scene = sceneOf(circle, random);
    score[row] = random.int(2);
    const where = score[row] === 1 || random.int(2) === 1 ? circle : company(random);
    sentence1.push(tell(circle, scene, random));
    sentence2.push(again(where, score[row] === 1 ? scene : sceneOf(where, random), random));
  }
  return { columns: { sentence1, sentence2, score }, rows };
}

/**
 * Passages: what happened, told in two sentences, one in five in a single one; other stories than those of `sampleStories` (of the default seeds).
 *
 * @param options How many, and the seed. Default 40,000.
 * @returns The passages.
 *
 * @example
 * ```ts
 * import { samplePassages } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * assert.ok(samplePassages({ rows: 9 }).some((passage) => /^[^.]+\. [^.]+\.$/.test(passage)));
 * ```
 */
export function samplePassages(options: SampleStoriesOptions = {}): readonly string[] {
  return sampleStories({ seed: 2, ...options }).map((story) => story.replace(" [SEP] ", ". ") + ".");
}
