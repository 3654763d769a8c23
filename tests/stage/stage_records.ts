/**
 * Every stage, its version, and the hash of the source it reaches: what `stage_versions_test.ts` compares.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { declaredStages } from "../../lib/stage/stage.ts";

const root = new URL("../../", import.meta.url);

/** Where the record lies. */
export const STAGES_FILE: URL = new URL("stage_versions.json", import.meta.url);

/** What is written down of a stage. */
export interface StageRecord {
  /** The file that declares it. */
  readonly file: string;
  /** Hash of that file and of all that it imports, comments and white space left out. */
  readonly sha256: string;
}

/** The code of a file without what gives no result. */
const bare = (source: string) =>
  source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "").replace(/\s+/g, " ");

/** All files that a file reaches. */
function reach(file: URL, seen: Map<string, string> = new Map()): Map<string, string> {
  if (seen.has(file.href)) return seen;
  const source = Deno.readTextFileSync(file);
  seen.set(file.href, source);
  for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
    reach(new URL(specifier!, file), seen);
  }
  return seen;
}

/** The stages as they are now. */
export async function stageRecords(): Promise<Readonly<Record<string, StageRecord>>> {
  const folder = new URL("lib/pipeline/stages/", root);
  const records: Record<string, StageRecord> = {};
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  for (const name of files) {
    const file = new URL(name, folder);
    await import(file.href);
    const reached = [...reach(file)].sort(([a], [b]) => a < b ? -1 : 1);
    const hash = createHash("sha256");
    for (const [path, source] of reached) hash.update(`${path.slice(root.href.length)}\0${bare(source)}\0`);
    const sha256 = hash.digest("hex");
    const own = declaredStages().filter((stage) => stageOfFile(file, stage));
    for (const stage of own) records[stage] = { file: `lib/pipeline/stages/${name}`, sha256 };
  }
  return records;
}

/** Whether a file declares a stage: by its name. */
function stageOfFile(file: URL, stage: string): boolean {
  return new RegExp(`name: "${stage.split("@")[0]}"`).test(Deno.readTextFileSync(file));
}
