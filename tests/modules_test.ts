import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);

/** Storeys of lib/, from the ground up. */
const STOREYS: readonly (readonly string[])[] = [
  [
    "error.ts",
    "counted.ts",
    "exists.ts",
    "expect.ts",
    "environment.ts",
    "numbering.ts",
    "pause.ts",
    "turn.ts",
    "version.ts",
  ],
  ["engine", "hub"],
  ["tensor"],
  ["numeric", "text", "checkpoint", "model", "loss", "embed", "static"],
  ["attempt.ts", "backoff.ts", "data", "train", "evaluate", "negatives", "augment", "generate"],
  ["stage"],
  ["pipeline", "simple"],
];
/** Storeys that know nothing of Effect. */
const PLAIN = 4;

function* sources(folder: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) yield* sources(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder);
  }
}

/** What a file imports, comments left out. */
function imports(file: URL): string[] {
  const code = Deno.readTextFileSync(file).replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  return [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, specifier]) => specifier!);
}

Deno.test("imports point down, and the lower storeys know nothing of Effect", () => {
  const lib = new URL("lib/", root);
  const storeyOf = (file: URL) => {
    const [part] = file.href.slice(lib.href.length).split("/") as [string];
    const storey = STOREYS.findIndex((parts) => parts.includes(part));
    assert.notEqual(storey, -1, `${part} has no place among the storeys`);
    return storey;
  };
  const wrong: string[] = [];
  let seen = 0;
  for (const file of sources(lib)) {
    const name = file.href.slice(root.href.length);
    for (const specifier of imports(file)) {
      seen++;
      if (/^(@effect\/|effect(\/|$))/.test(specifier) && storeyOf(file) < PLAIN) wrong.push(`${name}: ${specifier}`);
      if (specifier === "effect") wrong.push(`${name}: all of effect, instead of its modules one by one`);
      if (!specifier.startsWith(".")) continue;
      const target = new URL(specifier, file);
      const inside = target.href.startsWith(lib.href);
      if (!inside || storeyOf(target) > storeyOf(file)) wrong.push(`${name}: ${specifier}`);
    }
  }
  assert.ok(seen > 50, "imports are found");
  assert.deepEqual(wrong, []);
});

/** One circle of a graph, as the nodes along it; undefined if there is none. */
function circleOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...path, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

Deno.test("a circle is found where there is one", () => {
  const graph = (edges: Record<string, string[]>) =>
    new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));
  assert.equal(circleOf(graph({ a: ["b", "c"], b: ["c"], c: [] })), undefined);
  assert.deepEqual(circleOf(graph({ a: ["b"], b: ["c"], c: ["b"] })), ["b", "c", "b"]);
});

Deno.test("no files and no folders import each other in a circle", () => {
  const lib = new URL("lib/", root);
  const files = new Map<string, Set<string>>();
  const folders = new Map<string, Set<string>>();
  const add = (graph: Map<string, Set<string>>, from: string, to: string) =>
    void graph.set(from, (graph.get(from) ?? new Set()).add(to));
  const folderOf = (name: string) => name.split("/")[0]!;
  for (const file of sources(lib)) {
    const from = file.href.slice(lib.href.length);
    for (const specifier of imports(file)) {
      if (!specifier.startsWith(".")) continue;
      const to = new URL(specifier, file).href.slice(lib.href.length);
      add(files, from, to);
      if (folderOf(from) !== folderOf(to)) add(folders, folderOf(from), folderOf(to));
    }
  }
  assert.equal(circleOf(files)?.join(" → "), undefined);
  assert.equal(circleOf(folders)?.join(" → "), undefined);
});

Deno.test("nothing reaches TensorFlow before it is asked for", async () => {
  const folder = new URL("pipelines/", root);
  const names = ["mod.ts", "lib/engine/tfjs/mod.ts"];
  for (const file of sources(folder)) names.push(file.href.slice(root.href.length));
  assert.ok(names.length > 2, "there are pipelines");
  for (const name of names) {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", name],
      cwd: root,
      stdout: "piped",
      stderr: "null",
    }).output();
    assert.equal(code, 0, name);
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: { specifier: string }[] };
    assert.ok(modules.length > 3, name);
    const packages = modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith("npm:"));
    if (name.startsWith("pipelines/")) {
      assert.ok(packages.some((found) => /\beffect@/.test(found)), "packages are seen");
    }
    assert.deepEqual(packages.filter((found) => /tensorflow/i.test(found)), [], name);
  }
});
