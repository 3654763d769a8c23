/**
 * Writes the files of a model folder, compressed and in base64, as one TypeScript module, so that a model comes along
 * wherever code does: over HTTP, in a bundle. `deno run -A tools/pack_model.ts FOLDER lib/data/sample/base_model.ts`
 *
 * @module
 */
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";

/** The files that a model of the sample consists of. */
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];

/** Packs the model of a folder into a module. */
export async function packModel(folder: string, module: string): Promise<void> {
  const files = await Promise.all(FILES.map(async (name) => {
    const packed = gzipSync(await Deno.readFile(join(folder, name)), { level: 9 });
    return [`  ${JSON.stringify(name)}: \``, ...packed.toString("base64").match(/.{1,120}/g)!, "`,"].join("\n");
  }));
  const text = [
    `// Generated from a model folder by tools/pack_model.ts as ${basename(module)}. Do not edit.`,
    "/** The files of the model: gzip, in base64. */",
    "export const FILES: Readonly<Record<string, string>> = {",
    ...files,
    "};",
    "",
  ].join("\n");
  await Deno.writeTextFile(module, text);
}

if (import.meta.main) {
  const [folder, module] = Deno.args;
  if (folder === undefined || module === undefined) throw new Error("name a folder and a module");
  await packModel(folder, module);
}
