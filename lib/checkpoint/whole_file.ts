/**
 * Files that are there whole or not at all.
 *
 * @module
 */
import { CheckpointError } from "../error.ts";

/**
 * Writes a file beside its place, and moves it there when it is whole.
 *
 * @param path The file.
 * @param parts Its bytes, one after the other.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The file cannot be written.
 */
export async function writeWhole(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (const part of parts) {
      for (let done = 0; done < part.length;) done += await file.write(part.subarray(done));
    }
    await file.sync();
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied || isDiskFull(error)) {
      throw new CheckpointError("the file cannot be written", {
        where: path,
        found: (error as Error).message,
        hint: "make room, or choose another place",
        cause: error,
      });
    }
    throw error;
  }
  await Deno.rename(temporary, path).catch(async (error) => {
    await Deno.remove(temporary);
    throw error;
  });
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && /ENOSPC|no space|StorageFull|os error 28/i.test(`${error.name} ${error.message}`);
}
