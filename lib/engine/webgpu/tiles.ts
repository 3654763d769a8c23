/**
 * Shapes of the tiles that a matrix product is cut into.
 *
 * @module
 */

/**
 * What a workgroup of a product computes, and how. Each sum is one chain over k whatever the shape, so that a shape
 * changes the time of a product and no bit of it.
 */
export interface Tile {
  /** Rows of C. */
  readonly rows: number;
  /** Columns of C. */
  readonly columns: number;
  /** Elements of k that workgroup memory holds at a time, of A and of B. */
  readonly depth: number;
  /** Rows of C that one thread computes. */
  readonly down: number;
  /** Columns of C that one thread computes. */
  readonly across: number;
}

/** All shapes that are tried, the one that needs no trial first. Every number is a multiple of 4. */
export const TILES: readonly Tile[] = [
  { rows: 64, columns: 64, depth: 16, down: 4, across: 4 },
  { rows: 32, columns: 32, depth: 32, down: 4, across: 4 },
  { rows: 64, columns: 64, depth: 16, down: 8, across: 4 },
  { rows: 128, columns: 64, depth: 16, down: 8, across: 8 },
  { rows: 128, columns: 128, depth: 16, down: 8, across: 8 },
];

/** Threads of a workgroup. */
export const threadsOf = ({ rows, columns, down, across }: Tile): number => (rows / down) * (columns / across);

/** The shape in few letters. */
export const nameOf = ({ rows, columns, depth, down, across }: Tile): string =>
  `${rows}×${columns}×${depth} by ${down}×${across}`;

/**
 * The shapes that a device has room for.
 *
 * @param limits Of the device.
 * @returns Those of {@linkcode TILES}, in that order.
 */
export function tilesWithin(limits: GPUSupportedLimits): readonly Tile[] {
  const threads = Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  return TILES.filter((tile) =>
    threadsOf(tile) <= threads &&
    4 * tile.depth * (tile.rows + tile.columns) <= limits.maxComputeWorkgroupStorageSize
  );
}
