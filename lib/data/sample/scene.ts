/**
 * Scenes, what may be changed in them, and how they are put into words: one grammar for every domain.
 *
 * @module
 */
import type { RandomStream } from "../../engine/philox.ts";
import type { Lexicon } from "./lexicon.ts";

/** Who does what to what or whom; the rest may be missing. Numbers are places in the lexicon. */
export interface Scene {
  /** Who. */
  readonly agent: number;
  /** Does what. */
  readonly verb: number;
  /** To which thing. */
  readonly object: number;
  /** Or to which agent, instead. */
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

/** A place in a list of `size`, within the lexicon's reach of the agent's height in its own list; the ends meet. */
function beside(lexicon: Lexicon, agent: number, size: number, random: RandomStream): number {
  const { reach, agents } = lexicon;
  if (reach === 1) return random.int(size);
  const height = (agent + 0.5) / agents.length + (random.uniform() - 0.5) * reach;
  return Math.floor((height + 1) * size) % size;
}

/** Another place in a list of `size` than `than`, within the lexicon's reach of it. */
function another(lexicon: Lexicon, than: number, size: number, random: RandomStream): number {
  if (lexicon.reach === 1) return (than + 1 + random.int(size - 1)) % size;
  const span = Math.max(1, Math.floor(size * lexicon.reach / 2));
  const step = 1 + random.int(span);
  return (than + (random.uniform() < 0.5 ? step : size - step)) % size;
}

/** A scene at random: mostly with a place, a time or a quality. */
export function drawScene(lexicon: Lexicon, random: RandomStream): Scene {
  const { agents, objects, verbs, toAgents, places, times, manners, qualities, counts } = lexicon;
  const maybe = <A>(chance: number, value: () => A): A | undefined => random.uniform() < chance ? value() : undefined;
  const agent = random.int(agents.length);
  const among = (list: readonly unknown[]) => beside(lexicon, agent, list.length, random);
  const people = random.uniform() < 0.3 && toAgents.length > 0 && agents.length > 1;
  let patient: number | undefined;
  if (people) { do patient = among(agents); while (patient === agent); }
  return {
    agent,
    verb: people ? toAgents[among(toAgents)]! : among(verbs),
    object: among(objects),
    patient,
    count: people ? undefined : maybe(0.2, () => random.int(counts.length)),
    quality: people ? undefined : maybe(0.3, () => [random.int(qualities.length), random.int(2) as 0 | 1] as const),
    place: maybe(0.65, () => among(places)),
    time: maybe(0.35, () => random.int(times.length)),
    manner: maybe(0.2, () => random.int(manners.length)),
  };
}

/** Scenes are split by who does what: one in eight is kept for evaluation, so that none of its sentences is trained on. */
export function isHeldOut({ agents, splitBy }: Lexicon, { agent, verb }: Scene): boolean {
  const who = splitBy === "agent" ? agent : agents.findIndex(({ kind }) => kind === agents[agent]!.kind);
  return (who * 31 + (verb >> 1) * 17) % 8 === 0;
}

/** The scene without one of its details, or undefined if it has none: it follows from the whole. */
export function withoutDetail(scene: Scene, random: RandomStream): Scene | undefined {
  const details = (["place", "time", "manner", "quality"] as const).filter((detail) => scene[detail] !== undefined);
  if (details.length === 0 || scene.negated) return undefined;
  return { ...scene, [details[random.int(details.length)]!]: undefined };
}

/** The scene with one more detail, or undefined if it has all: it may or may not be so. */
export function withDetail(lexicon: Lexicon, scene: Scene, random: RandomStream): Scene | undefined {
  const open = (["place", "time", "manner"] as const).filter((detail) => scene[detail] === undefined);
  if (open.length === 0 || scene.negated) return undefined;
  const detail = open[random.int(open.length)]!;
  switch (detail) {
    case "place":
      return { ...scene, place: beside(lexicon, scene.agent, lexicon.places.length, random) };
    case "time":
      return { ...scene, time: random.int(lexicon.times.length) };
    case "manner":
      return { ...scene, manner: random.int(lexicon.manners.length) };
  }
}

/** What excludes a scene. */
export type Conflict = "antonym" | "negation" | "roles" | "object" | "agent" | "count" | "quality";

/** A scene that cannot be true together with this one, close to it in words; and in which way. */
export function contradict(lexicon: Lexicon, scene: Scene, random: RandomStream): readonly [Scene, Conflict] {
  const ways: Conflict[] = ["antonym", "antonym", "negation", "agent"];
  if (scene.patient !== undefined) ways.push("roles", "roles");
  else ways.push("object");
  if (scene.count !== undefined) ways.push("count", "count");
  if (scene.quality !== undefined) ways.push("quality", "quality");
  const way = ways[random.int(ways.length)]!;
  switch (way) {
    case "antonym":
      return [{ ...scene, verb: lexicon.verbs[scene.verb]!.opposite }, way];
    case "negation":
      return [{ ...scene, negated: !scene.negated }, way];
    case "roles":
      return [{ ...scene, agent: scene.patient!, patient: scene.agent }, way];
    case "object":
      return [{ ...scene, object: another(lexicon, scene.object, lexicon.objects.length, random) }, way];
    case "agent":
      return [{ ...scene, agent: another(lexicon, scene.agent, lexicon.agents.length, random) }, way];
    case "count": {
      const size = lexicon.counts.length;
      return [{ ...scene, count: (scene.count! + 1 + random.int(size - 1)) % size }, way];
    }
    case "quality":
      return [{ ...scene, quality: [scene.quality![0], scene.quality![1] === 0 ? 1 : 0] }, way];
  }
}

/** How a scene is told. */
export interface Telling {
  /** Use more general words for agent and object. */
  readonly general?: boolean;
}

/** Several of a thing. */
function plural(noun: string): string {
  if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/(f|fe)$/.test(noun)) return noun.replace(/fe?$/, "ves");
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

/** A sentence for the scene: synonyms, voice and order are drawn. */
export function tell(lexicon: Lexicon, scene: Scene, random: RandomStream, telling: Telling = {}): string {
  const { agents, objects, verbs, qualities, counts, manners, places, times } = lexicon;
  const pick = <A>(values: readonly A[]): A => values[random.int(values.length)]!;
  const person = (index: number) => `the ${telling.general ? agents[index]!.kind : pick(agents[index]!.words)}`;
  const thing = () => {
    const noun = telling.general ? objects[scene.object]!.kind : pick(objects[scene.object]!.words);
    const quality = scene.quality === undefined ? "" : `${pick(qualities[scene.quality[0]]![scene.quality[1]])} `;
    return scene.count === undefined
      ? `the ${quality}${noun}`
      : `${pick(counts[scene.count]!)} ${quality}${plural(noun)}`;
  };
  const agent = person(scene.agent);
  const target = scene.patient === undefined ? thing() : person(scene.patient);
  const [third, participle] = pick(verbs[scene.verb]!.words);
  const several = scene.patient === undefined && scene.count !== undefined;
  const manner = scene.manner === undefined ? "" : pick(manners[scene.manner]!);
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
  const where = scene.place === undefined ? "" : pick(places[scene.place]!);
  const when = scene.time === undefined ? "" : pick(times[scene.time]!);
  const front = random.uniform() < 0.35 ? [where, when].filter((part) => part !== "")[0] : undefined;
  const behind = [where, when].filter((part) => part !== "" && part !== front).join(" ");
  return `${front === undefined ? "" : `${front} `}${core}${behind && ` ${behind}`}`;
}
