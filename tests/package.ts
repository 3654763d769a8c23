/**
 * The package as a registry serves it: over HTTP, only what is published, bare specifiers made whole.
 *
 * @module
 */
import { join, matchesGlob } from "node:path";

const root = new URL("../", import.meta.url);

interface Config {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[]; readonly exclude?: readonly string[] };
}

/** The package's own configuration. */
export const config: Config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));

/** Whether a file is among what is published. */
function isPublished(path: string): boolean {
  const { include, exclude = [] } = config.publish;
  return include.some((pattern) => matchesGlob(path, pattern)) &&
    !exclude.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** A file with its bare specifiers as `npm:` ones, as publishing writes them. */
function whole(source: string): string {
  return source.replace(/((?:from|import)\s*\(?\s*")([^".:/][^":]*)"/g, (all, before: string, specifier: string) => {
    const name = Object.keys(config.imports).find((name) => specifier === name || specifier.startsWith(`${name}/`));
    return name === undefined ? all : `${before}${config.imports[name]}${specifier.slice(name.length)}"`;
  });
}

/** A served package. */
export interface Served extends AsyncDisposable {
  /** Its address, with a slash at the end. */
  readonly address: string;
  /** The files that were asked for. */
  readonly asked: ReadonlySet<string>;
  /** An import map's entries for every export. */
  readonly imports: Readonly<Record<string, string>>;
}

/** Serves the package on this machine. */
export function servePackage(): Served {
  const asked = new Set<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.slice(1);
    asked.add(path);
    if (!isPublished(path)) return new Response("not published", { status: 404 });
    const source = await Deno.readTextFile(new URL(path, root)).catch(() => undefined);
    if (source === undefined) return new Response("no such file", { status: 404 });
    return new Response(whole(source), { headers: { "content-type": "application/typescript" } });
  });
  const address = `http://127.0.0.1:${server.addr.port}/`;
  return { address, asked, imports: exportsAt(address), [Symbol.asyncDispose]: () => server.shutdown() };
}

/** An import map's entries for every export of the package at an address. */
export function exportsAt(address: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.exports).map(([name, path]) => [config.name + name.slice(1), address + path.slice(2)]),
  );
}

/** The package in this folder, as `file:` address. */
export const here: string = root.href;

/** The blocks of TypeScript in the README. */
export async function readmeExamples(): Promise<string[]> {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!).filter((code) =>
    code.includes(config.name)
  );
}

/** What a process printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** A user's folder. */
export interface User extends AsyncDisposable {
  readonly folder: string;
  /** Writes a file. */
  readonly write: (name: string, text: string) => Promise<void>;
  /** Runs `deno` there, with caches of the user's own. */
  readonly deno: (...args: readonly string[]) => Promise<Ran>;
}

/** A user of the package, with an import map to it. Deno's cache is empty, but for the packages of npm, which it shares. */
export async function newUser(imports: Readonly<Record<string, string>>, more: object = {}): Promise<User> {
  const folder = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  await Deno.mkdir(join(folder, "deno"));
  for (const shared of ["npm", "dl"]) { // packages, and the bundler's own
    await Deno.mkdir(join(denoDir, shared), { recursive: true });
    await Deno.symlink(join(denoDir, shared), join(folder, "deno", shared));
  }
  const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
  await write("deno.json", JSON.stringify({ imports, lock: false, ...more }));
  return {
    folder,
    write,
    deno: async (...args) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...args],
        cwd: folder,
        env: { DENO_DIR: join(folder, "deno"), XDG_CACHE_HOME: join(folder, "cache"), NO_COLOR: "1" },
      }).output();
      return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
