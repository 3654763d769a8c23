"""Tiny tokenizers, one per family, and what Python's `tokenizers` makes of odd texts.

Writes tokenizers/<family>/ and tokenizers/encodings.json beside this file. Training breaks ties at random: a tokenizer
that is there already is kept.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizer

OUT = Path(__file__).parent / "tokenizers"
CORPUS = [
    "The quick brown fox jumps over the lazy dog.",
    "How are you doing? You should've done this.",
    "A man is playing the guitar; a woman is playing the flute.",
    "The company was founded in 2016, in München, by four engineers.",
    "Die Straße ist naß, déjà vu, garçon, İstanbul, Ελλάδα, Привет мир.",
    "東京は日本の首都です。你好世界。 안녕하세요 세계",
    "Unbelievable runners were running, unwanted and unaffected.",
    "let a = obj.toString(); print('hello world')",
    "🙂 👩‍🚀 emoji 🇩🇪 and text ❤️",
] * 20
TEXTS = [
    "",
    " ",
    "   \t\n ",
    "How are you doing?",
    "UNwantéd,running",
    "A\n'll !!to?'d''d of, can't.",
    "1\u00002\ufffd3\u0007 4\u200b5\u00ad6",
    "de\u0301ja\u0300 vu — déjà vu",
    "İSTANBUL ıi ß ẞ ŒUVRE ﬁne Ⅷ ①",
    "東京は、日本の首都です。你好世界 𠀋 안녕",
    "🙂👩‍🚀 ❤️ 🇩🇪 🏳️‍🌈 x",
    "مرحبا بالعالم שלום",
    "नमस्ते दुनिया",
    "non\u00a0breaking\u3000wide\u2009thin",
    "[CLS] [MASK] [SEP] <s> <mask> </s> [PAD] <pad>",
    "a[MASK]b, word <mask>, end",
    "▁under Ġbyte ##piece",
    "x" * 99 + " " + "y" * 101,
    "e-mail: a.b@c.org; 3.14 $5 50% #1 C++ `code` ^~|",
    "two  spaces   three",
    " leading and trailing ",
]
LONG = " ".join(f"{word}{i % 7}" for i, word in enumerate(("the quick running fox 東京 déjà 🙂 unwanted " * 1250).split()))
PAIRS = [("How are you?", "You are a man."), ("", "text"), ("a b c d e f g h i j k l", "x y"), ("x", "a b c d e f g h i"),
         ("one two three four five six", "seven eight nine ten eleven twelve thirteen")]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def names(cls, sep, pad, unk, mask):
    return {"cls_token": cls, "sep_token": sep, "pad_token": pad, "unk_token": unk, "mask_token": mask}


def word_piece(specials, lowercase, unk):
    tokenizer = Tokenizer(models.WordPiece(unk_token=unk))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=400, special_tokens=specials))
    return tokenizer


def template(tokenizer, cls, sep, double):
    between = f"{sep}:0 {sep}:0 $B:0 {sep}:0" if double else f"{sep}:0 $B:1 {sep}:1"
    return processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls}:0 $A:0 {between}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (cls, sep)],
    )


def bert():
    tokenizer = word_piece(BERT, True, "[UNK]")
    tokenizer.post_processor = template(tokenizer, "[CLS]", "[SEP]", False)
    return tokenizer, names("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")


def mpnet():
    tokenizer = word_piece(["<s>", "<pad>", "</s>", "<unk>", "[UNK]"], True, "[UNK]")
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    return tokenizer, names("<s>", "</s>", "<pad>", "[UNK]", "<mask>")


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=ROBERTA[:4], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return tokenizer, names("<s>", "</s>", "<pad>", "<unk>", "<mask>")


def xlm_roberta():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=ROBERTA[:4], unk_token="<unk>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = template(tokenizer, "<s>", "</s>", True)
    return tokenizer, names("<s>", "</s>", "<pad>", "<unk>", "<mask>")


def save(family, files):
    folder = OUT / family
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def distilbert():
    """A cased vocabulary without tokenizer.json: the old way to save a tokenizer."""
    kept = OUT / "distilbert" / "vocab.txt"
    if kept.exists():
        tokens = kept.read_text(encoding="utf-8").splitlines()
    else:
        vocabulary = word_piece(BERT, False, "[UNK]").get_vocab()
        tokens = sorted(vocabulary, key=vocabulary.get)
    config = {"do_lower_case": False, "model_max_length": 512, **names("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")}
    save("distilbert", {"vocab.txt": "\n".join(tokens) + "\n", "tokenizer_config.json": json.dumps(config)})
    return BertTokenizer(vocab={token: i for i, token in enumerate(tokens)}, do_lower_case=False)._tokenizer


def digest(ids):
    return hashlib.sha256(np.array(ids, dtype="<i4").tobytes()).hexdigest()


def encodings(tokenizer):
    result = {"size": tokenizer.get_vocab_size(), "texts": [], "pairs": []}
    tokenizer.no_padding()
    for text in TEXTS:
        tokenizer.no_truncation()
        ids = tokenizer.encode(text).ids
        tokenizer.enable_truncation(8)
        result["texts"].append({"text": text, "ids": ids, "cut": tokenizer.encode(text).ids})
    tokenizer.no_truncation()
    long = tokenizer.encode(LONG).ids
    result["long"] = {"length": len(long), "sha256": digest(long)}
    for a, b in PAIRS:
        for length in (10, 11, 64):
            tokenizer.enable_truncation(length)
            encoding = tokenizer.encode(a, b)
            result["pairs"].append({"a": a, "b": b, "maxLength": length, "ids": encoding.ids, "typeIds": encoding.type_ids})
    return result


def main():
    result = {"families": {}}
    for make in (bert, mpnet, roberta, xlm_roberta):
        family = make.__name__
        if not (OUT / family / "tokenizer.json").exists():
            tokenizer, special = make()
            config = json.dumps({"model_max_length": 512, **special})
            save(family, {"tokenizer.json": tokenizer.to_str(pretty=False), "tokenizer_config.json": config})
        result["families"][family] = encodings(Tokenizer.from_file(str(OUT / family / "tokenizer.json")))
    result["families"]["distilbert"] = encodings(distilbert())
    (OUT / "encodings.json").write_text(json.dumps(result, ensure_ascii=True))


main()
