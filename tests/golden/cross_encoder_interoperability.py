"""sentence-transformers' CrossEncoder and Kindred read each other's folders, with equal scores.

    python tests/golden/cross_encoder_interoperability.py MODEL_FOLDER [LABELS]

With LABELS, the folder is a model to start from (a bi-encoder, say), to which Kindred gives a new head. Not part of the
test suite: it wants sentence-transformers.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sentence_transformers import CrossEncoder

PAIRS = [
    ["A man is playing the guitar.", "Someone plays an instrument."],
    ["", "The moon"],
    ["déjà vu — 東京は日本の首都です 🙂", ""],
    ["word " * 400, "other words " * 300],
    [" red fish", "blue birds  "],
]
ROOT = Path(__file__).parents[2]


def kindred(folder, saved, work, *labels):
    (work / "pairs.json").write_text(json.dumps(PAIRS))
    command = ["deno", "run", "-A", "tools/export_scores.ts", folder, saved, work / "pairs.json", work / "out.json"]
    subprocess.run([str(part) for part in [*command, *labels]], cwd=ROOT, check=True)
    return np.array(json.loads((work / "out.json").read_text())["data"], dtype=np.float32)


def python(folder):
    model = CrossEncoder(str(folder), device="cpu")
    return model, model.predict(PAIRS, show_progress_bar=False).flatten()


def main():
    folder, labels = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        ours = kindred(folder, work / "ours", work, *labels)
        reloaded, expected = python(work / "ours")
        reloaded.save_pretrained(str(work / "theirs"))
        differences = {
            "Python on the folder that Kindred wrote": expected - ours,
            "Kindred on the folder that Python wrote": kindred(work / "theirs", work / "again", work) - ours,
        }
        if not labels:
            original, scores = python(folder)
            differences["Kindred on the original folder"] = ours - scores
            assert original.max_seq_length == reloaded.max_seq_length
            assert type(original.activation_fn) is type(reloaded.activation_fn)
            assert original.prompts == reloaded.prompts
        for what, difference in differences.items():
            print(f"{np.abs(difference).max():.2e}  {what}")
        assert all(np.abs(difference).max() <= 1e-5 for difference in differences.values())


main()
