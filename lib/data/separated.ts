/**
 * Text in fields: records of CSV and TSV files, read in pieces as pandas' `read_csv` reads them.
 *
 * A quote opens a quoted field where it is the first character of one; elsewhere it is a letter (`the 5" pipe`). In a
 * quoted field it is doubled, and separators and line breaks are part of the text; what follows its end belongs to the
 * field as it stands. Lines end with LF, CRLF or CR; blank ones are left out. Fields may be of any length.
 *
 * @module
 */
import { DatasetError } from "../error.ts";

/** A record: the line it begins on, and its fields. */
export interface FieldRecord {
  /** Line of the file, from 1. */
  readonly line: number;
  /** Its fields. */
  readonly cells: readonly string[];
}

/** How a file separates its fields. */
interface Dialect {
  /** One character. */
  readonly separator: string;
  /** Whether quotes quote; undefined: to be seen at the first field that begins with one. */
  readonly quotes: boolean | undefined;
}

/** Characters that are looked at to tell the separator, and, from the first field with one, whether quotes quote. */
const [FIRST, SAMPLE] = [1 << 16, 1 << 20];

/**
 * Records of a file's text, a list for each piece of it. A `.csv` may have its fields separated by semicolons, tabs or bars.
 *
 * @throws {DatasetError} where a quote is never closed
 */
export async function* recordsOf(
  path: string,
  pieces: AsyncIterable<string>,
  extension: string,
): AsyncGenerator<readonly FieldRecord[]> {
  const rest = pieces[Symbol.asyncIterator]();
  /** The text and what follows it, until it is long enough to tell. */
  const longer = async (text: string, length: number) => {
    while (text.length < length) {
      const next = await rest.next();
      if (next.done) break;
      text += next.value;
    }
    return text;
  };
  let records: FieldRecord[] = [];
  let isStart = true;
  let text = extension === ".csv" ? await longer("", FIRST) : "";
  const separator = extension === ".csv" ? separatorOf(text) : "\t";
  const scanner = scan({ separator, quotes: separator === "\t" ? undefined : true }, (record) => records.push(record));
  try {
    for (let done = false; !done;) {
      for (let at = scanner.push(text); at < text.length; at = scanner.push(text)) {
        isStart &&= at === 0;
        text = await longer(text.slice(at), SAMPLE);
        scanner.decide(quotesQuote(text, isStart));
      }
      isStart &&= text === "";
      const next = await rest.next();
      done = next.done === true;
      if (done) scanner.end(path);
      else text = next.value;
      yield records;
      records = [];
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a field that is longer than a string can be
    throw new DatasetError("a field is too long", { where: path, found: error.message, cause: error });
  } finally {
    await rest.return?.();
  }
}

/**
 * The comma, unless the first records have as many fields as each other (two or more) with another separator and not
 * with the comma: spreadsheets of many countries write semicolons.
 */
function separatorOf(sample: string): string {
  const fits = (separator: string): boolean => {
    const records: FieldRecord[] = [];
    const scanner = scan({ separator, quotes: true }, (record) => records.push(record));
    scanner.push(sample);
    if (sample.length < FIRST) scanner.end();
    const counts = new Set(records.slice(0, 10).map(({ cells }) => cells.length));
    return counts.size === 1 && !counts.has(1);
  };
  return [",", ";", "\t", "|"].find(fits) ?? ",";
}

/**
 * Whether quotes quote in a file with tabs. pandas quotes a field where it must, GLUE writes quotes as letters. They
 * quote if every field that begins with one also ends with one, those within doubled, and if at least one field needs
 * its quotes (a tab, a line break or a quote within) or the file begins with a line of quoted fields alone.
 */
function quotesQuote(sample: string, isStart: boolean): boolean {
  let needed = isStart && /^"[^"\t\r\n]*"(\t"[^"\t\r\n]*")*[\r\n]/.test(sample);
  const isEnd = (at: number) => at >= sample.length || "\t\r\n".includes(sample[at]!);
  for (let at = 0; at < sample.length; at++) {
    if (sample[at] === '"' && (at === 0 || isEnd(at - 1))) {
      let end = at + 1;
      for (;; end += 2) {
        end = sample.indexOf('"', end);
        if (end < 0) return needed; // the sample ends within the field
        if (sample[end + 1] !== '"') break;
        needed = true;
      }
      if (!isEnd(end + 1)) return false;
      needed ||= /[\t\r\n]/.test(sample.slice(at, end));
      at = end;
    }
    const next = sample.indexOf('"', at + 1);
    if (next < 0) break;
    at = next - 1;
  }
  return needed;
}

interface Scanner {
  /** Takes a piece; returns how far it came: less than all of it where it must be told first whether quotes quote. */
  readonly push: (piece: string) => number;
  /** Tells it. */
  readonly decide: (quotes: boolean) => void;
  /** The last record, where no line break stands behind it. */
  readonly end: (path?: string) => void;
}

function scan(dialect: Dialect, emit: (record: FieldRecord) => void): Scanner {
  const { separator } = dialect;
  let { quotes } = dialect;
  const special = new RegExp(`[${separator === "|" ? "\\|" : separator}\\r\\n]`, "g");
  let state: "start" | "plain" | "quoted" | "closed" = "start"; // closed: behind a quote in a quoted field
  let cell = "";
  let cells: string[] = [];
  let wasQuoted = false;
  let line = 1;
  let first = 1; // line of the record
  let afterReturn = false; // the line feed of a CRLF is still to come
  const endRecord = () => {
    const isBlank = cells.length === 0 && !wasQuoted && /^[ \t]*$/.test(cell);
    cells.push(cell);
    if (!isBlank) emit({ line: first, cells });
    [cell, cells, state, wasQuoted, first] = ["", [], "start", false, line];
  };
  const push = (piece: string): number => {
    for (let at = 0; at < piece.length;) {
      if (afterReturn) {
        afterReturn = false;
        if (piece[at] === "\n") {
          at++;
          continue;
        }
      }
      if (state === "quoted") {
        const quote = piece.indexOf('"', at);
        const text = piece.slice(at, quote < 0 ? piece.length : quote);
        for (let feed = text.indexOf("\n"); feed >= 0; feed = text.indexOf("\n", feed + 1)) line++;
        cell += text;
        if (quote < 0) return piece.length;
        state = "closed";
        at = quote + 1;
        continue;
      }
      if (piece[at] === '"') {
        if (state === "start" && quotes === undefined) return at;
        if (state === "closed" || (state === "start" && quotes)) {
          if (state === "closed") cell += '"';
          wasQuoted = true;
          state = "quoted";
          at++;
          continue;
        }
      }
      state = "plain";
      special.lastIndex = at;
      const end = special.exec(piece)?.index ?? piece.length;
      cell += piece.slice(at, end);
      if (end === piece.length) return end;
      at = end + 1;
      if (piece[end] === separator) {
        cells.push(cell);
        cell = "";
        state = "start";
      } else {
        line++;
        afterReturn = piece[end] === "\r";
        endRecord();
      }
    }
    return piece.length;
  };
  return {
    push,
    decide: (answer) => void (quotes = answer),
    end(path) {
      if (state === "quoted" && path !== undefined) {
        throw new DatasetError("a quote is never closed", {
          where: `${path}:${first}`,
          found: `${cell.slice(0, 60)}…`,
          hint: "close it, or double it where it is part of the text",
        });
      }
      if (cells.length > 0 || cell !== "" || wasQuoted) endRecord();
    },
  };
}
