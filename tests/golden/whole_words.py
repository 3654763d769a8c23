"""Which tokens begin a word, and which may be masked, by transformers: word_ids and all_special_ids.

Writes tests/golden/whole_words.json for the tokenizers in tests/golden/tokenizers.
"""

import json
from pathlib import Path

from transformers import AutoTokenizer

here = Path(__file__).parent
TEXTS = [
    "The unbelievable cats, running; don't stop!",
    "  two  spaces before   and between ",
    "numbers 12345 and naïve Größe 漢字 😀 end",
    "",
]
result = {}
for folder in sorted((here / "tokenizers").iterdir()):
    if not (folder / "tokenizer.json").exists():
        continue
    tokenizer = AutoTokenizer.from_pretrained(folder)
    specials = [tokenizer.mask_token, tokenizer.pad_token, tokenizer.unk_token]
    rows = []
    for text in [*TEXTS, f"a literal {specials[0]} and {specials[1]} or {specials[2]} within"]:
        encoded = tokenizer(text)
        ids, words = encoded["input_ids"], encoded.word_ids()
        starts = [int(i == 0 or w is None or w != words[i - 1]) for i, w in enumerate(words)]
        special = tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True)
        rows.append({"text": text, "ids": ids, "starts": starts, "special": special})
    result[folder.name] = rows
(here / "whole_words.json").write_text(json.dumps(result, ensure_ascii=False) + "\n")
