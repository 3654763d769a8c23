/**
 * The sample that ships inside: everyday scenes with true labels, generated from a seed.
 *
 * The scale of the graded pairs, in agreement with the labels of the training pairs:
 *
 * | score | relation | label |
 * | --- | --- | --- |
 * | 5 | the same scene in other words | entailment |
 * | 4 | the second leaves out a detail, or says it in more general words | entailment |
 * | 3 | the second adds a detail | neutral |
 * | 1 | close in words, but they exclude each other | contradiction |
 * | 0 | nothing to do with each other | neutral |
 *
 * @module
 */
import { randomPurpose, type RandomStream, randomStream } from "../../engine/philox.ts";
import type { Dataset, LabelledPairs, ScoredPairs } from "../dataset.ts";
import { contradict, drawScene, type Scene, tell, withDetail, withoutDetail } from "./scene.ts";
import { AGENTS, COUNTS, MANNERS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS } from "./lexicon.ts";

/** Options of the generators. */
export interface SampleOptions {
  /** Another seed, another sample. Default 1. */
  readonly seed?: number;
  /** Number of rows. */
  readonly rows?: number;
}

/** Scenes are split by who does what: one in eight is kept for evaluation, so that none of its sentences is trained on. */
function isHeldOut({ agent, verb }: Scene): boolean {
  return (agent * 31 + (verb >> 1) * 17) % 8 === 0;
}

function sceneOf(random: RandomStream, heldOut: boolean): Scene {
  while (true) {
    const scene = drawScene(random);
    if (isHeldOut(scene) === heldOut) return scene;
  }
}

/** A scene near this one that stays on its side of the split. */
function contradiction(scene: Scene, random: RandomStream, heldOut: boolean): Scene {
  while (true) {
    const [other] = contradict(scene, random);
    if (isHeldOut(other) === heldOut) return other;
  }
}

/** NLI pairs with true labels: 0 entailment, 1 neutral, 2 contradiction; all distinct. Default 20,000. */
export function sampleNli(options: SampleOptions = {}): Dataset<LabelledPairs> {
  const { seed = 1, rows = 20_000 } = options;
  const random = randomStream(seed, randomPurpose("sample"), 0);
  const premise: string[] = [];
  const hypothesis: string[] = [];
  const label: number[] = [];
  const seen = new Set<string>();
  const add = (first: string, second: string, kind: number) => {
    const key = `${first}\t${second}`;
    if (first === second || seen.has(key) || label.length === rows) return;
    seen.add(key);
    premise.push(first);
    hypothesis.push(second);
    label.push(kind);
  };
  while (label.length < rows) {
    const scene = sceneOf(random, false);
    const text = tell(scene, random);
    add(text, entailed(scene, random), 0);
    const more = withDetail(scene, random);
    const unrelated = random.uniform() < 0.5 || more === undefined;
    add(text, tell(unrelated ? sceneOf(random, false) : more!, random), 1);
    add(text, tell(contradiction(scene, random, false), random), 2);
  }
  return { columns: { premise, hypothesis, label: Int32Array.from(label) }, rows };
}

/** What follows from a scene: the same in other words, with a detail less, or in more general words. */
function entailed(scene: Scene, random: RandomStream): string {
  const way = random.uniform();
  if (way < 0.15) return tell(scene, random, { general: true });
  return tell(way < 0.6 ? scene : withoutDetail(scene, random) ?? scene, random);
}

/** Graded pairs whose sentences occur in no pair of `sampleNli`. Default 1,500. */
export function sampleSts(options: SampleOptions = {}): Dataset<ScoredPairs> {
  const { seed = 1, rows = 1500 } = options;
  const random = randomStream(seed, randomPurpose("sample"), 1);
  const sentence1: string[] = [];
  const sentence2: string[] = [];
  const score: number[] = [];
  const kinds = [5, 4, 3, 1, 1, 0];
  while (score.length < rows) {
    const grade = kinds[score.length % kinds.length]!;
    const scene = sceneOf(random, true);
    const first = tell(scene, random);
    const second = graded(scene, grade, random);
    if (second === undefined || second === first) continue;
    sentence1.push(first);
    sentence2.push(second);
    score.push(grade);
  }
  return { columns: { sentence1, sentence2, score: Float64Array.from(score) }, rows };
}

function graded(scene: Scene, grade: number, random: RandomStream): string | undefined {
  const told = (other: Scene | undefined, general = false) => other && tell(other, random, { general });
  switch (grade) {
    case 5:
      return told(scene);
    case 4:
      return random.uniform() < 0.35 ? told(scene, true) : told(withoutDetail(scene, random));
    case 3:
      return told(withDetail(scene, random));
    case 1:
      return told(contradiction(scene, random, true));
    default:
      return told(sceneOf(random, true));
  }
}

/** Plain sentences of the training side, for language modelling. Default 40,000. */
export function sampleTexts(options: SampleOptions = {}): readonly string[] {
  const { seed = 1, rows = 40_000 } = options;
  const random = randomStream(seed, randomPurpose("sample"), 2);
  return Array.from({ length: rows }, () => tell(sceneOf(random, false), random, { general: random.uniform() < 0.1 }));
}

/** The WordPiece vocabulary of the sample: its words, letters, and what unknown words are pieced together from. */
export function sampleVocabulary(): readonly string[] {
  const words = new Set<string>();
  const add = (text: string) => text.split(/\s+/).forEach((word) => word !== "" && words.add(word));
  for (const { words: names, kind } of [...AGENTS, ...OBJECTS]) [...names, kind].forEach(add);
  for (const { words: forms } of VERBS) forms.flat().forEach(add);
  [...PLACES, ...TIMES, ...MANNERS].flat().forEach(add);
  QUALITIES.flat(2).forEach(add);
  COUNTS.flat().forEach(add);
  "the a is are never by not of and in on at to with".split(" ").forEach(add);
  const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"];
  return [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    "##s",
    "##es",
    "##ies",
    "##ves",
    ...[...words].filter((word) => word.length > 1).sort(),
  ].filter((token, i, all) => all.indexOf(token) === i);
}

export { sampleBaseModel } from "./base.ts";
