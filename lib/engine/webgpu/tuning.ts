/**
 * Which shape of tiles an adapter multiplies fastest with: measured once, and remembered.
 *
 * @module
 */
import { findOrMeasure, type MeasurementStore } from "../measurements.ts";
import { nameOf, type Tile } from "./tiles.ts";

/** What tells how long products take. */
export interface Stopwatch {
  /** Times of square products with each of the shapes, in any unit. */
  readonly time: (side: number, tiles: readonly Tile[]) => Promise<readonly number[]>;
  /** Gives back what it holds. */
  readonly close: () => void;
}

/** The shape for a product of so many elements. */
export type TileChoice = (elements: number) => Tile;

/** Sides of the products that are measured: a few tiles give a card's cores too little to do, many do. */
const SIDES = [256, 512, 1024, 2048];
/** Milliseconds after which no further side is begun; it takes what the one before took. */
const BUDGET = 500;

/**
 * The choice for an adapter: from this process, from the store, or measured.
 *
 * @param key What it depends on beside the candidates: the adapter's name, limits, precision.
 * @param candidates The shapes there is room for, the one that is taken where nothing can be measured first.
 * @param open Starts what measures; undefined where nothing does.
 * @param store Where it is kept. Default: in this process alone.
 * @param clock Tells milliseconds.
 * @returns Shapes by the size of products.
 */
export async function chooseTiles(
  key: readonly unknown[],
  candidates: readonly Tile[],
  open: () => Promise<Stopwatch | undefined>,
  store?: MeasurementStore,
  clock: () => number = () => performance.now(),
): Promise<TileChoice> {
  const byName = new Map(candidates.map((tile) => [nameOf(tile), tile]));
  /** Names, one for each of {@linkcode SIDES}. */
  const areShapes = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.length === SIDES.length && value.every((name) => byName.has(name));
  const found = await findOrMeasure(
    ["tiles", ...key, [...byName.keys()]],
    areShapes,
    async () => (await measured(candidates, open, clock))?.map(nameOf),
    store,
  );
  const shapes = found?.map((name) => byName.get(name)!) ?? [candidates[0]!];
  return (elements) => {
    const i = SIDES.findIndex((side) => elements <= 2 * side * side);
    return shapes[i] ?? shapes.at(-1)!;
  };
}

/**
 * The fastest shapes, one for each of {@linkcode SIDES}; undefined where none can be told: what is wrong with the device
 * shows when it is used.
 */
async function measured(
  candidates: readonly Tile[],
  open: () => Promise<Stopwatch | undefined>,
  clock: () => number,
): Promise<readonly Tile[] | undefined> {
  const ends = clock() + BUDGET;
  const stopwatch = await open().catch(() => undefined);
  if (stopwatch === undefined) return undefined;
  try {
    const shapes: Tile[] = [];
    for (const side of SIDES) {
      if (shapes.length > 0 && clock() > ends) {
        shapes.push(shapes.at(-1)!);
        continue;
      }
      const times = await stopwatch.time(side, candidates);
      const least = Math.min(...times);
      if (!(least > 0 && least < Infinity)) return undefined;
      shapes.push(candidates[times.indexOf(least)]!);
    }
    return shapes;
  } catch {
    return undefined;
  } finally {
    stopwatch.close();
  }
}
