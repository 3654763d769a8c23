/**
 * Text in fields: records of CSV and TSV files, read in pieces as pandas' `read_csv` reads them.
 *
 * A quote opens a quoted field where it is the first character of one; elsewhere it is a letter (`the 5" pipe`). In a
 * quoted field it is doubled, and separators and line breaks are part of the text; what follows its end belongs to the
 * field as it stands. Lines end with LF, CRLF or CR; blank ones are left out.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { checkLength } from "./text_file.ts";

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
 * Records of a file's text, piece by piece: those of a piece are made while they are gone through, which must come to their
 * end before the next piece. So nothing is kept of a record whose fields were taken. A `.csv` may have its fields separated
 * by semicolons, tabs or bars.
 *
 * @throws {DatasetError} where a quote is never closed, or a record is too long
 */
export async function* recordsOf(
  path: string,
  pieces: AsyncIterable<string>,
  extension: string,
): AsyncGenerator<Iterable<FieldRecord>> {
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
  let isStart = true;
  let text = extension === ".csv" ? await longer("", FIRST) : "";
  const separator = extension === ".csv" ? separatorOf(text) : "\t";
  const scanner = scan(path, { separator, quotes: separator === "\t" ? undefined : true });
  let at = 0; // how far the piece was read
  function* records(): Generator<FieldRecord> {
    while (at < text.length) {
      const from = at;
      at = scanner.read(text, from);
      const record = scanner.take();
      if (record !== undefined) yield record;
      else if (at < text.length) return; // whether quotes quote must be told first
    }
  }
  try {
    for (let done = false; !done;) {
      yield records();
      if (at < text.length) {
        isStart &&= at === 0;
        text = await longer(text.slice(at), SAMPLE);
        scanner.decide(quotesQuote(text, isStart));
      } else {
        isStart &&= text === "";
        const next = await rest.next();
        done = next.done === true;
        text = done ? "" : next.value;
      }
      at = 0;
    }
    scanner.end(true);
    const last = scanner.take();
    if (last !== undefined) yield [last];
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
    const scanner = scan("", { separator, quotes: true });
    const counts = new Set<number>();
    const count = () => {
      const record = scanner.take();
      if (record !== undefined) counts.add(record.cells.length);
      return record === undefined ? 0 : 1;
    };
    let records = 0;
    for (let at = 0; at < sample.length && records < 10; records += count()) at = scanner.read(sample, at);
    if (sample.length < FIRST && records < 10) {
      scanner.end(false);
      count();
    }
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
  /**
   * Reads a piece on from a place, to the end of a record or of the piece; returns how far it came. It stops before where it
   * must be told first whether quotes quote.
   */
  readonly read: (piece: string, from: number) => number;
  /** The record whose end was read, once. */
  readonly take: () => FieldRecord | undefined;
  /** Tells whether quotes quote. */
  readonly decide: (quotes: boolean) => void;
  /** The last record, where no line break stands behind it; one whose quote is open is an error, or is left out. */
  readonly end: (strict: boolean) => void;
}

function scan(path: string, dialect: Dialect): Scanner {
  const { separator } = dialect;
  let { quotes } = dialect;
  const special = new RegExp(`[${separator === "|" ? "\\|" : separator}\\r\\n]`, "g");
  let state: "start" | "plain" | "quoted" | "closed" = "start"; // closed: behind a quote in a quoted field
  let cell = "";
  let cells: string[] = [];
  let length = 0; // of the record
  let wasQuoted = false;
  let line = 1;
  let first = 1; // line of the record
  let afterReturn = false; // the line feed of a CRLF is still to come
  let record: FieldRecord | undefined;
  const endRecord = () => {
    const isBlank = cells.length === 0 && !wasQuoted && /^[ \t]*$/.test(cell);
    cells.push(cell);
    if (!isBlank) record = { line: first, cells };
    [cell, cells, length, state, wasQuoted, first] = ["", [], 0, "start", false, line];
  };
  const extend = (text: string) => {
    length += text.length + 1;
    checkLength(length, `${path}:${first}`, "row");
    cell += text;
  };
  const read = (piece: string, from: number): number => {
    for (let at = from; at < piece.length;) {
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
        extend(text);
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
      extend(piece.slice(at, end));
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
        if (record !== undefined) return at;
      }
    }
    return piece.length;
  };
  return {
    read,
    take() {
      const taken = record;
      record = undefined;
      return taken;
    },
    decide: (answer) => void (quotes = answer),
    end(strict) {
      if (state === "quoted" && strict) {
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
