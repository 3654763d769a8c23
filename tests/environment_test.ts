import assert from "node:assert/strict";
import { join } from "node:path";
import { hasUserFolder, userCacheFolder, whyTemporary } from "../lib/environment.ts";

/** Does something in an environment that has these of the variables that name folders, and no other. */
function within(wanted: Readonly<Record<string, string>>, work: () => void): void {
  const names = ["HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const name of names) set(name, wanted[name]);
  try {
    work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

Deno.test({
  name: "caches lie where the environment says, by a path that is whole",
  ignore: Deno.build.os !== "linux",
  fn() {
    within({ HOME: "/home/a", XDG_CACHE_HOME: "/caches" }, () => assert.equal(userCacheFolder(), "/caches"));
    within({ HOME: "/home/a" }, () => assert.equal(userCacheFolder(), join("/home/a", ".cache")));
    within({ HOME: "/home/a", XDG_CACHE_HOME: "caches" }, () => assert.equal(userCacheFolder(), "/home/a/.cache"));
    within({ XDG_CACHE_HOME: "/caches" }, () => assert.equal(hasUserFolder(), true));
    within({ XDG_CACHE_HOME: "caches" }, () => assert.equal(hasUserFolder(), false));
    within({ HOME: "/home/a" }, () => assert.equal(whyTemporary(), undefined));
    within({}, () => assert.equal(whyTemporary(), "there is no home folder"));
  },
});
