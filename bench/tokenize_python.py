"""Tokenises the texts of a file, line by line, with the package `tokenizers` of Python: the other half of tokenize.ts.

    python bench/tokenize_python.py DIR TEXTS [RUNS]

Texts go one by one through `Tokenizer.encode`, which uses one thread; the median of the runs is printed.
"""

import sys
import time
from pathlib import Path

from tokenizers import Tokenizer

folder, file = sys.argv[1:3]
texts = [text for text in Path(file).read_text(encoding="utf-8").split("\n") if text != ""]
seconds = []
for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 5):
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    start = time.perf_counter()
    for text in texts:
        tokenizer.encode(text).ids
    seconds.append(time.perf_counter() - start)
print(f"tokenizers: {len(texts) / sorted(seconds)[len(seconds) // 2]:.0f} texts per second")
