/**
 * Blocks of embeddings on the engine, their products, and what of these comes to the host.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import { DatasetError } from "../error.ts";
import type { Embeddings } from "./pairwise.ts";

/** How two embeddings are compared here. */
export type NearestSimilarity = "cosine" | "dot";

/** Both. */
export const NEAREST_SIMILARITIES: readonly NearestSimilarity[] = ["cosine", "dot"];

/** The best of each row, on the host. */
export interface Best {
  /** Scores, row by row. */
  readonly values: Float32Array;
  /** Where they stand in their rows. */
  readonly columns: Int32Array;
}

/** Waits for the best of each row. */
export async function readBest(engine: Engine, best: ReturnType<Engine["topK"]>): Promise<Best> {
  const [values, columns] = await Promise.all([engine.read(best.values), engine.read(best.indices)]);
  return { values: values as Float32Array, columns: columns as Int32Array };
}

/** a bᵀ */
export function product(engine: Engine, a: Handle, b: Handle): Handle {
  return engine.matmul(a, b, { transposeB: true });
}

/** Some rows on the device, of length 1 for the cosine. */
export function uploadRows(
  engine: Engine,
  { data, width }: Embeddings,
  start: number,
  count: number,
  similarity: NearestSimilarity,
): Handle {
  const values = engine.upload(data.subarray(start * width, (start + count) * width), [count, width]);
  return similarity === "cosine" ? engine.normalizeRows(values, 1e-12).y : values;
}

/**
 * Values are numbers and not codes, widths agree, there are as many values as announced, and no product of two rows can
 * leave float32: sums of products are bounded by the norms (Cauchy–Schwarz), so norms up to 10¹⁸ keep every score finite.
 */
export function checkEmbeddings({ data, width, rows }: Embeddings, what: string, expected = width): void {
  if (!(data instanceof Float32Array)) {
    throw new DatasetError(`${what} are not float32`, {
      expected: "a Float32Array",
      found: Object.prototype.toString.call(data).slice(8, -1),
      hint: "search quantised embeddings by nearestQuantized, or by dequantizeEmbeddings first",
    });
  }
  if (rows > 0 && width !== expected) {
    throw new DatasetError(`${what} have another width than the queries`, {
      expected: `${expected} features`,
      found: `${width}`,
      hint: "embed both with the same model",
    });
  }
  if (data.length !== rows * width) {
    throw new DatasetError(`${what}: the number of values does not match rows and width`, {
      expected: `${rows} × ${width} = ${rows * width}`,
      found: `${data.length}`,
    });
  }
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += data[i]! * data[i]!;
    if (sum <= 1e36) continue;
    throw new DatasetError(`${what}: an embedding is not finite or too long to compare`, {
      expected: "numbers, and a length up to 1e18",
      found: `a length of ${Math.sqrt(sum)}`,
      where: `row ${row}`,
    });
  }
}
