/** mteb's own scores, and a model that looks its embeddings up as the one did that made them. */
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../../lib/engine/engine.ts";
import type { Embedder } from "../../../lib/evaluate/mteb/embedder.ts";
import type { Embeddings } from "../../../lib/embed/pairwise.ts";

export const golden = JSON.parse(await Deno.readTextFile(new URL("../../golden/mteb_protocol.json", import.meta.url)));

const table = Int8Array.from(atob(golden.table), (letter) => letter.charCodeAt(0));

/** The embeddings that texts `t0`, `t1`, … stand for. */
export function lookUp(texts: readonly string[], scale = 1): Embeddings {
  const { width } = golden;
  const data = new Float32Array(texts.length * width);
  texts.forEach((text, i) => {
    const row = Number(text.slice(1));
    for (let f = 0; f < width; f++) data[i * width + f] = table[row * width + f]! / 8 * scale;
  });
  return { data, width, rows: texts.length };
}

/** Runs with a model of this similarity that looks embeddings up. */
export async function withTable<A>(
  use: (embedder: Embedder, engine: Engine) => Promise<A>,
  similarity: Embedder["similarity"] = "cosine",
): Promise<A> {
  const engine = createCpuEngine({ threads: 1 });
  try {
    return await use({ engine, similarity, embed: (texts) => Promise.resolve(lookUp(texts)) }, engine);
  } finally {
    engine.close();
  }
}

/** Files in a folder that is gone afterwards. */
export async function inFolder<A>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<A>,
): Promise<A> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, contents] of Object.entries(files)) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, contents);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Rows of columns as JSON lines. */
export function jsonLines(columns: Readonly<Record<string, readonly unknown[]>>): string {
  const names = Object.keys(columns);
  return columns[names[0]!]!.map((_, row) =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, columns[name]![row]]))) + "\n"
  ).join("");
}
