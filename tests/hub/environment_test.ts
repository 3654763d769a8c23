import assert from "node:assert/strict";
import { join } from "node:path";
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
