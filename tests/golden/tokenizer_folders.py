"""What transformers' AutoTokenizer makes of folders: classes, and settings that lie beside the vocabulary.

Writes tokenizers/folders.json beside this file: for each case the changes to a golden tokenizer's folder, and the ids of
some texts, or that it is refused.

    HF_HUB_OFFLINE=1 python tests/golden/tokenizer_folders.py
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

OUT = Path(__file__).parent / "tokenizers"
TEXTS = ["How are you doing, Déjà-VU?", " hello <item> new york x<item>y Foo", "[MASK] <mask> <s> a</s> [SEP] 世界 ΣΑΣ", "", "running  unwanted ﬁne",
         "a b c d e f g h i j k l m n o p q r s t u v w x y z"]
TOKEN = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": True, "special": False}


def token(content, **flags):
    return {"content": content, **TOKEN, **flags}


def own(family, name):
    return json.loads((OUT / family / name).read_text(encoding="utf-8"))


def truncated(direction):
    return {**own("bert", "tokenizer.json"), "truncation": {"direction": direction, "max_length": 8, "strategy": "LongestFirst", "stride": 0}}


def vocabulary(family):
    vocab = own(family, "tokenizer.json")["model"]["vocab"]
    return sorted(vocab, key=vocab.get)


BERT, SIZE = own("bert", "tokenizer_config.json"), len(vocabulary("bert"))
LINES = "\n".join(vocabulary("bert")) + "\n"
ROBERTA = own("roberta", "tokenizer.json")["model"]
# family, files (None: taken away, text or JSON)
CASES = {
    "the class of the model": ("bert", {"config.json": {"model_type": "bert"}}),
    "a class that keeps case": ("bert", {"tokenizer_config.json": {**BERT, "tokenizer_class": "BertTokenizer", "do_lower_case": False}}),
    "accents and ideographs": ("bert", {"tokenizer_config.json": {**BERT, "tokenizer_class": "BertTokenizerFast", "strip_accents": False,
                                                                  "tokenize_chinese_chars": False}, "config.json": {"model_type": "bert"}}),
    "a class without rules": ("bert", {"tokenizer_config.json": {**BERT, "tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False},
                                       "config.json": {"model_type": "bert"}}),
    "an unknown class": ("bert", {"tokenizer_config.json": {**BERT, "tokenizer_class": "SomeTokenizer"}, "config.json": {"model_type": "bert"}}),
    "a vocabulary alone": ("bert", {"tokenizer.json": None, "tokenizer_config.json": None, "vocab.txt": LINES, "config.json": {"model_type": "bert"}}),
    "added tokens beside": ("bert", {"tokenizer.json": None, "tokenizer_config.json": {"additional_special_tokens": ["<item>"]}, "vocab.txt": LINES,
                                     "added_tokens.json": {"<item>": SIZE, "foo": SIZE + 1}, "config.json": {"model_type": "bert"}}),
    "a map of special tokens": ("bert", {"tokenizer.json": None, "tokenizer_config.json": None, "vocab.txt": LINES, "config.json": {"model_type": "bert"},
                                         "special_tokens_map.json": {"additional_special_tokens": ["<item>"], "mask_token": token("<mask>", lstrip=True)}}),
    "a decoder of added tokens": ("bert", {"tokenizer_config.json": {
        **BERT, "tokenizer_class": "BertTokenizer", "additional_special_tokens": ["new york"],
        "added_tokens_decoder": {str(SIZE): token("<item>"), str(SIZE + 1): token("foo", single_word=True)}}, "config.json": {"model_type": "bert"}}),
    "a decoder without a class": ("bert", {"tokenizer_config.json": {
        **BERT, "tokenizer_class": "PreTrainedTokenizerFast", "extra_special_tokens": {"item_token": "<item>"},
        "added_tokens_decoder": {"4": token("[MASK]", lstrip=True, normalized=False, special=True)}}, "config.json": {"model_type": "bert"}}),
    "cut at the start": ("bert", {"tokenizer_config.json": {**BERT, "truncation_side": "left"}, "config.json": {"model_type": "bert"}}),
    "cut at the start by tokenizer.json": ("bert", {"tokenizer.json": truncated("Left"), "config.json": {"model_type": "bert"}}),
    "a space first": ("roberta", {"tokenizer_config.json": {**own("roberta", "tokenizer_config.json"), "add_prefix_space": True},
                                  "config.json": {"model_type": "roberta"}}),
    "roberta": ("roberta", {"config.json": {"model_type": "roberta"}}),
    "vocabulary and merges": ("roberta", {"tokenizer.json": None, "tokenizer_config.json": None, "vocab.json": ROBERTA["vocab"],
                                          "merges.txt": "#version: 0.2\n" + "\n".join(" ".join(merge) for merge in ROBERTA["merges"]) + "\n",
                                          "config.json": {"model_type": "roberta"}}),
    "mpnet": ("mpnet", {"config.json": {"model_type": "mpnet"}}),
    "a vocabulary of mpnet": ("mpnet", {"tokenizer.json": None, "tokenizer_config.json": None, "vocab.txt": "\n".join(vocabulary("mpnet")) + "\n",
                                        "config.json": {"model_type": "mpnet"}}),
    "xlm-roberta": ("xlm_roberta", {"config.json": {"model_type": "xlm-roberta"}}),
    "xlm-roberta without a space": ("xlm_roberta", {"tokenizer_config.json": {**own("xlm_roberta", "tokenizer_config.json"), "add_prefix_space": False},
                                                    "config.json": {"model_type": "xlm-roberta"}}),
    "camembert": ("xlm_roberta", {"tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer"}, "config.json": {"model_type": "camembert"}}),
    "bert in a roberta": ("bert", {"tokenizer_config.json": {**BERT, "tokenizer_class": "BertTokenizer"}, "config.json": {"model_type": "roberta"}}),
}


def main():
    result = {}
    for name, (family, files) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            for kept in (OUT / family).iterdir():
                shutil.copy(kept, folder)
            for file, contents in files.items():
                path = Path(folder) / file
                if contents is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_text(contents if isinstance(contents, str) else json.dumps(contents), encoding="utf-8")
            tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        cut = [tokenizer(text, truncation=True, max_length=7)["input_ids"] for text in TEXTS]
        pairs = [tokenizer(TEXTS[0], text, truncation=True, max_length=24) for text in TEXTS if text]
        result[name] = {"family": family, "files": files, "ids": ids, "cut": cut, "pairs": [pair["input_ids"] for pair in pairs],
                        "types": [pair.get("token_type_ids") for pair in pairs]}
        print(name, type(tokenizer).__name__, len(tokenizer))
    (OUT / "folders.json").write_text(json.dumps({"texts": TEXTS, "cases": result}, ensure_ascii=True, separators=(",", ":")) + "\n")


main()
