/**
 * Passages of documentation, from folders of packages: what stands below a heading of Markdown or reStructuredText, in files
 * `.md` and `.rst` and in the descriptions of Python packages (`METADATA`). Writes `passages.jsonl`, the passages alone, and
 * `headings.jsonl`, each with its heading as the query that it answers. What is below a version or a date is left out: nobody
 * asks for it by that name. Wheels have little documentation, source distributions have all of it:
 *
 *     pip download --no-deps --no-binary :all: --dest sources flask celery pytest sphinx   # then unpack them
 *     deno run -A tools/doc_passages.ts OUTPUT FOLDER…
 *
 * @module
 */
import { join } from "node:path";

/** Words of a passage, and those of a heading, at least and at most. */
const [WORDS, HEADING] = [[12, 200], [2, 20]] as const;

/** The heading of a release: `3.5 — 2011-06-29`, `v1.2rc1`, `Scrapy 0.16.1 (released …)`, `May 2019`. */
const RELEASE = /\d+\.\d+[.\w]*\s*(\(|$|-|–|—)|\b\d{4}-\d\d|\b(19|20)\d\d\)?$|^v?\d+\.\d+/i;

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
const fits = (text: string, [least, most]: readonly [number, number]) =>
  words(text).length >= least && words(text).length <= most;

/** Sections of a file: a heading, and the prose below it without code, links' targets and markup. */
function* sections(text: string): Generator<{ heading: string; body: string }> {
  let [heading, body, isCode] = ["", [] as string[], false];
  const lines = text.split(/\r?\n/);
  const section = () => ({ heading: plain(heading), body: plain(body.join(" ")) });
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode;
    else if (!isCode && /^#{1,6}\s+\S/.test(line)) {
      yield section();
      [heading, body] = [line.replace(/^#+\s+/, "").replace(/\s+#+\s*$/, ""), []];
    } else if (!isCode && /^\S/.test(line) && /^([=~^"'*+-])\1{2,}\s*$/.test(lines[i + 1] ?? "")) {
      yield section();
      [heading, body] = [line, []];
      i++;
    } else if (!isCode && !/^(\s{4,}\S|\s*(\.\.|:\w|<|\||\[!?\[|!\[|[=~^"'*+-]{3,}\s*$))/.test(line)) body.push(line);
  }
  yield section();
}

const plain = (text: string) =>
  text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/<[^>]*>|[`*_]{1,3}/g, "").replace(/\s+/g, " ").trim();

/** Files of documentation below a folder, in the order of their names. */
function* files(folder: string): Generator<string> {
  for (const { name, isDirectory } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory) yield* files(join(folder, name));
    else if (/\.(md|rst)$|^METADATA$/.test(name) && !/licen[cs]e|template/i.test(name)) yield join(folder, name);
  }
}

const [output, ...folders] = Deno.args as [string, ...string[]];
const [bodies, headings] = [new Set<string>(), new Set<string>()];
const pairs: { anchor: string; positive: string }[] = [];
for (const folder of folders) {
  for (const file of files(folder)) {
    for (const { heading, body } of sections(await Deno.readTextFile(file).catch(() => ""))) {
      if (!fits(heading, HEADING) || !fits(body, WORDS) || RELEASE.test(heading)) continue;
      if (bodies.has(body) || headings.has(heading.toLowerCase())) continue;
      bodies.add(body);
      headings.add(heading.toLowerCase());
      pairs.push({ anchor: heading, positive: body });
    }
  }
}
await Deno.mkdir(output, { recursive: true });
const write = (name: string, rows: readonly unknown[]) =>
  Deno.writeTextFile(join(output, name), rows.map((row) => JSON.stringify(row) + "\n").join(""));
await write("passages.jsonl", pairs.map(({ positive }) => ({ text: positive })));
await write("headings.jsonl", pairs);
// deno-lint-ignore no-console -- what a tool says
console.log(`${pairs.length} passages with a heading`);
