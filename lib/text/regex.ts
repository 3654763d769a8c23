/**
 * Regular expressions of tokenizers (Oniguruma, in its Ruby dialect) as those of JavaScript.
 *
 * Classes of characters are spelled out: `\s`, `\d`, `\w` and `\b` mean other sets in JavaScript. Possessive and atomic
 * parts become a lookahead and a reference to what it found. What has no exact counterpart is refused by name.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";

const SPACE = "\\p{White_Space}";
const DIGIT = "\\p{Nd}";
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
/** Outside of a class, and for `\b`, superscript digits and fractions of Latin-1 count, too. */
const WORD_ALONE = `${WORD}\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}`;
const HEX = "0-9a-fA-F";
const POSIX: Readonly<Record<string, string>> = {
  alnum: "\\p{Alphabetic}\\p{Nd}",
  alpha: "\\p{Alphabetic}",
  digit: DIGIT,
  lower: "\\p{Lowercase}",
  punct: "\\p{P}\\p{S}",
  space: SPACE,
  upper: "\\p{Uppercase}",
  word: WORD,
  xdigit: HEX,
};
const CONTROL: Readonly<Record<string, string>> = {
  t: "\t",
  n: "\n",
  r: "\r",
  f: "\f",
  v: "\v",
  a: "\x07",
  e: "\x1b",
};
const CLASS_ESCAPES: Readonly<Record<string, string>> = { s: SPACE, d: DIGIT, w: WORD, h: HEX };
/** Pairs of letters that a case-insensitive match of the reference also finds as one letter (ß, ﬁ, …). */
const LIGATURES = /ss|st|f[fil]|[^\0-\x7f]/iu;

/**
 * The expression of JavaScript, with flags `g` and `v`, that finds what the given one finds in the reference.
 *
 * @throws {TokenizerError} for what cannot be said exactly.
 */
export function translateRegex(pattern: string): RegExp {
  const source = new Translation(pattern).whole();
  try {
    return new RegExp(source, "gv");
  } catch (error) {
    throw refused(pattern, (error as Error).message);
  }
}

/** The expression that finds a text as it stands. */
export function literalRegex(text: string): RegExp {
  if (text === "") throw refused(text, "an empty pattern");
  return new RegExp([...text].map(character).join(""), "gv");
}

function refused(pattern: string, what: string): TokenizerError {
  return new TokenizerError("the tokenizer's regular expression is not supported", { where: pattern, found: what });
}

/** A character that means itself, inside of a class and outside. */
function character(char: string): string {
  return /^[\p{L}\p{N} _]$/u.test(char) ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`;
}

function property(name: string): string | undefined {
  const plain = name.replace(/[\s_-]/g, "").toLowerCase();
  if (name.includes("=")) return undefined;
  if (plain === "any") return "\\p{Any}";
  if (plain === "punct") return "\\p{P}"; // [[:punct:]] has the symbols, too
  if (Object.hasOwn(POSIX, plain)) return POSIX[plain];
  const cased = name[0]!.toUpperCase() + name.slice(1);
  for (const candidate of [`\\p{${cased}}`, `\\p{Script=${cased}}`]) {
    try {
      new RegExp(candidate, "v");
      // Properties of sequences have no counterpart.
      if (/_Sequence|^\\p\{(Basic_Emoji|RGI_|Emoji_Keycap)/.test(candidate)) return undefined;
      return candidate;
    } catch { /* the next candidate */ }
  }
  return undefined;
}

/**
 * Start and end of every match. An empty match right behind another one does not count, as in the reference, and in an
 * empty text nothing is found.
 */
export function findMatches(regex: RegExp, text: string): number[] {
  const found: number[] = [];
  if (text === "") return found;
  let last = -1;
  regex.lastIndex = 0;
  for (let match = regex.exec(text); match !== null; match = regex.exec(text)) {
    // The engine may find an empty match between the halves of a surrogate pair.
    if ((text.charCodeAt(match.index) & 0xfc00) === 0xdc00 && (text.charCodeAt(match.index - 1) & 0xfc00) === 0xd800) {
      regex.lastIndex = match.index + 1;
      continue;
    }
    const end = match.index + match[0].length;
    if (end > match.index || end !== last) {
      found.push(match.index, end);
      last = end;
    }
    if (end === match.index) regex.lastIndex = end + (text.codePointAt(end)! > 0xffff ? 2 : 1);
  }
  return found;
}

/** A recursive descent through one pattern. */
class Translation {
  #at = 0;
  #captures = 0;
  readonly #pattern: string;
  readonly #chars: readonly string[];

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = [...pattern];
  }

  whole(): string {
    const source = this.#alternatives(false, false);
    if (this.#at < this.#chars.length) throw this.#refused("a ) without its (");
    return source;
  }

  #refused(what: string): TokenizerError {
    return refused(this.#pattern, `${what} at ${this.#at}`);
  }

  #peek(text: string): boolean {
    return this.#chars.slice(this.#at, this.#at + text.length).join("") === text;
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(insensitive: boolean, dotAll: boolean): string {
    let source = "";
    let literal = ""; // letters in a row, for ligatures
    while (this.#at < this.#chars.length && !this.#peek(")")) {
      if (this.#take("|")) {
        source += "|";
        literal = "";
        continue;
      }
      const flags = /^\(\?([im]*)(?:-([im]*))?\)/.exec(this.#chars.slice(this.#at, this.#at + 12).join(""));
      if (flags !== null) {
        this.#at += flags[0].length;
        if (flags[1]!.includes("i")) insensitive = true;
        if (flags[1]!.includes("m")) dotAll = true;
        if (flags[2]?.includes("i")) insensitive = false;
        if (flags[2]?.includes("m")) dotAll = false;
        // The rest of the group, alternatives included, is under the new settings.
        source += `(?:${this.#alternatives(insensitive, dotAll)})`;
        continue;
      }
      const first = this.#chars[this.#at]!;
      let atom = this.#atom(insensitive, dotAll);
      literal = atom.length === 1 ? literal + first : "";
      if (insensitive && LIGATURES.test(literal)) throw this.#refused(`(?i) with ${literal}`);
      if (insensitive && /^\p{L}$/u.test(atom)) atom = `(?i:${atom})`;
      source += this.#quantified(atom);
    }
    return source;
  }

  #quantified(atom: string): string {
    const char = this.#chars[this.#at];
    let quantifier = "";
    if (char === "*" || char === "+" || char === "?") {
      quantifier = char;
      this.#at++;
    } else if (char === "{") {
      const found = /^\{(\d*)(,?)(\d*)\}/.exec(this.#chars.slice(this.#at, this.#at + 24).join(""));
      if (found === null || (found[1] === "" && found[3] === "")) return atom; // a literal {
      this.#at += found[0].length;
      quantifier = `{${found[1] || 0}${found[2]}${found[3]}}`;
      if (this.#peek("+") || (this.#peek("?") && found[2] === "")) throw this.#refused("a quantifier of a quantifier");
    } else return atom;
    if (atom === "") throw this.#refused("a quantifier of nothing");
    if (this.#take("?")) quantifier += "?";
    else if (this.#take("+")) return this.#atomic(`(?:${atom})${quantifier}`);
    if (/^[*+?]$/.test(this.#chars[this.#at] ?? "")) throw this.#refused("a quantifier of a quantifier");
    return `(?:${atom})${quantifier}`;
  }

  /** What is found first is kept: no way back into it. */
  #atomic(source: string): string {
    const name = `atomic${++this.#captures}`;
    return `(?:(?=(?<${name}>${source}))\\k<${name}>)`;
  }

  #group(insensitive: boolean, dotAll: boolean): string {
    const inner = (open: string) => {
      const source = this.#alternatives(insensitive, dotAll);
      if (!this.#take(")")) throw this.#refused("a ( without its )");
      return `${open}${source})`;
    };
    if (this.#take("?#")) {
      while (this.#at < this.#chars.length && !this.#take(")")) this.#at++;
      return "";
    }
    for (const open of ["?:", "?=", "?!", "?<=", "?<!"]) if (this.#take(open)) return inner(`(${open}`);
    if (this.#take("?>")) return this.#atomic(inner("(?:"));
    const flags = /^\?([im]*)(?:-([im]*))?:/.exec(this.#chars.slice(this.#at, this.#at + 12).join(""));
    if (flags !== null) {
      this.#at += flags[0].length;
      const on = flags[1]!;
      const off = flags[2] ?? "";
      const source = this.#alternatives(
        (insensitive || on.includes("i")) && !off.includes("i"),
        (dotAll || on.includes("m")) && !off.includes("m"),
      );
      if (!this.#take(")")) throw this.#refused("a ( without its )");
      return `(?:${source})`;
    }
    const name = /^\?<[A-Za-z_]\w*>/.exec(this.#chars.slice(this.#at, this.#at + 80).join(""));
    if (name !== null) this.#at += name[0].length;
    else if (this.#peek("?") || this.#peek("*")) throw this.#refused("a group of this kind");
    return inner("(?:");
  }

  #atom(insensitive: boolean, dotAll: boolean): string {
    const char = this.#chars[this.#at++]!;
    switch (char) {
      case "(":
        return this.#group(insensitive, dotAll);
      case "[":
        return this.#class(insensitive);
      case ".":
        return dotAll ? "\\p{Any}" : "[^\\n]";
      case "^":
        return "(?:(?<!\\p{Any})|(?<=\\n)(?=\\p{Any}))";
      case "$":
        return "(?=\\n|(?!\\p{Any}))";
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#refused("a quantifier of nothing");
      default:
        return character(char);
    }
  }

  #escape(): string {
    const char = this.#chars[this.#at];
    switch (char) {
      case "A":
        this.#at++;
        return "(?<!\\p{Any})";
      case "z":
        this.#at++;
        return "(?!\\p{Any})";
      case "Z":
        this.#at++;
        return "(?=\\n?(?!\\p{Any}))";
      case "b":
        this.#at++;
        return `(?:(?<=[${WORD_ALONE}])(?![${WORD_ALONE}])|(?<![${WORD_ALONE}])(?=[${WORD_ALONE}]))`;
      case "B":
        this.#at++;
        return `(?:(?<=[${WORD_ALONE}])(?=[${WORD_ALONE}])|(?<![${WORD_ALONE}])(?![${WORD_ALONE}]))`;
      case "R":
        this.#at++;
        return this.#atomic("\\r\\n|[\\n-\\r\\u{85}\\u{2028}\\u{2029}]");
      case "w":
      case "W":
        this.#at++;
        return `[${char === "W" ? "^" : ""}${WORD_ALONE}]`;
      default: {
        const found = this.#classEscape().replace(WORD, WORD_ALONE);
        return found.length > 1 && found.startsWith("\\u") ? found : found.length === 1 ? found : `[${found}]`;
      }
    }
  }

  /** An escape that stands for characters; the inside of a class. */
  #classEscape(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#refused("a \\ at the end");
    const lower = char.toLowerCase();
    if (lower === "p" && this.#take("{")) {
      const end = this.#chars.indexOf("}", this.#at);
      let name = this.#chars.slice(this.#at, end).join("");
      if (end < 0 || name === "") throw this.#refused("\\p without a name");
      this.#at = end + 1;
      const inverse = (char === "P") !== name.startsWith("^");
      name = name.replace(/^\^/, "");
      const set = property(name);
      if (set === undefined) throw this.#refused(`\\p{${name}}`);
      return inverse ? `[^${set}]` : set;
    }
    if (Object.hasOwn(CLASS_ESCAPES, lower)) {
      return char === lower ? CLASS_ESCAPES[lower]! : `[^${CLASS_ESCAPES[lower]}]`;
    }
    if (Object.hasOwn(CONTROL, char)) return character(CONTROL[char]!);
    const rest = this.#chars.slice(this.#at, this.#at + 12).join("");
    const hex = char === "x"
      ? /^\{([0-9a-fA-F]{1,8})\}|^([0-7][0-9a-fA-F])/.exec(rest)
      : char === "u"
      ? /^([0-9a-fA-F]{4})/.exec(rest)
      : null;
    if (hex !== null) {
      this.#at += hex[0].length;
      const code = parseInt(hex[1] ?? hex[2]!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw this.#refused("a code point that is none");
      return `\\u{${code.toString(16)}}`;
    }
    if (/^[0-9A-Za-z]$/.test(char)) throw this.#refused(`\\${char}`);
    return character(char);
  }

  #class(insensitive: boolean): string {
    const negated = this.#take("^");
    const parts: string[] = [""];
    let cased = false; // whether a letter stands for both its cases
    let single = true; // whether all members are single characters or ranges of them
    if (this.#take("]")) parts[0] = character("]");
    while (!this.#take("]")) {
      if (this.#at >= this.#chars.length) throw this.#refused("a [ without its ]");
      if (this.#take("&&")) {
        parts.push("");
        continue;
      }
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#chars.slice(this.#at, this.#at + 16).join(""));
      if (posix !== null) {
        this.#at += posix[0].length;
        if (!Object.hasOwn(POSIX, posix[2]!)) throw this.#refused(posix[0]);
        parts.push(parts.pop()! + (posix[1] === "^" ? `[^${POSIX[posix[2]!]}]` : POSIX[posix[2]!]));
        continue;
      }
      let item: string;
      if (this.#take("[")) {
        item = this.#class(insensitive);
        single = false;
      } else {
        item = this.#take("\\") ? this.#classEscape() : character(this.#chars[this.#at++]!);
        const isOne = [...item].length === 1 || /^\\u\{[0-9a-f]+\}$/.test(item);
        if (!isOne) single = false;
        else if (insensitive && /\p{Cased}/u.test(plain(item))) {
          if (item.charCodeAt(0) > 127) throw this.#refused("(?i) with such a letter in a class");
          cased = true;
        }
        if (isOne && this.#peek("-") && this.#chars[this.#at + 1] !== "]") {
          this.#at++;
          const last = this.#take("\\") ? this.#classEscape() : character(this.#chars[this.#at++] ?? "");
          if (last.startsWith("[") || last.startsWith("\\p") || (insensitive && last.charCodeAt(0) > 127)) {
            throw this.#refused("a range like this");
          }
          item += `-${last}`;
        }
      }
      parts.push(parts.pop()! + item);
    }
    const sets = parts.map((part) => `[${part}]`);
    const inside = sets.length === 1 ? parts[0]! : sets.join("&&");
    if (!cased) return `[${negated ? "^" : ""}${inside}]`;
    if (negated || !single || sets.length > 1) throw this.#refused("(?i) with a letter in such a class");
    return `(?i:[${inside}])`;
  }
}

/** The character that `character` made an escape of. */
function plain(item: string): string {
  return item.startsWith("\\u{") ? String.fromCodePoint(parseInt(item.slice(3), 16)) : item;
}
