"""Tokenizers of the kinds that today's encoders have, trained on the lines of a file, and what AutoTokenizer makes of texts.

Writes tokenizers/{qwen3,gemma3,modernbert,wordlevel}/ and tokenizers/today.json beside this file.

    HF_HUB_OFFLINE=1 python tests/golden/tokenizers_today.py TEXTS [COUNT]

COUNT texts (400 by default): half of them lines of the file, half random characters, some with special tokens in them.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

OUT = Path(__file__).parent / "tokenizers"
lines = Path(sys.argv[1]).read_text(encoding="utf-8").split("\n")
training = lines[:3000]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
WORDS = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
ALPHABET = pre_tokenizers.ByteLevel.alphabet()


def save(name, tokenizer, config, model_type):
    folder = OUT / name
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"model_type": model_type, "vocab_size": tokenizer.get_vocab_size()}))


def qwen3():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "isolated"), byte_level])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(training, trainers.BpeTrainer(vocab_size=800, initial_alphabet=ALPHABET))
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    end = "<|endoftext|>"
    template = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, t.token_to_id(end))]
    )
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": end, "bos_token": None, "unk_token": None}
    save("qwen3", t, {**config, "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}, "qwen3")


def gemma3():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    byte_tokens = [f"<0x{i:02X}>" for i in range(256)]
    t.train_from_iterator(training, trainers.BpeTrainer(vocab_size=1000, special_tokens=special + byte_tokens))
    definition = json.loads(t.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"] if token["content"] in special]
    t = Tokenizer.from_str(json.dumps(definition))
    t.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", pair="<bos> $A <eos> <bos> $B <eos>", special_tokens=[("<bos>", 2), ("<eos>", 1)]
    )
    names = {f"{name}_token": f"<{name}>" for name in ["bos", "eos", "unk", "pad", "mask"]}
    save("gemma3", t, {"tokenizer_class": "GemmaTokenizerFast", **names, "add_bos_token": True, "add_eos_token": True}, "gemma3_text")


def modernbert():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(training, trainers.BpeTrainer(vocab_size=800, initial_alphabet=ALPHABET))
    t.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True)])
    t.add_tokens([AddedToken("  ", normalized=True)])
    around = [(token, t.token_to_id(token)) for token in ["[CLS]", "[SEP]"]]
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=around
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ["cls", "sep", "pad", "mask", "unk"]}
    save("modernbert", t, {"tokenizer_class": "PreTrainedTokenizerFast", **names}, "modernbert")


def wordlevel():
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer = normalizers.Lowercase()
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(training, trainers.WordLevelTrainer(vocab_size=800, special_tokens=["[UNK]", "[PAD]"]))
    save("wordlevel", t, {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]"}, "qwen3")


def some_texts():
    random.seed(3)
    codes = [*range(32, 0x250), *range(0x370, 0x600), *range(0x4E00, 0x4E80), *range(0x1F600, 0x1F640), 0x301, 0x308, 0x200B, 0xA0, 0x2028, 9, 10, 13]
    character = lambda: chr(random.choice(codes)) if random.random() < 0.6 else " "
    texts = ["", *lines[3000 : 3000 + count // 2]]
    while len(texts) < 0.95 * count:
        texts.append("".join(character() for _ in range(random.randint(0, 40))))
    within = ["<|endoftext|>", " <eos>", "[MASK]", "<bos>", "<|im_start|>", "   ", "'S it's I'M"]
    while len(texts) < count:
        texts.append(random.choice(texts) + random.choice(within) + random.choice(texts))
    return texts


texts = some_texts()
result = {"texts": texts}
for make in [qwen3, gemma3, modernbert, wordlevel]:
    make()
    result[make.__name__] = AutoTokenizer.from_pretrained(OUT / make.__name__)(texts)["input_ids"]
(OUT / "today.json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
