/**
 * Sentences of the sample by how kind it is what happens: a property that lies across what they are about.
 *
 * @module
 */
import type { RandomStream } from "../../engine/philox.ts";
import type { Dataset, LabelledTexts } from "../dataset.ts";
import { EVERYDAY } from "./everyday.ts";
import { sampleStream } from "./generate.ts";
import { named } from "./lexicon.ts";
import { drawScene, isHeldOut, type Scene, tell } from "./scene.ts";

/** The classes, by their numbers. */
export const ATTITUDES: readonly string[] = ["unkind", "neutral", "kind"];

const UNKIND = new Set(named(
  EVERYDAY.verbs,
  "demolishes breaks soils criticises refuses hates attacks ignores scratches uproots strips withholds steals loses",
));
const KIND = new Set(named(
  EVERYDAY.verbs,
  "builds repairs cleans praises accepts loves protects remembers polishes plants decorates delivers returns lends",
));

/** What a verb is, if nobody says "never": −1 unkind, 0 neutral, 1 kind. */
const attitudeOf = (verb: number): number => UNKIND.has(verb) ? -1 : KIND.has(verb) ? 1 : 0;

/** Options of {@linkcode sampleAttitudes}. */
export interface SampleAttitudesOptions {
  /** Another seed, another sample. Default 1. */
  readonly seed?: number;
  /** Number of rows. Default 6,000. */
  readonly rows?: number;
  /** From the scenes that no other part of the sample is trained on. Default false. */
  readonly heldOut?: boolean;
}

/**
 * As many sentences of each class, all distinct: unkind (hates, breaks, never helps), neutral, kind. Who, what, where and
 * when are drawn freely, synonyms too; three in ten are turned round by "never".
 *
 * @param options How many, and which part.
 * @returns Texts with a class each: 0 unkind, 1 neutral, 2 kind.
 *
 * @example
 * ```ts
 * import { ATTITUDES, sampleAttitudes } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const { text, label } = sampleAttitudes({ rows: 300 }).columns;
 * assert.equal(new Set(text).size, 300);
 * assert.equal(label.filter((name) => ATTITUDES[name] === "kind").length, 100);
 * ```
 */
export function sampleAttitudes(options: SampleAttitudesOptions = {}): Dataset<LabelledTexts> {
  const { seed = 1, rows = 6000, heldOut = false } = options;
  const random = sampleStream(seed, heldOut ? 4 : 3);
  const seen = new Set<string>();
  const label = new Int32Array(rows);
  while (seen.size < rows) {
    const wanted = seen.size % 3;
    const text = tell(EVERYDAY, sceneOf(random, wanted - 1, heldOut), random);
    if (seen.has(text)) continue;
    label[seen.size] = wanted;
    seen.add(text);
  }
  return { columns: { text: [...seen], label }, rows };
}

/** A scene of this attitude. How it is done is left out: "angrily loves" would be a riddle. */
function sceneOf(random: RandomStream, attitude: number, heldOut: boolean): Scene {
  while (true) {
    const negated = random.uniform() < 0.3;
    const scene = { ...drawScene(EVERYDAY, random), manner: undefined, negated };
    const told = negated ? -attitudeOf(scene.verb) : attitudeOf(scene.verb);
    if (told === attitude && isHeldOut(EVERYDAY, scene) === heldOut) return scene;
  }
}
