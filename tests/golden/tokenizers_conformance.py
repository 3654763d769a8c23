"""What Python's `tokenizers` makes of thousands of texts, for each kind of normalizer, pre-tokenizer, model and flag.

Writes tokenizers/conformance.json beside this file: for each kind its definition and a checksum of each hundred texts.
The texts come from a generator that tests/text/conformance.ts has, too: pieces of many languages, all code points of
the lower planes once, and characters at random. The model "bytes" has a token for each byte and ends each word by
</w>, so that its ids say exactly what the words were.

    python tests/golden/tokenizers_conformance.py
"""

import base64
import json
import struct
import zlib
from pathlib import Path

from tokenizers import Tokenizer

OUT = Path(__file__).parent / "tokenizers"
RANDOM_TEXTS = 1550
BLOCK = 100

PIECES = [
    "the quick brown fox", "unbelievable", "won't", "I've", "WE'LL", "it's", "déjà vu", "naïve café", "Straße", "ẞ", "ﬁne",
    "ΣΟΦΟΣ ΣΑΣ", "Ὀδυσσεύς", "ΐ", "İstanbul ıI", "Ǆ ǅ ǆ", "Ångström", "Å", "e\u0301", "o\u0308\u0304", "q\u0307\u0323",
    "Привет, мир!", "ЙЁ", "שלום עולם", "בְּרֵאשִׁית", "مرحبا بالعالم", "السَّلَامُ", "नमस्ते दुनिया", "क्षि", "কেমন", "தமிழ் நாடு",
    "ภาษาไทย น้ำ", "ລາວ ນ້ຳ", "မြန်မာ", "ភាសាខ្មែរ", "ქართული", "Հայերեն", "አማርኛ", "東京は日本の首都です。", "パーティー ﾊﾟｰﾃｨｰ",
    "你好，世界！", "𠮷野家", "𪚥龍龘", "안녕하세요 세계", "한국어", "\u1112\u1161\u11ab", "각", "👩‍🚀", "👨‍👩‍👧‍👦", "❤️", "🇩🇪🇫🇷", "👍🏽", "☎️",
    "①②③ Ⅷ ½ ¾ ²³", "٣٤٥ ४५ 1,234.56", "3.14 $5 50% #1", "a_b-c/d\\e", "a.b@c.org", "http://x.y/?q=1&r=2", "C++ `code` ^~|",
    "\"quoted\" 'single'", "«guillemets» „deutsch“ “curly” ‘x’", "— – ‐ … ‰ § ¶ †", "₽ € £ ¥ ₿", "≤ ≥ ≠ ∞ ∑ √", "→ ⇒ ↔",
    " ", "  ", "    ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\u200b", "\u200d", "\ufeff",
    "\u00ad", "\u0000", "\u0007", "\u001f", "\u007f", "\ufffd", "\ue000", "▁", "▁▁x", "Ġ", "##ing", "[MASK]", "[UNK]", "<s>", "</s>",
    "<mask>", "<unk>", "<pad>", "<item>", "Item", "item", "items", "NaCl", "xNaCl", "new york", "New  York", "<a>", "<ab>", "<abc",
    "aaaa", "abab", "abcabc", "bbbbbbbb", "cacb", "hello", "world", "x" * 30, "ab" * 60, "1", "2", "a", "b", "-", "--", ".", "!?", ",",
    "\ud55c\u11a8", "\U0001f468\u200d\U0001f4bb", "\U00011099\U000110ba", "\u0915\u094d\u200d\u0937", "\u0600\u0661", "\u0e33", "z\u0335\u0327\u0301",
    "'S", "'\u017f", "'RE", "\u212a", "\u1e9e", "\u0130", "\u0345", "\ua7ce\ua7dc", "\U00016ea0", "\U00011de0", "\u089f\u0897x",
]


class Random:
    """xorshift32."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x % limit


def scalar(random):
    """A code point: mostly of scripts in use, sometimes any one."""
    kind = random.below(8)
    if kind < 3:
        code = random.below(0x500)
    elif kind < 5:
        code = random.below(0x3100)
    elif kind < 6:
        code = random.below(0x10000)
    elif kind < 7:
        code = 0x10000 + random.below(0x20000)
    else:
        code = random.below(0x110000)
    return "?" if 0xD800 <= code <= 0xDFFF else chr(code)


def texts():
    """All texts: code points in turn, 48 a text, each between others; then pieces and characters at random."""
    result = []
    code = 0
    while code < 0x1F000:
        text = ""
        for _ in range(48):
            if 0xD800 <= code <= 0xDFFF:
                code = 0xE000
            elif 0x3500 <= code < 0x9F00 or 0xAC80 <= code < 0xD700 or 0x13100 <= code < 0x16800 or 0x17100 <= code < 0x18C00:
                code += 61  # long runs of one kind
            text += ("a" if code % 3 else " ") + chr(code)
            code += 1
        result.append(text)
    random = Random(2463534242)
    for _ in range(RANDOM_TEXTS):
        text = ""
        for _ in range(1 + random.below(9)):
            kind = random.below(4)
            if kind < 2:
                text += PIECES[random.below(len(PIECES))]
            elif kind < 3:
                text += " " + PIECES[random.below(len(PIECES))]
            else:
                for _ in range(1 + random.below(6)):
                    text += scalar(random)
        result.append(text)
    return result


# --- definitions ------------------------------------------------------------------------------------------------------

def bytes_model():
    return {"type": "BPE", "vocab": {f"<0x{b:02X}>": b for b in range(256)}, "merges": [], "byte_fallback": True,
            "end_of_word_suffix": "</w>"}


def charsmap(entries):
    """SentencePiece's table: a double array (darts-clone) of the keys, and the texts behind it."""
    blob, offsets = b"", {}
    for text in entries.values():
        if text not in offsets:
            offsets[text] = len(blob)
            blob += text.encode() + b"\0"
    trie = {}
    for key, text in entries.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = offsets[text]
    units, used = {0: 0}, {0}

    def place(node, at):
        # A leaf's value stands under the label 0.
        labels = sorted(0 if label is None else label for label in node)
        base = at
        while True:
            base += 1
            relative = base ^ at
            if relative < 1 << 21 and all(base ^ label not in used for label in labels):
                break
        units[at] |= (base ^ at) << 10 | (0x100 if None in node else 0)
        for label in labels:
            used.add(base ^ label)
        for label, child in node.items():
            if label is None:
                units[base] = child | 1 << 31
            else:
                units[base ^ label] = label
        for label, child in node.items():
            if label is not None:
                place(child, base ^ label)

    place(trie, 0)
    size = (max(units) | 0xFF) + 1
    array = struct.pack(f"<{size}I", *(units.get(i, 0) for i in range(size)))
    return base64.b64encode(struct.pack("<I", len(array)) + array + blob).decode()


CHARSMAP = charsmap({
    "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": "", "\u00ad": "", "\u0007": "", "①": "1", "½": "1⁄2", "Ⅷ": "VIII",
    "ﬁ": "fi", "e\u0301": "é", "o\u0308": "ö", "\u0130": "i̇", "Å": "Å", "ﾊ": "ハ", "ﾊﾟ": "パ", "\u1112\u1161": "하", "\u0e33": "\u0e4d\u0e32",
    "A": "a", "B": "b", "İ": "i", "\u0301": "", "♥": "<3", "क": "k", "\u200d": "", "❤": "love", "  ": " ", "𠮷": "吉", "\r\n": "\n",
})

FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def added(*tokens):
    return [dict(FLAGS, id=256 + i, content=content, **flags) for i, (content, flags) in enumerate(tokens)]


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"
          r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
POSSESSIVE = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
              ).replace("(?i:[sdmt]|ll|ve|re)", "(?:[sdmtSDMT]|ll|ve|re)")
CLASSES = r"[[:alpha:]]+|[[:digit:][:punct:]&&[^.]]+|\h{2}|[^\W_]+"
BOUNDS = r"\b\w+\b|(?<=\w)\W(?=\w)|(?>a+|ab)c?|[a-c&&[^b]]{2,3}?"
ANCHORS = r"^.|.$|\A\s|\s\z|(?m:a.)"
SCRIPTS = r"\p{Han}+|\p{Hiragana}+|\p{^Latin}\p{Latin}|\P{L}{3}|[\p{Greek}\p{Cyrillic}]+|\x{1F600}|\u00e9|[\u4e00-\u9fa5]"

CASES = r"(?i:[sdmt]|ll|ve|re)'|\p{Word}{2,3}|\p{Punct}|\P{Word}{3}|\B|(?i)k+"


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def metaspace(scheme, cuts=True):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cuts}


def byte_level(prefix, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def bert(clean=True, chinese=True, accents=None, lower=True):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}


def normalizing(*parts):
    return {"type": "Sequence", "normalizers": list(parts)}


NORMALIZERS = {
    "bert": bert(), "bert cased": bert(lower=False), "bert accents": bert(accents=False), "bert only accents": bert(False, False, True, False),
    "bert dirty": bert(clean=False), "bert no ideographs": bert(chinese=False, accents=True, lower=False),
    **{form: {"type": form} for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")},
    "strip left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "strip right": {"type": "Strip", "strip_left": False, "strip_right": True},
    "strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "no accents": normalizing({"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}),
    "replace text": {"type": "Replace", "pattern": {"String": "a"}, "content": "<$&>"},
    "replace spaces": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
    "replace empty": {"type": "Replace", "pattern": {"Regex": r"\p{P}*"}, "content": "."},
    "replace anchors": {"type": "Replace", "pattern": {"Regex": r"^\s+|\s+$|\w\b"}, "content": "_"},
    "prepend": normalizing({"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
    "precompiled": {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
    "precompiled and more": normalizing({"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
                                        {"type": "Strip", "strip_left": False, "strip_right": True},
                                        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}),
}
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PRE_TOKENIZERS = {
    **{name: {"type": name} for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts")},
    "byte level": byte_level(False), "byte level with a space": byte_level(True), "byte level whole": byte_level(False, False),
    **{f"punctuation {b}": {"type": "Punctuation", "behavior": b} for b in BEHAVIORS},
    "digits": {"type": "Digits", "individual_digits": False}, "single digits": {"type": "Digits", "individual_digits": True},
    "delimiter": {"type": "CharDelimiterSplit", "delimiter": " "}, "fixed length": {"type": "FixedLength", "length": 3},
    **{f"split text {b}": split({"String": "a "}, b) for b in BEHAVIORS},
    **{f"split regex {b}": split({"Regex": r"\s|\p{P}|[aeiou]*"}, b) for b in BEHAVIORS},
    **{f"split regex inverted {b}": split({"Regex": r"\w+"}, b, True) for b in BEHAVIORS},
    **{f"regex {name}": split({"Regex": pattern}) for name, pattern in {
        "gpt2": GPT2, "llama 3": LLAMA3, "qwen": QWEN, "tekken": TEKKEN, "possessive": POSSESSIVE, "classes": CLASSES,
        "bounds": BOUNDS, "anchors": ANCHORS, "scripts": SCRIPTS, "cases": CASES}.items()},
    **{f"metaspace {scheme} {cuts}": metaspace(scheme, cuts) for scheme in ("always", "never", "first") for cuts in (True, False)},
    "words with metaspace": sequence({"type": "WhitespaceSplit"}, metaspace("always")),
    "words with first metaspace": sequence({"type": "WhitespaceSplit"}, metaspace("first")),
    "digits and bytes": sequence({"type": "Digits", "individual_digits": True}, byte_level(False)),
    "regex and bytes": sequence(split({"Regex": LLAMA3}), byte_level(False, False)),
    "bytes and more": sequence(byte_level(True), {"type": "Punctuation", "behavior": "Isolated"}),
}
ADDED = {
    "plain": added(("<a>", {}), ("<ab>", {}), ("<abc", {}), ("hello", {}), ("[MASK]", {"special": True})),
    "stripping": added(("<mask>", {"lstrip": True}), ("item", {"rstrip": True}), ("a", {"lstrip": True, "rstrip": True}), (" b", {"rstrip": True})),
    "single words": added(("item", {"single_word": True}), ("NaCl", {"single_word": True, "lstrip": True}), ("é", {"single_word": True})),
    "normalized": added(("Item", {"normalized": True}), ("new york", {"normalized": True}), ("<s>", {"special": True}), ("CAFÉ", {"normalized": True})),
}


def small(model, pieces, unknown):
    """A model with its vocabulary: some tokens of one character, and longer ones put together of them."""
    return {**model, "vocab": {token: i for i, token in enumerate([unknown, *pieces])}}


LETTERS = list("abcdehilnorstuwxyz") + ["▁", "é", "世", "Ġ", "1", "2", " ", "𠮷", "-", "."]
PARTS = ["ab", "abab", "aa", "aaa", "bb", "bbbb", "th", "the", "he", "hell", "hello", "wor", "world", "▁the", "▁w", "xx", "xxxx", "12", "世 ",
         "unbelievable", "ca", "cab"]


def bpe(prefix="", suffix="", **more):
    # A merge makes of two tokens a third; prefix and suffix go with the parts of a word that they mark.
    vocab, merges = ["<unk>", *LETTERS], []
    if prefix:
        vocab += [prefix + letter for letter in LETTERS]
    if suffix:
        vocab += [letter + suffix for letter in LETTERS]
        if prefix:
            vocab += [prefix + letter + suffix for letter in LETTERS]
    pairs = [("a", "b"), ("t", "h"), ("th", "e"), ("h", "e"), ("a", "a"), ("aa", "aa"), ("b", "c"), ("ab", "c"), ("a", "bc"), ("ab", "ab"),
             ("he", "l"), ("l", "l"), ("hel", "l"), ("he", "ll"), ("hell", "o"), ("x", "x"), ("xx", "xx"), ("b", "a"), ("ba", "b"), ("w", "o"),
             ("r", "l"), ("rl", "d"), ("o", "rld"), ("w", "orld"), ("Ġ", "t"), ("Ġ", "the"), ("▁", "t"), ("bb", "bb"), ("b", "b")]
    for left, right in pairs:
        for ending in ([suffix, ""] if suffix else [""]):
            for start in ([prefix, ""] if prefix else [""]):
                one, two = start + left, prefix + right + ending
                if one in vocab and two in vocab:
                    made = one + two[len(prefix):]
                    if made not in vocab:
                        vocab.append(made)
                    merges.append([one, two])
    vocab += more.pop("extra", [])
    if more.get("byte_fallback"):
        vocab += [f"<0x{b:02X}>" for b in range(256)]
    return {"type": "BPE", "vocab": {token: i for i, token in enumerate(vocab)}, "merges": merges, "unk_token": "<unk>",
            "continuing_subword_prefix": prefix or None, "end_of_word_suffix": suffix or None, **more}


def unigram(unk=0, **more):
    random, vocab = Random(99), ["<unk>", *LETTERS, *PARTS]
    if more.get("byte_fallback"):
        vocab += [f"<0x{b:02X}>" for b in range(256)]
    return {"type": "Unigram", "unk_id": unk, "vocab": [[token, -random.below(4000) / 256] for token in vocab], **more}


WORD_PIECES = LETTERS + PARTS + ["##" + token for token in LETTERS + PARTS]
METASPACE = metaspace("always")
MODELS = {
    "word piece": (small({"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 100, "continuing_subword_prefix": "##"}, WORD_PIECES, "[UNK]"), None),
    "word piece short": (small({"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 4, "continuing_subword_prefix": ""},
                               WORD_PIECES, "[UNK]"), {"type": "BertPreTokenizer"}),
    "word piece without unknown": (small({"type": "WordPiece", "unk_token": "[NONE]", "max_input_chars_per_word": 100, "continuing_subword_prefix": "##"}, WORD_PIECES, "[UNK]"), {"type": "WhitespaceSplit"}),
    "bpe": (bpe(), METASPACE), "bpe fused": (bpe(fuse_unk=True), METASPACE), "bpe whole": (bpe(ignore_merges=True, extra=["won", "quick"]), METASPACE),
    "bpe bytes": (bpe(byte_fallback=True, fuse_unk=True), METASPACE), "bpe prefix": (bpe(prefix="##"), {"type": "WhitespaceSplit"}),
    "bpe suffix": (bpe(suffix="</w>"), {"type": "BertPreTokenizer"}), "bpe prefix and suffix": (bpe(prefix="##", suffix="</w>"), {"type": "Whitespace"}),
    "bpe without unknown": ({**bpe(), "unk_token": None}, METASPACE), "bpe of bytes": (bpe(), byte_level(True)),
    "bpe unknown unknown": ({**bpe(), "unk_token": "[NONE]"}, METASPACE),
    "bpe unsplit": (bpe(), None),
    "unigram": (unigram(), METASPACE), "unigram bytes": (unigram(byte_fallback=True), METASPACE),
    "unigram without unknown": (unigram(None), METASPACE), "unigram unsplit": (unigram(3), None),
    "word level": (small({"type": "WordLevel", "unk_token": "[UNK]"}, ["the", "a", "b", "hello", "déjà", "1", "你好"], "[UNK]"), {"type": "Whitespace"}),
    "word level without unknown": (small({"type": "WordLevel", "unk_token": "[NONE]"}, ["the", "a", "b"], "[UNK]"), {"type": "BertPreTokenizer"}),
}


def kinds():
    found = {}
    for name, part in NORMALIZERS.items():
        found[f"normalizer {name}"] = {"normalizer": part, "pre_tokenizer": None, "model": "bytes", "added_tokens": []}
    for name, part in PRE_TOKENIZERS.items():
        found[f"pre-tokenizer {name}"] = {"normalizer": None, "pre_tokenizer": part, "model": "bytes", "added_tokens": []}
    for name, tokens in ADDED.items():
        for normalizer in (None, bert()):
            found[f"added {name}{' bert' if normalizer else ''}"] = {
                "normalizer": normalizer, "pre_tokenizer": metaspace("first"), "model": "bytes", "added_tokens": tokens}
    # A space goes first only where nothing was taken out before it.
    for name, part in {"strip": NORMALIZERS["strip"], "nmt": {"type": "Nmt"}, "bert": bert(), "replace": {
            "type": "Replace", "pattern": {"Regex": "^ {2,}|^a|^e"}, "content": ""}, "spaces": NORMALIZERS["replace spaces"]}.items():
        found[f"first after {name}"] = {"normalizer": part, "pre_tokenizer": metaspace("first"), "model": "bytes", "added_tokens": []}
    for name, (model, words) in MODELS.items():
        found[f"model {name}"] = {"normalizer": None, "pre_tokenizer": words, "model": model, "added_tokens": []}
    return found


def encoded(tokenizer, text):
    """Ids, that of a token which begins a word as its complement; -1 alone if the text is refused."""
    try:
        encoding = tokenizer.encode(text, add_special_tokens=False)
    except Exception:
        return [0x7FFFFFFF]
    words = encoding.word_ids
    return [i if place > 0 and words[place] == words[place - 1] else ~i for place, i in enumerate(encoding.ids)]


def main():
    all_texts = texts()
    result = {"pieces": PIECES, "texts": len(all_texts), "block": BLOCK, "check": zlib.crc32("\0".join(all_texts).encode()), "kinds": {}}
    for name, kind in kinds().items():
        definition = {"version": "1.0", "truncation": None, "padding": None, "post_processor": None, "decoder": None, **kind}
        if kind["model"] == "bytes":
            definition["model"] = bytes_model()
        tokenizer = Tokenizer.from_str(json.dumps(definition))
        sums = []
        for start in range(0, len(all_texts), BLOCK):
            numbers = []
            for text in all_texts[start:start + BLOCK]:
                ids = encoded(tokenizer, text)
                numbers += [len(ids), *ids]
            sums.append(f"{zlib.crc32(struct.pack(f'<{len(numbers)}i', *numbers)):08x}")
        refused = sum(encoded(tokenizer, text) == [0x7FFFFFFF] for text in all_texts[-200:])
        print(name, len(sums), f"refused {refused} of 200", flush=True)
        result["kinds"][name] = {"definition": kind, "sums": "".join(sums)}
    (OUT / "conformance.json").write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
