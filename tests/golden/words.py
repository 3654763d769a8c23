"""Words of sentences, and sentences of words, by nltk.

    words.py [SENTENCES.jsonl [OUT.jsonl]]

Reads one JSON string a line and writes for each [text, words, their text, numbers of the words kept, text of those]:
`word_tokenize` and `TreebankWordDetokenizer`, for all words and after six of ten were deleted. Without arguments, from
words/sentences.jsonl to words/expected.jsonl. `word_tokenize` splits sentences with nltk's English model (`punkt_tab`),
which must be in a folder that NLTK_DATA names.
"""

import json
import random
import sys
from pathlib import Path

from nltk import word_tokenize
from nltk.tokenize.treebank import TreebankWordDetokenizer

here = Path(__file__).with_suffix("")
source = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "sentences.jsonl"
target = Path(sys.argv[2]) if len(sys.argv) > 2 else here / "expected.jsonl"
join = TreebankWordDetokenizer().detokenize
draw = random.Random(1)
lines = []
for line in source.read_text("utf-8").split("\n"):
    if not line:
        continue
    text = json.loads(line)
    words = word_tokenize(text)
    kept = [i for i in range(len(words)) if draw.random() > 0.6]
    if words and not kept:
        kept = [draw.randrange(len(words))]
    lines.append(json.dumps([text, words, join(words), kept, join([words[i] for i in kept])], ensure_ascii=False))
target.write_text("\n".join(lines) + "\n", "utf-8")
