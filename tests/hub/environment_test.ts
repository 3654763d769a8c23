import assert from "node:assert/strict";
import { join } from "node:path";
import { expandPath } from "../../lib/hub/environment.ts";
import { hubEnvironment } from "../../lib/hub/mod.ts";

Deno.test("the variables of huggingface_hub mean what they mean there", () => {
  const of = (variables: Record<string, string>) => hubEnvironment((name) => variables[name]);
  const home = { HOME: "/home/u" };
  assert.deepEqual(of(home), {
    endpoint: "https://huggingface.co",
    token: undefined,
    cache: join("/home/u", ".cache", "huggingface", "hub"),
    offline: false,
  });
  assert.equal(of({ ...home, XDG_CACHE_HOME: "/c" }).cache, join("/c", "huggingface", "hub"));
  assert.equal(of({ ...home, XDG_CACHE_HOME: "/c", HF_HOME: "/hf" }).cache, join("/hf", "hub"));
  assert.equal(of({ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" }).cache, "/old");
  assert.equal(of({ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/hub" }).cache, "/hub");
  assert.equal(of({ HF_ENDPOINT: "https://mirror.example/hf/" }).endpoint, "https://mirror.example/hf");
  for (const yes of ["1", "true", "YES", "On"]) assert.ok(of({ HF_HUB_OFFLINE: yes }).offline);
  assert.ok(!of({ HF_HUB_OFFLINE: "0" }).offline && of({ TRANSFORMERS_OFFLINE: "1" }).offline);
  assert.equal(of({ HF_TOKEN: "a", HUGGING_FACE_HUB_TOKEN: "b" }).token, "a");
});

Deno.test("the token is read from its file, too", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "token"), "hf_file\n");
  await Deno.writeTextFile(join(folder, "other"), "hf_other\n");
  const of = (variables: Record<string, string>) =>
    hubEnvironment((name) => ({ HF_HOME: folder, ...variables })[name]).token;
  assert.equal(of({}), "hf_file");
  assert.equal(of({ HF_TOKEN_PATH: join(folder, "other") }), "hf_other");
  assert.equal(of({ HF_TOKEN: "hf_variable" }), "hf_variable");
  assert.equal(of({ HF_TOKEN_PATH: join(folder, "none") }), undefined);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("~ and variables in folders are what Python's expanduser and expandvars make of them", () => {
  const variables: Record<string, string> = { HOME: "/home/u", A: "one", EMPTY: "" };
  const read = (name: string) => variables[name];
  // os.path.expandvars(os.path.expanduser(path)) of Python 3, with the same environment
  const python = {
    "~": "/home/u",
    "~/x": "/home/u/x",
    "~other_nobody/x": "~other_nobody/x",
    "a/~": "a/~",
    "$A/x": "one/x",
    "${A}/x": "one/x",
    "$B/x": "$B/x",
    "${B}/x": "${B}/x",
    "${A": "${A",
    "$A$A": "oneone",
    "$AB": "$AB",
    "x${}y": "x${}y",
    "$": "$",
    "$EMPTY/x": "/x",
    "~/$A/${A}b": "/home/u/one/oneb",
    "$$A": "$one",
    "${A}}": "one}",
  };
  for (const [path, expected] of Object.entries(python)) assert.equal(expandPath(path, read), expected, path);
  for (const [home, expected] of [["/", "/x"], ["/h//", "/h/x"], ["/home/$A", "/home/one/x"]] as const) {
    assert.equal(expandPath("~/x", (name) => name === "HOME" ? home : read(name)), expected);
  }
  assert.equal(expandPath("~", () => "/"), "/");
  const of = (more: Record<string, string>) => hubEnvironment((name) => ({ ...variables, ...more })[name]);
  assert.equal(of({ HF_HOME: "~/hf" }).cache, "/home/u/hf/hub");
  assert.equal(of({ HF_HOME: "$A/hf", HF_HUB_CACHE: "${A}/cache" }).cache, "one/cache");
  assert.equal(of({ HF_HUB_CACHE: "$HF_HOME/c", HF_HOME: "/hf" }).cache, "/hf/c");
});

Deno.test("a token loses the blanks and line ends round it, and may look like anything", () => {
  const of = (HF_TOKEN: string) => hubEnvironment((name) => ({ HF_TOKEN, HF_HOME: "/nowhere" })[name]).token;
  assert.equal(of("hf_abc\r\n"), "hf_abc");
  assert.equal(of("  api_org_abc  "), "api_org_abc");
  assert.equal(of("eyJ2ZXIiOiIyIn0.abc.def"), "eyJ2ZXIiOiIyIn0.abc.def");
  assert.equal(of(" \n"), undefined);
});
