/**
 * What a domain of the sample is: lists of words, which the grammar of scenes puts together.
 *
 * @module
 */

/** A thing or person: words for the same, and what it is a kind of. */
export interface Noun {
  /** Words that mean the same. */
  readonly words: readonly string[];
  /** A more general word. */
  readonly kind: string;
}

/** Something that is done to something: words for the same, as third person and participle, and the opposite. */
export interface Verb {
  /** [third person, participle] */
  readonly words: readonly (readonly [string, string])[];
  /** Index of the verb that means the opposite, or of one that excludes it. */
  readonly opposite: number;
}

/** Phrases for the same. */
export type Phrases = readonly string[];

/** The words of a domain. A scene is made of places in these lists. */
export interface Lexicon {
  /** Who acts. */
  readonly agents: readonly Noun[];
  /** What is acted on. */
  readonly objects: readonly Noun[];
  /** What is done; verbs that exclude each other are neighbours. */
  readonly verbs: readonly Verb[];
  /** Those that are also done to agents, as indices of `verbs`. */
  readonly toAgents: readonly number[];
  /** Where. */
  readonly places: readonly Phrases[];
  /** When. */
  readonly times: readonly Phrases[];
  /** How. */
  readonly manners: readonly Phrases[];
  /** What things are like, and the opposite. */
  readonly qualities: readonly (readonly [Phrases, Phrases])[];
  /** How many; neighbours differ. */
  readonly counts: readonly Phrases[];
  /**
   * How far a scene reaches: agents, verbs, objects and places are drawn from this share of their lists, around the
   * height of the agent in its own, so that words keep company. 1: anyone does anything anywhere.
   */
  readonly reach: number;
  /**
   * What scenes are split for evaluation by, together with the verb: the agent, or the kind of the agent. By kind, the
   * more general words of a scene are on its side as well.
   */
  readonly splitBy: "agent" | "kind";
}

const lines = (text: string): string[] => text.trim().split("\n").map((line) => line.trim());

/** One noun a line: `word / synonym < kind`. */
export function nouns(text: string): Noun[] {
  return lines(text).map((line) => {
    const [words, kind] = line.split(" < ");
    return { words: words!.split(" / "), kind: kind! };
  });
}

/** Two verbs a line: `third - participle / third - participle x third - participle`. */
export function verbs(text: string): Verb[] {
  return lines(text).flatMap((line, i) => {
    const [left, right] = line.split(" x ");
    const parse = (side: string) =>
      side.split(" / ").map((pair) => {
        const [third, participle] = pair.split(" - ");
        return [third!.trim(), participle!.trim()] as const;
      });
    return [{ words: parse(left!), opposite: 2 * i + 1 }, { words: parse(right!), opposite: 2 * i }];
  });
}

/** Indices of the verbs whose first word is one of these. */
export function named(all: readonly Verb[], words: string): number[] {
  const wanted = new Set(words.split(/\s+/));
  return all.flatMap(({ words: [first] }, i) => wanted.has(first![0]) ? [i] : []);
}

/** One meaning a line: `phrase / phrase`. */
export function phrases(text: string): Phrases[] {
  return lines(text).map((line) => line.split(" / "));
}

/** Two meanings a line: `word / word x word`. */
export function opposites(text: string): (readonly [Phrases, Phrases])[] {
  return lines(text).map((line) => {
    const [a, b] = line.split(" x ");
    return [a!.split(" / "), b!.split(" / ")] as const;
  });
}

/** Numbers, which all domains share. */
export const COUNTS: readonly Phrases[] = phrases(`
  two / a couple of
  three / three
  four / four
  five / five
  seven / seven
  ten / ten
  twelve / a dozen
  twenty / twenty
`);
