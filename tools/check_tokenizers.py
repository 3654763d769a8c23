"""How often Kindred's tokenizers give the ids of Python's `tokenizers`, on real texts and random Unicode, by kind.

    python tools/check_tokenizers.py TEXTS [COUNT] [--only NAME]

TEXTS is a file of real texts, one a line; half of COUNT texts (20,000) come from it, the others are pieces and characters
at random. Two sorts of kinds: every definition of tests/golden/tokenizers_conformance.py, by words and ids; and a WordPiece,
a byte-level BPE, a BPE with byte fallback, two unigrams and a word-level vocabulary trained on the file, each under every
post-processor, cut at 48 tokens, alone and as pairs. Wants `deno`; no part of the test suite.
"""

import json
import random
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "golden"))
import tokenizers_conformance as conformance  # noqa: E402

LONGEST = 48


def some_texts(path, count):
    choose = random.Random(20)
    lines = [line for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
    result = [choose.choice(lines) for _ in range(count // 2)] if len(lines) < count // 2 else lines[: count // 2]
    ours = conformance.Random(977)
    while len(result) < count:
        text = ""
        for _ in range(1 + ours.below(9)):
            kind = ours.below(6)
            if kind < 2:
                text += conformance.PIECES[ours.below(len(conformance.PIECES))]
            elif kind < 4:
                text += " " + choose.choice(choose.choice(lines).split(" "))
            else:
                for _ in range(1 + ours.below(6)):
                    text += conformance.scalar(ours)
        result.append(text)
    return result


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def word_piece(lines):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=3000, special_tokens=SPECIAL))
    return t


def byte_level(lines):
    t = Tokenizer(models.BPE())
    t.normalizer, t.pre_tokenizer = normalizers.NFC(), pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=3000, initial_alphabet=alphabet, special_tokens=SPECIAL))
    return t


def byte_fallback(lines):
    t = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True, byte_fallback=True))
    t.normalizer, t.pre_tokenizer = normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous")
    of_bytes = [f"<0x{i:02X}>" for i in range(256)]
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=3000, special_tokens=SPECIAL + of_bytes))
    definition = json.loads(t.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"] if token["content"] in SPECIAL]
    return Tokenizer.from_str(json.dumps(definition))


def unigram(lines):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(), normalizers.Replace("  ", " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(lines, trainers.UnigramTrainer(vocab_size=3000, special_tokens=SPECIAL, unk_token="[UNK]"))
    return t


def unigram_with_bytes(lines):
    definition = json.loads(unigram(lines).to_str())
    model = definition["model"]
    model["vocab"] += [[f"<0x{i:02X}>", -20.0] for i in range(256)]
    model["byte_fallback"] = True
    definition["pre_tokenizer"]["prepend_scheme"] = "first"
    return Tokenizer.from_str(json.dumps(definition))


def word_level(lines):
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    t.train_from_iterator(lines, trainers.WordLevelTrainer(vocab_size=3000, special_tokens=SPECIAL))
    return t


def frames(t):
    """Post-processors: without, BERT's, RoBERTa's, templates with both ends, one end, other orders, in a sequence."""
    cls, sep, mask = [(token, t.token_to_id(token)) for token in ("[CLS]", "[SEP]", "[MASK]")]

    def template(single, pair):
        return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[cls, sep, mask])

    return {
        "nothing": None,
        "BertProcessing": processors.BertProcessing(sep, cls),
        "RobertaProcessing": processors.RobertaProcessing(sep, cls),
        "both ends": template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
        "the end": template("$A [SEP]", "$A [SEP] $B [SEP]"),
        "the beginning": template("[CLS] $A", "[CLS] $A $B"),
        "each of two": template("[CLS] $A [SEP]", "[CLS] $A [SEP] [CLS] $B [SEP]"),
        "several": template("[CLS] [MASK] $A [SEP] [SEP]", "[CLS] [MASK] $A [SEP] [SEP] $B:1 [SEP]:1"),
        "bytes and both ends": processors.Sequence([processors.ByteLevel(trim_offsets=False), template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]")]),
        "bytes": processors.ByteLevel(trim_offsets=True),
    }


def sums(rows):
    return struct.pack(f"<{len(rows)}I", *(zlib.crc32(struct.pack(f"<{len(row)}i", *row)) for row in rows))


def main():
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    path, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 20_000
    texts = some_texts(path, count)
    lines = Path(path).read_text(encoding="utf-8").split("\n")[:5000]
    some = count // 5  # pairs
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        tasks = []
        for title, kind in conformance.kinds().items():
            if only not in title:
                continue
            definition = {"version": "1.0", "truncation": None, "padding": None, "post_processor": None, "decoder": None, **kind}
            if kind["model"] == "bytes":
                definition["model"] = conformance.bytes_model()
            tokenizer = Tokenizer.from_str(json.dumps(definition))
            (work / f"{len(tasks)}.sums").write_bytes(sums([conformance.encoded(tokenizer, text) for text in texts]))
            tasks.append({"title": title, "definition": definition})
        for make in (word_piece, byte_level, byte_fallback, unigram, unigram_with_bytes, word_level):
            if only not in make.__name__:
                continue
            trained = make(lines)
            trained.add_tokens([AddedToken("item", single_word=True), AddedToken("NaCl", lstrip=True), AddedToken("<a>", normalized=False)])
            for title, frame in frames(trained).items():
                t = Tokenizer.from_str(trained.to_str())
                if frame is not None:
                    t.post_processor = frame
                folder = work / f"folder{len(tasks)}"
                folder.mkdir()
                (folder / "tokenizer.json").write_text(t.to_str(), encoding="utf-8")
                config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
                (folder / "tokenizer_config.json").write_text(json.dumps(config))
                (folder / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
                t.enable_truncation(LONGEST)
                alone = [encoding.ids for encoding in t.encode_batch(texts)]
                pairs = [encoding.ids for encoding in t.encode_batch(list(zip(texts[:some], texts[-some:])))]
                (work / f"{len(tasks)}.sums").write_bytes(sums(alone + pairs))
                tasks.append({"title": f"{make.__name__}, {title}", "folder": str(folder)})
        (work / "tasks.json").write_text(json.dumps({"tasks": tasks, "longest": LONGEST, "pairs": some}))
        subprocess.run(["deno", "run", "-A", str(ROOT / "tools" / "check_tokenizers.ts"), name], check=True)


main()
