/**
 * Scenes, what may be changed in them, and how they are put into words.
 *
 * @module
 */
import type { RandomStream } from "../../engine/philox.ts";
import { AGENTS, COUNTS, MANNERS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS } from "./lexicon.ts";

/** Who does what to what or whom; the rest may be missing. Numbers are places in the lexicon. */
export interface Scene {
  /** Who. */
  readonly agent: number;
  /** Does what. */
  readonly verb: number;
  /** To which thing. */
  readonly object: number;
  /** Or to which person, instead. */
  readonly patient?: number | undefined;
  /** How many of the object. */
  readonly count?: number | undefined;
  /** What the object is like: line and side. */
  readonly quality?: readonly [number, 0 | 1] | undefined;
  /** Where. */
  readonly place?: number | undefined;
  /** When. */
  readonly time?: number | undefined;
  /** How. */
  readonly manner?: number | undefined;
  /** It does not happen. */
  readonly negated?: boolean | undefined;
}

/** Verbs that are also done to people. */
const TO_PEOPLE = VERBS.flatMap(({ words }, i) =>
  /^(finds|pushes|pulls|hides|praises|criticises|remembers|forgets|loves|hates|protects|attacks|follows|leads|examines|ignores|draws|welcomes|accepts|refuses|ties|covers)$/
      .test(words[0]![0])
    ? [i]
    : []
);

/** A scene at random: mostly with a place, a time or a quality. */
export function drawScene(random: RandomStream): Scene {
  const maybe = <A>(chance: number, value: () => A): A | undefined => random.uniform() < chance ? value() : undefined;
  const agent = random.int(AGENTS.length);
  const people = random.uniform() < 0.3;
  let patient: number | undefined;
  if (people) { do patient = random.int(AGENTS.length); while (patient === agent); }
  return {
    agent,
    verb: people ? TO_PEOPLE[random.int(TO_PEOPLE.length)]! : random.int(VERBS.length),
    object: random.int(OBJECTS.length),
    patient,
    count: people ? undefined : maybe(0.2, () => random.int(COUNTS.length)),
    quality: people ? undefined : maybe(0.3, () => [random.int(QUALITIES.length), random.int(2) as 0 | 1] as const),
    place: maybe(0.65, () => random.int(PLACES.length)),
    time: maybe(0.35, () => random.int(TIMES.length)),
    manner: maybe(0.2, () => random.int(MANNERS.length)),
  };
}

/** The scene without one of its details, or undefined if it has none: it follows from the whole. */
export function withoutDetail(scene: Scene, random: RandomStream): Scene | undefined {
  const details = (["place", "time", "manner", "quality"] as const).filter((detail) => scene[detail] !== undefined);
  if (details.length === 0 || scene.negated) return undefined;
  return { ...scene, [details[random.int(details.length)]!]: undefined };
}

/** The scene with one more detail, or undefined if it has all: it may or may not be so. */
export function withDetail(scene: Scene, random: RandomStream): Scene | undefined {
  const open = (["place", "time", "manner"] as const).filter((detail) => scene[detail] === undefined);
  if (open.length === 0 || scene.negated) return undefined;
  const detail = open[random.int(open.length)]!;
  const size = { place: PLACES.length, time: TIMES.length, manner: MANNERS.length }[detail];
  return { ...scene, [detail]: random.int(size) };
}

/** What excludes a scene. */
export type Conflict = "antonym" | "negation" | "roles" | "object" | "agent" | "count" | "quality";

/** A scene that cannot be true together with this one, close to it in words; and in which way. */
export function contradict(scene: Scene, random: RandomStream): readonly [Scene, Conflict] {
  const ways: Conflict[] = ["antonym", "antonym", "negation", "agent"];
  if (scene.patient !== undefined) ways.push("roles", "roles");
  else ways.push("object");
  if (scene.count !== undefined) ways.push("count", "count");
  if (scene.quality !== undefined) ways.push("quality", "quality");
  const way = ways[random.int(ways.length)]!;
  const other = (size: number, than: number) => (than + 1 + random.int(size - 1)) % size;
  switch (way) {
    case "antonym":
      return [{ ...scene, verb: VERBS[scene.verb]!.opposite }, way];
    case "negation":
      return [{ ...scene, negated: !scene.negated }, way];
    case "roles":
      return [{ ...scene, agent: scene.patient!, patient: scene.agent }, way];
    case "object":
      return [{ ...scene, object: other(OBJECTS.length, scene.object) }, way];
    case "agent":
      return [{ ...scene, agent: other(AGENTS.length, scene.agent) }, way];
    case "count":
      return [{ ...scene, count: other(COUNTS.length, scene.count!) }, way];
    case "quality":
      return [{ ...scene, quality: [scene.quality![0], scene.quality![1] === 0 ? 1 : 0] }, way];
  }
}

/** How a scene is told. */
export interface Telling {
  /** Use more general words for agent and object. */
  readonly general?: boolean;
}

function plural(noun: string): string {
  if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/(f|fe)$/.test(noun)) return noun.replace(/fe?$/, "ves");
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

/** A sentence for the scene: synonyms, voice and order are drawn. */
export function tell(scene: Scene, random: RandomStream, telling: Telling = {}): string {
  const pick = <A>(values: readonly A[]): A => values[random.int(values.length)]!;
  const person = (index: number) => `the ${telling.general ? AGENTS[index]!.kind : pick(AGENTS[index]!.words)}`;
  const thing = () => {
    const noun = telling.general ? OBJECTS[scene.object]!.kind : pick(OBJECTS[scene.object]!.words);
    const quality = scene.quality === undefined ? "" : `${pick(QUALITIES[scene.quality[0]]![scene.quality[1]])} `;
    return scene.count === undefined
      ? `the ${quality}${noun}`
      : `${pick(COUNTS[scene.count]!)} ${quality}${plural(noun)}`;
  };
  const agent = person(scene.agent);
  const target = scene.patient === undefined ? thing() : person(scene.patient);
  const [third, participle] = pick(VERBS[scene.verb]!.words);
  const several = scene.patient === undefined && scene.count !== undefined;
  const manner = scene.manner === undefined ? "" : pick(MANNERS[scene.manner]!);
  const be = several ? "are" : "is";
  const core = random.uniform() < 0.5
    ? scene.negated
      ? `${agent} never ${third} ${target}${manner && ` ${manner}`}`
      : `${agent} ${
        manner && random.uniform() < 0.5
          ? `${manner} ${third} ${target}`
          : `${third} ${target}${manner && ` ${manner}`}`
      }`
    : `${target} ${be} ${scene.negated ? "never " : ""}${manner && `${manner} `}${participle} by ${agent}`;
  const where = scene.place === undefined ? "" : pick(PLACES[scene.place]!);
  const when = scene.time === undefined ? "" : pick(TIMES[scene.time]!);
  const front = random.uniform() < 0.35 ? [where, when].filter((part) => part !== "")[0] : undefined;
  const behind = [where, when].filter((part) => part !== "" && part !== front).join(" ");
  return `${front === undefined ? "" : `${front} `}${core}${behind && ` ${behind}`}`;
}
