/**
 * Which shape of tiles an adapter multiplies fastest with: measured once, and remembered.
 *
 * @module
 */
import { nameOf, type Tile } from "./tiles.ts";

/** Where measurements are kept from one process to the next. Neither may fail: what is not kept is measured again. */
export interface TileStore {
  /** The text under a key; undefined where there is none, or it cannot be read. */
  readonly read: (key: string) => Promise<string | undefined>;
  /** Keeps it, where that is possible. */
  readonly write: (key: string, text: string) => Promise<void>;
}

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

/** One for each of {@linkcode SIDES}. */
type Shapes = readonly Tile[];

/** What was found in this process. */
const known = new Map<string, Promise<Shapes>>();

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
  store?: TileStore,
  clock: () => number = () => performance.now(),
): Promise<TileChoice> {
  const whole = JSON.stringify([...key, candidates.map(nameOf)]);
  const find = async (): Promise<Shapes> => {
    const kept = parse(await store?.read(whole), whole, candidates);
    if (kept !== undefined) return kept;
    const shapes = await measured(candidates, open, clock);
    if (shapes === undefined) return [candidates[0]!];
    await store?.write(whole, `${JSON.stringify({ key: whole, shapes: shapes.map(nameOf) })}\n`);
    return shapes;
  };
  const found = known.get(whole) ?? find();
  known.set(whole, found);
  const shapes = await found;
  return (elements) => {
    const i = SIDES.findIndex((side) => elements <= 2 * side * side);
    return shapes[i] ?? shapes.at(-1)!;
  };
}

/** What a text says, if it is one of ours for this key. */
function parse(text: string | undefined, key: string, candidates: readonly Tile[]): Shapes | undefined {
  if (text === undefined) return undefined;
  try {
    const { key: itsKey, shapes } = JSON.parse(text) as { readonly key: unknown; readonly shapes: readonly unknown[] };
    const tiles = shapes.flatMap((name) => candidates.find((tile) => nameOf(tile) === name) ?? []);
    return itsKey === key && shapes.length === SIDES.length && tiles.length === SIDES.length ? tiles : undefined;
  } catch {
    return undefined; // torn, or another's
  }
}

/** The fastest shapes; undefined where none can be told: what is wrong with the device shows when it is used. */
async function measured(
  candidates: readonly Tile[],
  open: () => Promise<Stopwatch | undefined>,
  clock: () => number,
): Promise<Shapes | undefined> {
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
