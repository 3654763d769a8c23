"""sentence-transformers and Kindred read each other's folders, with equal embeddings.

    python tests/golden/interoperability.py MODEL_FOLDER [TEXTS.json]

The texts, a JSON list, are embedded beside five odd ones. Not part of the test suite: it wants a real model and sentence-transformers.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

TEXTS = [
    "A man is playing the guitar.",
    "",
    "déjà vu — 東京は日本の首都です 🙂",
    "Someone plays an instrument.",
    "word " * 400,
    *(json.loads(Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else []),
]
ROOT = Path(__file__).parents[2]


def kindred(folder, saved, work):
    (work / "texts.json").write_text(json.dumps(TEXTS))
    command = ["deno", "run", "-A", "tools/export_embeddings.ts", folder, saved, work / "texts.json", work / "out.json"]
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)
    result = json.loads((work / "out.json").read_text())
    return np.array(result["data"], dtype=np.float32).reshape(len(TEXTS), result["width"])


def main():
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        original = SentenceTransformer(sys.argv[1], device="cpu")
        expected = original.encode(TEXTS)
        ours = kindred(sys.argv[1], work / "ours", work)
        reloaded = SentenceTransformer(str(work / "ours"), device="cpu")
        original.save_pretrained(str(work / "theirs"))
        theirs = kindred(work / "theirs", work / "again", work)
        differences = {
            "Kindred on the original folder": ours - expected,
            "Python on the folder that Kindred wrote": reloaded.encode(TEXTS) - expected,
            "Kindred on the folder that Python wrote": theirs - expected,
        }
        for what, difference in differences.items():
            print(f"{np.abs(difference).max():.2e}  {what} ({len(TEXTS)} texts)")
        assert reloaded.max_seq_length == original.max_seq_length
        assert reloaded.similarity_fn_name == original.similarity_fn_name
        assert all(np.abs(difference).max() <= 1e-5 for difference in differences.values())


main()
