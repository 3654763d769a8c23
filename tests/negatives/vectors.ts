/** Texts whose embeddings are points of a circle: "t30" stands at 30 degrees. */
import type { Dataset, Pairs } from "../../lib/data/dataset.ts";
import type { Embeddings } from "../../lib/embed/pairwise.ts";

/** Embeds such texts; what follows a colon is ignored, so that different texts can have one embedding. */
export function embedAngles(texts: readonly string[]): Promise<Embeddings> {
  const angles = texts.map((text) => Number(text.slice(1).split(":")[0]) * Math.PI / 180);
  const data = Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
  return Promise.resolve({ data, width: 2, rows: texts.length });
}

/** A dataset of these pairs. */
export function pairsOf(...pairs: readonly (readonly [anchor: string, positive: string])[]): Dataset<Pairs> {
  return {
    columns: { anchor: pairs.map(([anchor]) => anchor), positive: pairs.map(([, positive]) => positive) },
    rows: pairs.length,
  };
}
