/**
 * Whose turn it is: batches of several data sets in one order, each batch of one set alone.
 *
 * Which batch comes at which place is a function of the seed and the place, so that a run which was cut off goes on with the
 * very batches that it would have had.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { counted } from "../counted.ts";
import { TrainingError, UsageError } from "../error.ts";
import { type Batch, epochBatches } from "./batches.ts";
import { numberTexts } from "./distinct_batches.ts";
import type { Objective } from "./objective.ts";

/**
 * Ways of taking turns, and with that what an epoch is.
 *
 * - `proportional`: every batch of every set once, the sets in random order. Of a set of weight w, w times as many batches as
 *   it has.
 * - `round-robin`: one batch of each set in turn, until the smallest has no more; what is left of the others is not trained
 *   on in this epoch. Each epoch draws anew what that is.
 * - `temperature`: as many batches as all sets have together, shared among them by w · n^(1/T), with n batches of a set: at 1
 *   that is proportional, and the higher, the more equal. A small set is passed over more than once then.
 */
export type Mixing = "proportional" | "round-robin" | "temperature";

/** All of them. */
export const MIXINGS: readonly ["proportional", "round-robin", "temperature"] = [
  "proportional",
  "round-robin",
  "temperature",
];

/** The temperature where none is named: n^(1/2). */
export const TEMPERATURE = 2;

/** How several data sets take turns. */
export interface MixingSettings {
  /** Default proportional, as in sentence-transformers. */
  readonly mixing?: Mixing | undefined;
  /** T of `temperature`. Default 2. */
  readonly temperature?: number | undefined;
}

/** Of a data set, what its batches are made of. */
export interface MixedRows {
  /** Its name. */
  readonly name: string;
  /** Its rows, and which of them may stand in one batch. */
  readonly objective: Pick<Objective, "rows" | "distinct" | "groups">;
  /** Rows of its batches. Default: those of the run. */
  readonly batchSize?: number | undefined;
  /** How many times as often as by its size alone it has its turn. Default 1. */
  readonly weight?: number | undefined;
}

/** Where a run draws from. */
interface Draw {
  /** Rows of a batch, of sets that say nothing else. */
  readonly batchSize: number;
  /** The run's seed. */
  readonly seed: number;
}

/**
 * Refuses ways of taking turns that there are not, and sets that could not have any.
 *
 * @param sets The data sets.
 * @param mixing How they take turns.
 * @throws {UsageError} It names the set.
 */
export function checkMixing(
  sets: readonly Pick<MixedRows, "name" | "weight">[],
  { mixing = "proportional", temperature }: MixingSettings,
): void {
  if (!MIXINGS.includes(mixing)) {
    throw new UsageError("data sets do not take turns in this way", {
      expected: MIXINGS.join(", "),
      found: `${mixing}`,
    });
  }
  if (temperature !== undefined && mixing !== "temperature") {
    throw new UsageError("a temperature is for data sets that are mixed by temperature", {
      found: `temperature ${temperature}, mixing ${mixing}`,
    });
  }
  if (temperature !== undefined && !(Number.isFinite(temperature) && temperature > 0)) {
    throw new UsageError("the temperature must be above 0", { expected: "a number above 0", found: `${temperature}` });
  }
  if (sets.length === 0) throw new UsageError("there is no data set to train on", { expected: "one or more" });
  const names = new Set<string>();
  for (const { name, weight } of sets) {
    if (typeof name !== "string" || !/^[^\s/][^/]*$/.test(name)) {
      throw new UsageError("a data set needs a name", { expected: "a text without /", found: JSON.stringify(name) });
    }
    if (names.has(name)) throw new UsageError("two data sets have the same name", { found: name });
    names.add(name);
    if (weight === undefined) continue;
    if (!(Number.isFinite(weight) && weight > 0)) {
      throw new UsageError(`the weight of the data set ${name} must be above 0`, {
        expected: "a number above 0",
        found: `${weight}`,
        hint: "leave a set out that shall not be trained on",
      });
    }
    if (mixing === "round-robin") {
      throw new UsageError(`the data set ${name} has a weight, and all take turns alike`, {
        found: `weight ${weight}, mixing ${mixing}`,
        hint: "proportional and temperature know weights",
      });
    }
  }
}

/**
 * Refuses a set that cannot fill a batch.
 *
 * @param set Name, rows and batch size.
 * @throws {TrainingError} It names the set.
 */
export function requireBatch({ name, rows, batchSize }: {
  readonly name: string;
  readonly rows: number;
  readonly batchSize: number;
}): void {
  if (rows >= batchSize) return;
  throw new TrainingError(
    rows === 0 ? `the data set ${name} has no rows` : `the data set ${name} has fewer rows than a batch`,
    {
      where: `data set ${name}`,
      expected: `${batchSize} or more`,
      found: counted(rows, "row"),
      ...(rows > 0 && { hint: `a batch size of its own, ${rows} at most, or a smaller one for all` }),
    },
  );
}

/** A batch, and whose it is. */
export interface MixedBatch extends Batch {
  /** The place of its set among all. */
  readonly set: number;
}

/**
 * The batches of any epoch.
 *
 * @param sets The data sets.
 * @param settings How they take turns.
 * @param draw Batch size and seed.
 * @returns Gives the batches of an epoch, from 0. Rows are numbered within their set.
 * @throws {TrainingError} A set cannot fill a batch.
 */
export function mixedBatches(
  sets: readonly MixedRows[],
  { mixing = "proportional", temperature = TEMPERATURE }: MixingSettings,
  { batchSize, seed }: Draw,
): (epoch: number) => MixedBatch[] {
  const passes = sets.map((set) => {
    const size = set.batchSize ?? batchSize;
    requireBatch({ name: set.name, rows: set.objective.rows, batchSize: size });
    return passesOf(set, { batchSize: size, seed });
  });
  const purpose = randomPurpose("mixing");
  const weights = sets.map(({ weight = 1 }) => weight);
  // How many batches of each set an epoch has; undefined: all of one pass.
  const shares = mixing === "temperature"
    ? shareOut(passes.map((pass) => pass.of(0).length), weights, temperature)
    : weights.map((weight, i) => weight === 1 ? undefined : Math.max(1, Math.round(weight * passes[i]!.of(0).length)));
  return (epoch) => {
    const batches = passes.map((pass, i) => {
      const share = shares[i];
      return share === undefined ? pass.of(epoch) : pass.slice(epoch * share, share);
    });
    const rounds = Math.min(...batches.map(({ length }) => length));
    const turns = mixing === "round-robin"
      ? Int32Array.from({ length: rounds * sets.length }, (_, i) => i % sets.length)
      : randomStream(seed, purpose, epoch).shuffle(
        Int32Array.from(batches.flatMap(({ length }, set) => new Array<number>(length).fill(set))),
      );
    const next = sets.map(() => 0);
    return Array.from(turns, (set) => ({ ...batches[set]![next[set]!++]!, set }));
  };
}

/**
 * b₁ + … + bₙ batches, shared by wᵢ · bᵢ^(1/T): the whole parts first, what is left by the largest remainders. No set goes
 * without. Both factors are taken as shares of the largest, so that none overflows.
 */
function shareOut(counts: readonly number[], weights: readonly number[], temperature: number): number[] {
  const [largest, heaviest] = [Math.max(...counts), Math.max(...weights)];
  const power = Math.min(1 / temperature, Number.MAX_VALUE);
  const wanted = counts.map((count, i) => weights[i]! / heaviest * (count / largest) ** power);
  const scale = counts.reduce((a, b) => a + b) / wanted.reduce((a, b) => a + b);
  const exact = wanted.map((value) => value * scale);
  const shares = exact.map(Math.floor);
  const left = Math.round(exact.reduce((a, b) => a + b) - shares.reduce((a, b) => a + b));
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - shares[b]! - (exact[a]! - shares[a]!) || a - b);
  for (const i of byRemainder.slice(0, left)) shares[i]!++;
  return shares.map((share) => Math.max(1, share));
}

/** A set's passes over its rows, each as it would be if the set were trained on alone. */
interface Passes {
  /** The batches of one pass. */
  readonly of: (pass: number) => readonly Batch[];
  /** So many batches from this one on, of the passes laid end to end; so are the places of their rows. */
  readonly slice: (from: number, count: number) => readonly Batch[];
}

function passesOf({ name, objective }: MixedRows, { batchSize, seed }: Draw): Passes {
  const { rows, groups } = objective;
  const distinct = objective.distinct && numberTexts(objective.distinct);
  const starts = [0]; // of each pass, as far as they are known: passes need not have equally many batches
  let last: { readonly pass: number; readonly batches: readonly Batch[] } | undefined;
  const of = (pass: number) => {
    if (last?.pass !== pass) {
      last = { pass, batches: epochBatches(rows, { batchSize, seed, epoch: pass, distinct, groups }) };
    }
    if (last.batches.length > 0) return last.batches;
    throw new TrainingError(`no batch can be made of the data set ${name}`, {
      where: `data set ${name}`,
      expected: "at least two classes with two rows each",
      found: counted(rows, "row"),
    });
  };
  const slice = (from: number, count: number) => {
    const taken: Batch[] = [];
    let begun: number | undefined;
    for (let pass = 0; taken.length < count; pass++) {
      const start = starts[pass]!;
      const end = starts[pass + 1] ??= start + of(pass).length;
      const first = from + taken.length;
      if (end <= first) continue;
      const before = (pass - (begun ??= pass)) * rows; // in the passes before this one
      for (const batch of of(pass).slice(first - start, first - start + count - taken.length)) {
        taken.push({ ...batch, streams: batch.streams.map((place) => before + place) });
      }
    }
    return taken;
  };
  return { of, slice };
}
