"""Asks Python's `tokenizers` about every code point and writes lib/text/unicode/tables.ts.

The reference is compiled with Unicode tables of several ages, and JavaScript engines have another one. Classes of
characters are written as the reference has them; of case and normal forms only what an engine with Unicode 16 does
otherwise is written. Run it again when the pinned `tokenizers` changes, or when tests/text/conformance_test.ts fails
with a new Deno.

    python tools/unicode_tables.py && deno fmt lib/text/unicode/tables.ts
"""

import json
import subprocess
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

ROOT = Path(__file__).parent.parent
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def engine(expression):
    """A value for each code point, as the JavaScript engine sees it; `c` is the character."""
    code = f"""const all = [];
    for (let p = 0; p < 0x110000; p++) {{
      const c = String.fromCodePoint(p);
      all.push(p >= 0xd800 && p <= 0xdfff ? "" : {expression});
    }}
    console.log(JSON.stringify(all));"""
    return json.loads(subprocess.run(["deno", "eval", code], capture_output=True, check=True, text=True).stdout)


def base36(number):
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if number == 0:
            return digits


def runs(values):
    """[first, last, value] of neighbours with one value, those without a value left out."""
    found = []
    for code, value in sorted(values.items()):
        if found and found[-1][1] == code - 1 and found[-1][2] == value:
            found[-1][1] = code
        else:
            found.append([code, code, value])
    return found


def ranges(codes):
    """Gap since the last range and, where it has more than one member, its size: "a3 1-4 …" in base 36."""
    text, end = [], 0
    for first, last, _ in runs({code: True for code in codes}):
        size = last - first + 1
        text.append(base36(first - end) + (f"-{base36(size)}" if size > 1 else ""))
        end = last + 1
    return " ".join(text)


def scripts():
    """The class of each code point for UnicodeScripts; 0 for those that join any neighbour."""
    split = pre_tokenizers.UnicodeScripts()
    apart = lambda a, b: len(split.pre_tokenize_str(a + b)) > 1
    representatives, values, before = [], {}, None
    for code in ALL:
        char = chr(code)
        if not apart("a", char) and not apart("\u044f", char):
            before = None
            continue
        if before is not None and not apart(before[0], char):
            number = before[1]
        else:
            number = next((i for i, other in enumerate(representatives) if not apart(other, char)), None)
            if number is None:
                number = len(representatives)
                representatives.append(char)
        before = (char, number)
        values[code] = number + 1
    text, end = [], 0
    for first, last, value in runs(values):
        size = last - first + 1
        text.append(f"{base36(first - end)}{f'-{base36(size)}' if size > 1 else ''}:{base36(value)}")
        end = last + 1
    return " ".join(text)


def inert():
    """Code points that the engine decomposes or reorders and the reference does not."""
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    ours = [engine(f'c.normalize("{form}")') for form in ("NFD", "NFKD")]
    # A mark of class 1 behind, and one of class 240 before, show whether the order is changed.
    order = [engine('("a" + c + "\\u0334").normalize("NFD")'), engine('("a\\u0345" + c).normalize("NFD")')]
    found, canonical = set(), {}
    for code in ALL:
        char = chr(code)
        if nfd(char) != ours[0][code]:
            canonical[code] = ours[0][code]
        if (
            nfd(char) != ours[0][code]
            or nfkd(char) != ours[1][code]
            or nfd("a" + char + "\u0334") != order[0][code]
            or nfd("a\u0345" + char) != order[1][code]
        ):
            assert nfd(char) == char and nfkd(char) == char, hex(code)
            found.add(code)
    # What the engine would compose to one of them must not meet either.
    return found | {ord(decomposition[0]) for decomposition in canonical.values()}


def main():
    clean = normalizers.BertNormalizer(True, False, False, False).normalize_str
    strip = normalizers.BertNormalizer(False, False, True, False).normalize_str
    accents = normalizers.StripAccents().normalize_str
    marks = pre_tokenizers.Punctuation("isolated").pre_tokenize_str
    digits = pre_tokenizers.Digits(True).pre_tokenize_str
    lower, ours = normalizers.Lowercase().normalize_str, engine("c.toLowerCase()")
    lowered = [(chr(c), lower(chr(c))) for c in ALL if lower(chr(c)) != ours[c]]
    tables = {
        "REMOVED": ("What BERT's clean_text takes out: control and format characters, private use.",
                    ranges(c for c in ALL if clean(chr(c)) == "")),
        "NONSPACING": ("Marks that BERT's strip_accents takes off.", ranges(c for c in ALL if strip(chr(c)) == "")),
        "COMBINING": ("Marks that StripAccents takes off.", ranges(c for c in ALL if accents(chr(c)) == "")),
        "PUNCTUATION": ("Punctuation, ASCII's symbols included.",
                        ranges(c for c in ALL if len(marks("a" + chr(c) + "a")) == 3)),
        "NUMERIC": ("Numbers of all kinds.", ranges(c for c in ALL if len(digits("a" + chr(c) + "a")) == 3)),
        "INERT": ("What has no decomposition and no combining class for the reference, but has for the engine.",
                  ranges(inert())),
        "SCRIPTS": ("Numbered classes of UnicodeScripts; what is not there joins any neighbour.", scripts()),
    }
    lines = [
        "/**",
        " * Classes of characters as the reference has them, made by tools/unicode_tables.py.",
        " *",
        " * Each range is the gap since the last one and, if it has more than one member, its size: base 36.",
        " *",
        " * @module",
        " */",
    ]
    for name, (what, text) in tables.items():
        lines += [f"/** {what} */", f"export const {name} =", f'  "{text}";']
    low = "".join(f"[{json.dumps(a)}, {json.dumps(b)}]," for a, b in lowered)
    lines += ["/** Capitals that the reference lowers and an older engine does not. */",
              f"export const LOWERCASE: readonly (readonly [string, string])[] = [{low}];"]
    (ROOT / "lib/text/unicode/tables.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
