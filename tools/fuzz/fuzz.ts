/**
 * Feeds damaged inputs to parsers, and counts what they come to.
 *
 * @module
 */
import { KindredError } from "../../lib/error.ts";
import { chanceOf, mutate } from "./mutate.ts";
import type { Target } from "./targets.ts";

/** What became of the inputs of one target. */
export interface Tally {
  /** The target. */
  readonly name: string;
  /** Inputs that were read. */
  read: number;
  /** Inputs that were refused by one of Kindred's errors. */
  refused: number;
  /** What went wrong: another error, or far too long a time; with the number of the input, to see it again. */
  readonly faults: string[];
  /** The longest that one input took, in milliseconds. */
  slowest: number;
}

/** Inputs are small: one that takes longer than this does not take linear time, or waits for something. */
const TOO_LONG = 2000;

/**
 * Feeds a target inputs number `from` to `to` − 1 of a seed. The input of a number is always the same.
 *
 * @param target What is fed.
 * @param seed Of the inputs.
 * @param from Number of the first input.
 * @param to Number after the last input.
 * @param tally What is counted on.
 */
export async function feed(target: Target, seed: number, from: number, to: number, tally: Tally): Promise<void> {
  for (let number = from; number < to; number++) {
    const random = chanceOf(seed, number);
    const whole = target.seeds[random.int(target.seeds.length)]!;
    const input = mutate(whole, target.seeds, random);
    const started = performance.now();
    try {
      await target.read(input);
      tally.read++;
    } catch (error) {
      if (error instanceof KindredError) tally.refused++;
      else tally.faults.push(`input ${number}: ${(error as Error)?.stack?.split("\n").slice(0, 3).join(" ") ?? error}`);
    }
    const took = performance.now() - started;
    tally.slowest = Math.max(tally.slowest, took);
    if (took > TOO_LONG) tally.faults.push(`input ${number}: it took ${(took / 1000).toFixed(1)} s`);
  }
}

/** A new tally. */
export function emptyTally(name: string): Tally {
  return { name, read: 0, refused: 0, faults: [], slowest: 0 };
}
