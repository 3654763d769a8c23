/**
 * What the process's environment says: what it may, its variables, as far as they may be read, and the folders that follow
 * from them.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";

/**
 * Whether this process may, with all there is or with this path or variable alone; never asks, for that would stop a program
 * that runs unattended.
 */
export function isGranted(name: "env" | "ffi" | "read" | "write", of?: string): boolean {
  const what = of === undefined ? {} : name === "env" ? { variable: of } : { path: of };
  return Deno.permissions.querySync({ name, ...what }).state === "granted";
}

/** A variable as it stands; undefined if it is not set or may not be read. */
export function permittedVariable(name: string): string | undefined {
  return isGranted("env", name) ? Deno.env.get(name) : undefined;
}

/** A variable that says something: an empty one counts as absent. */
export function variable(name: string): string | undefined {
  return permittedVariable(name) || undefined;
}

/** The user's folder; the current one where the environment names none. */
function homeFolder(): string {
  return variable("HOME") ?? variable("USERPROFILE") ?? ".";
}

/** The folder of caches that the environment names, by its system's custom; a relative one says nothing. */
function namedCacheFolder(): string | undefined {
  if (Deno.build.os === "windows") return variable("LOCALAPPDATA");
  if (Deno.build.os === "darwin") return undefined;
  const named = variable("XDG_CACHE_HOME");
  return named !== undefined && isAbsolute(named) ? named : undefined;
}

/** Whether the environment names a folder of the user's. */
export function hasUserFolder(): boolean {
  return ["HOME", "USERPROFILE"].some((name) => variable(name) !== undefined) || namedCacheFolder() !== undefined;
}

/** Why caches lie among temporary files; undefined where they lie in a folder of the user's. */
export function whyTemporary(): string | undefined {
  if (hasUserFolder()) return undefined;
  const home = Deno.build.os === "windows" ? "USERPROFILE" : "HOME";
  return isGranted("env", home) ? "there is no home folder" : "without --allow-env the home folder is not known";
}

/** Where this system keeps the caches of a user's programs; without a user's folder, one for temporary files. */
export function userCacheFolder(): string {
  if (!hasUserFolder()) return temporaryFolder();
  if (Deno.build.os === "darwin") return join(homeFolder(), "Library", "Caches");
  return namedCacheFolder() ?? (Deno.build.os === "windows" ? homeFolder() : join(homeFolder(), ".cache"));
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
