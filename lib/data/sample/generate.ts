/**
 * Pairs, graded pairs and plain sentences of a domain.
 *
 * @module
 */
import { randomPurpose, type RandomStream, randomStream } from "../../engine/philox.ts";
import type { Dataset, LabelledPairs, RankedDocuments, ScoredPairs } from "../dataset.ts";
import { type DocumentList, rankedDocuments } from "../lists.ts";
import type { Lexicon } from "./lexicon.ts";
import { contradict, drawScene, isHeldOut, type Scene, tell, withDetail, withoutDetail } from "./scene.ts";

/** The random numbers of a part of the sample; each part has a `counter` of its own. */
export function sampleStream(seed: number, counter: number): RandomStream {
  return randomStream(seed, randomPurpose("sample"), counter);
}

function sceneOf(lexicon: Lexicon, random: RandomStream, heldOut: boolean): Scene {
  while (true) {
    const scene = drawScene(lexicon, random);
    if (isHeldOut(lexicon, scene) === heldOut) return scene;
  }
}

/** A scene near this one that excludes it and stays on its side of the split. */
function contradiction(lexicon: Lexicon, scene: Scene, random: RandomStream, heldOut: boolean): Scene {
  while (true) {
    const [other] = contradict(lexicon, scene, random);
    if (isHeldOut(lexicon, other) === heldOut) return other;
  }
}

/** NLI pairs with true labels: 0 entailment, 1 neutral, 2 contradiction; all distinct. */
export function labelledPairs(lexicon: Lexicon, random: RandomStream, rows: number): Dataset<LabelledPairs> {
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
    const scene = sceneOf(lexicon, random, false);
    const text = tell(lexicon, scene, random);
    add(text, entailed(lexicon, scene, random), 0);
    const more = withDetail(lexicon, scene, random);
    const unrelated = random.uniform() < 0.5 || more === undefined;
    add(text, tell(lexicon, unrelated ? sceneOf(lexicon, random, false) : more!, random), 1);
    add(text, tell(lexicon, contradiction(lexicon, scene, random, false), random), 2);
  }
  return { columns: { premise, hypothesis, label: Int32Array.from(label) }, rows };
}

/** What follows from a scene: the same in other words, with a detail less, or in more general words. */
function entailed(lexicon: Lexicon, scene: Scene, random: RandomStream): string {
  const way = random.uniform();
  if (way < 0.15) return tell(lexicon, scene, random, { general: true });
  return tell(lexicon, way < 0.6 ? scene : withoutDetail(scene, random) ?? scene, random);
}

/** Graded pairs of held-out scenes, or of the training side: 5, 4, 3, 1, 1, 0 in turn. */
export function gradedPairs(
  lexicon: Lexicon,
  random: RandomStream,
  rows: number,
  heldOut = true,
): Dataset<ScoredPairs> {
  const sentence1: string[] = [];
  const sentence2: string[] = [];
  const score: number[] = [];
  const kinds = [5, 4, 3, 1, 1, 0];
  while (score.length < rows) {
    const grade = kinds[score.length % kinds.length]!;
    const scene = sceneOf(lexicon, random, heldOut);
    const first = tell(lexicon, scene, random);
    const second = graded(lexicon, scene, grade, random, heldOut);
    if (second === undefined || second === first) continue;
    sentence1.push(first);
    sentence2.push(second);
    score.push(grade);
  }
  return { columns: { sentence1, sentence2, score: Float64Array.from(score) }, rows };
}

/**
 * Lists of the training side: a sentence, and sentences of the grades 5, 4, 3, 1, 0, 0 beside it, as many of them as there
 * are, in any order.
 */
export function gradedLists(lexicon: Lexicon, random: RandomStream, lists: number): Dataset<RankedDocuments> {
  const made: DocumentList[] = [];
  const queries = new Set<string>();
  while (made.length < lists) {
    const scene = sceneOf(lexicon, random, false);
    const query = tell(lexicon, scene, random);
    const documents = new Map<string, number>();
    for (const grade of [5, 4, 3, 1, 0, 0]) {
      const text = graded(lexicon, scene, grade, random, false);
      if (text !== undefined && text !== query && !documents.has(text)) documents.set(text, grade);
    }
    if (queries.has(query) || documents.size < 3) continue;
    queries.add(query);
    const order = random.shuffle(Int32Array.from({ length: documents.size }, (_, i) => i));
    const rows = [...documents];
    made.push({
      query,
      documents: Array.from(order, (i) => rows[i]![0]),
      labels: Int32Array.from(order, (i) => rows[i]![1]),
    });
  }
  return rankedDocuments(made);
}

function graded(
  lexicon: Lexicon,
  scene: Scene,
  grade: number,
  random: RandomStream,
  heldOut = true,
): string | undefined {
  const told = (other: Scene | undefined, general = false) => other && tell(lexicon, other, random, { general });
  switch (grade) {
    case 5:
      return told(scene);
    case 4:
      return random.uniform() < 0.35 ? told(scene, true) : told(withoutDetail(scene, random));
    case 3:
      return told(withDetail(lexicon, scene, random));
    case 1:
      return told(contradiction(lexicon, scene, random, heldOut));
    default:
      return told(sceneOf(lexicon, random, heldOut));
  }
}

/** A plain sentence of the training side; one in ten in more general words. */
export function sentence(lexicon: Lexicon, random: RandomStream): string {
  return tell(lexicon, sceneOf(lexicon, random, false), random, { general: random.uniform() < 0.1 });
}

/** Every word of a domain; plurals are a word with an ending, or pieces. */
export function wordsOf(lexicon: Lexicon): Set<string> {
  const { agents, objects, verbs, places, times, manners, qualities, counts } = lexicon;
  const words = new Set<string>();
  const add = (text: string) => text.split(/\s+/).forEach((word) => word !== "" && words.add(word));
  for (const { words: names, kind } of [...agents, ...objects]) [...names, kind].forEach(add);
  for (const { words: forms } of verbs) forms.flat().forEach(add);
  [...places, ...times, ...manners].flat().forEach(add);
  qualities.flat(2).forEach(add);
  counts.flat().forEach(add);
  return words;
}
