/**
 * Run by `native_test.ts`: opens this system's library from a folder.
 *
 * @module
 */
import { bytesFor, openFromFile } from "../../../lib/engine/cpu/native.ts";

const bytes = await bytesFor(`${Deno.build.os}_${Deno.build.arch}`);
const found = await openFromFile(bytes, Deno.args[0]).then(
  () => "opened",
  (error: Error) => `refused: ${error.message}`,
);
// deno-lint-ignore no-console -- the test reads it
console.log(found);
