/**
 * The public face: entries list by name what they give, and everything that they give is explained.
 */
import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };

const root = new URL("../", import.meta.url);

/**
 * Types that Effect declares, and the classes that a service of Effect extends: signatures may name them, though no entry
 * of ours exports them.
 */
const OF_EFFECT =
  /references private type '(Codec|Effect|Layer|Scope|Service|(Progress|StageRunner|TensorEngine)Base)'/;

interface Parameter {
  readonly kind: string;
  readonly name?: string;
  /** `name = default` */
  readonly left?: { readonly name?: string };
  /** `...name` */
  readonly arg?: { readonly name?: string };
}

interface Tag {
  readonly kind: string;
  readonly name?: string;
}

interface Declaration {
  readonly location: { readonly filename: string; readonly line: number };
  readonly declarationKind: string;
  readonly kind: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly Tag[] };
  readonly def?: {
    readonly params?: readonly Parameter[];
    readonly returnType?: { readonly repr: string };
  };
}

interface Documentation {
  readonly nodes: Readonly<
    Record<
      string,
      { readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[] }
    >
  >;
}

/** Runs `deno doc` on all entries. */
async function doc(flag: "--json" | "--lint"): Promise<{ readonly out: string; readonly told: string }> {
  const args = ["doc", flag, ...Object.values(config.exports)];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root, env: { NO_COLOR: "1" } })
    .output();
  const decoder = new TextDecoder();
  return { out: decoder.decode(stdout), told: decoder.decode(stderr) };
}

function* modFiles(folder: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) yield* modFiles(new URL(`${entry.name}/`, folder));
    else if (entry.name === "mod.ts") yield new URL(entry.name, folder);
  }
}

Deno.test("entries export by name", () => {
  const files = [new URL("mod.ts", root), ...modFiles(new URL("lib/", root))];
  const careless = files.filter((file) => /^export \* from/m.test(Deno.readTextFileSync(file)))
    .map((file) => file.href.slice(root.href.length));
  assert.ok(files.length > 15, "entries are found");
  assert.deepEqual(careless, []);
});

Deno.test("everything public is explained, and names public types only", async () => {
  const found = (await doc("--lint")).told;
  assert.match(found, OF_EFFECT, "types of Effect are found");
  const wrong = found.split(/^(?=error\[)/m).filter((part) => part.startsWith("error["))
    .filter((part) => !OF_EFFECT.test(part));
  const told = wrong.map((part) => part.split("\n").slice(0, 2).join(" "));
  assert.deepEqual(told, []);
});

Deno.test("every public function says what it takes and what it gives", async () => {
  const { nodes } = JSON.parse((await doc("--json")).out) as Documentation;
  const wrong = new Set<string>();
  let seen = 0;
  for (const { symbols } of Object.values(nodes)) {
    for (const { name, declarations } of symbols) {
      const functions = declarations.filter(({ kind, def }) => kind === "function" && def?.params !== undefined);
      const [first] = functions; // of overloads the first explains all
      if (first === undefined) continue;
      seen++;
      const { doc = "", tags = [] } = first.jsDoc ?? {};
      const where = `${first.location.filename.slice(root.href.length)}: ${name}()`;
      if (doc.trim() === "") wrong.add(`${where} is not explained`);
      const known = new Set(tags.filter(({ kind }) => kind === "param").map((tag) => tag.name));
      for (const { name, left, arg } of first.def!.params!) {
        const parameter = name ?? left?.name ?? arg?.name;
        if (parameter === undefined) wrong.add(`${where}: a parameter without a name`);
        else if (!known.has(parameter)) wrong.add(`${where}: no @param ${parameter}`);
      }
      const { repr = "" } = first.def!.returnType ?? {};
      const givesNothing = /^(void|never|asserts)?$/.test(repr);
      if (!givesNothing && !tags.some(({ kind }) => kind === "return" || kind === "returns")) {
        wrong.add(`${where}: no @returns`);
      }
    }
  }
  assert.ok(seen > 100, "functions are found");
  assert.deepEqual([...wrong].sort(), []);
});
