/**
 * What the process's environment says: what it may, its variables, as far as they may be read, and the folders that follow
 * from them.
 *
 * @module
 */
import { join } from "node:path";

/** Whether this process may; never asks, for that would stop a program that runs unattended. */
export function isGranted(name: "ffi" | "read" | "write", path?: string): boolean {
  return Deno.permissions.querySync({ name, ...(path !== undefined && { path }) }).state === "granted";
}

/** A variable as it stands; undefined if it is not set or may not be read. */
export function permittedVariable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name);
}

/** A variable that says something: an empty one counts as absent. */
export function variable(name: string): string | undefined {
  return permittedVariable(name) || undefined;
}

/** The user's folder; the current one where the environment names none. */
function homeFolder(): string {
  return variable("HOME") ?? variable("USERPROFILE") ?? ".";
}

/** Whether the environment names a folder of the user's. */
export function hasUserFolder(): boolean {
  const names = ["HOME", "USERPROFILE", Deno.build.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME"];
  return names.some((name) => variable(name) !== undefined);
}

/** Where this system keeps the caches of a user's programs; without a user's folder, one for temporary files. */
export function userCacheFolder(): string {
  if (!hasUserFolder()) return temporaryFolder();
  if (Deno.build.os === "windows") return variable("LOCALAPPDATA") ?? homeFolder();
  if (Deno.build.os === "darwin") return join(homeFolder(), "Library", "Caches");
  return variable("XDG_CACHE_HOME") ?? join(homeFolder(), ".cache");
}

function temporaryFolder(): string {
  const named = variable("TMPDIR") ?? variable("TEMP") ?? variable("TMP");
  return named ?? (Deno.build.os === "windows" ? "C:\\Windows\\Temp" : "/tmp");
}

/**
 * Where Kindred's own cache lies unless it is said otherwise: `kindred` in the user's cache folder.
 *
 * @returns A path.
 */
export function defaultCacheFolder(): string {
  return join(userCacheFolder(), "kindred");
}
