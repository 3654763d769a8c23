/**
 * `--columns`: which column of a file is which of ours, in one text.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { type ColumnMapping, isColumn, USUAL } from "./column_names.ts";

/** A name: in quotes as CSV has them, or as it stands, without a comma and an equals sign. */
const NAME = '\\s*(?:"((?:[^"]|"")*)"|([^\\s",=](?:[^,=]*[^\\s,=])?))\\s*';
/** Ours, that of the file, and whether there are more. */
const PAIR = new RegExp(`${NAME}=${NAME}(,|$)`, "y");

function* pairsOf(text: string): Generator<{ readonly part: string; readonly sides: readonly [string, string] }> {
  const side = (quoted: string | undefined, plain: string | undefined) => quoted?.replaceAll('""', '"') ?? plain!;
  let hasMore = true;
  for (let at = 0; hasMore; at = PAIR.lastIndex) {
    PAIR.lastIndex = at;
    const [part, ownQuoted, own, nameQuoted, name, comma] = PAIR.exec(text) ?? [];
    if (part === undefined) throw unreadable(text.slice(at));
    yield { part: part.replace(/,$/, "").trim(), sides: [side(ownQuoted, own), side(nameQuoted, name)] };
    hasMore = comma === ",";
  }
}

/** An error about what stands where a pair should. */
function unreadable(rest: string): UsageError {
  const quotes = rest.match(/"/g)?.length ?? 0;
  if (quotes % 2 === 1) {
    return new UsageError("--columns has a quote that is not closed", {
      expected: 'a name in quotes, anchor="a, b", and a quote in it doubled',
      found: rest.slice(rest.indexOf('"')),
    });
  }
  return new UsageError("--columns cannot be read", {
    expected: `name=column,…; in quotes where a name has a comma or an equals sign: 'anchor="a, b"'`,
    found: (quotes > 0 ? rest : rest.split(",")[0]!).trim() || "nothing behind a comma",
  });
}

/**
 * Reads `anchor=question,positive="answer, long"`; `1=sentence1` names the first column of a file without a header.
 *
 * @param text Our names, each with that of the file.
 * @param ours Names that may stand on the left, beside the columns of losses; those of a benchmark's protocol.
 * @throws {UsageError} where a part cannot be read, or has the two names the wrong way round
 */
export function parseColumns(text: string, ours: readonly string[] = []): ColumnMapping {
  const isOurs = (name: string) => isColumn(name, ours);
  const mapping = new Map<string, string>();
  for (const { part, sides: [left, right] } of pairsOf(text)) {
    const [own, name] = /^\d+$/.test(left) && isOurs(right) ? [right, left] : [left, right];
    if (!isOurs(own)) {
      const expected = [...USUAL, ...ours].join(", ");
      const turned = `${name}=${columnText(own)}`;
      throw new UsageError(
        isOurs(name) ? "--columns has two names the wrong way round" : "--columns maps a column that nothing uses",
        isOurs(name)
          ? { expected: turned, found: part, hint: `our name comes first: --columns ${turned}` }
          : { expected: `one of ${expected} on the left`, found: part },
      );
    }
    if (mapping.has(own)) throw new UsageError(`--columns maps ${own} twice`, { found: text });
    mapping.set(own, name);
  }
  return Object.fromEntries(mapping);
}

/** A column's name as {@linkcode parseColumns} reads it. */
export const columnText = (name: string): string =>
  /^$|^[\s"]|[,=]|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;

/** What {@linkcode parseColumns} reads as this. */
export const columnsText = (mapping: ColumnMapping): string =>
  Object.entries(mapping).map((pair) => pair.map(columnText).join("=")).join(",");

/** Names in an error, as `--columns` takes them: the first ones of many. */
export function listed(names: readonly string[]): string {
  const first = names.slice(0, 20).map(columnText).join(", ");
  return names.length <= 20 ? first : `${first} and ${names.length - 20} more`;
}
