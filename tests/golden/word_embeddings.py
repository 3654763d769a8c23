"""Word vectors as sentence-transformers reads them: a file in GloVe's format, one in word2vec's, and a folder.

Writes word_embeddings/ beside this file: glove.txt, word2vec.txt, folder/ with WordEmbeddings, Pooling and Normalize, and
expected.json. With `--check DIR` it loads the folders DIR/<name> that Kindred saved, and prints how far they are off.

    python tests/golden/word_embeddings.py [--check DIR]
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, WordEmbeddings
from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer

OUT = Path(__file__).with_suffix("")
TEXTS = [
    "The cat sat on the mat.",
    "A (Zürich) guitar, and a \"Dog\"!",
    "",
    "the of and",
    "new-york NEW-YORK new-york...",
    "don't stop\u00a0cat\x1cmat\u2028guitar 42",
    "words that nobody knows",
    "'' `` cat's e.g. ΣΑΣ",
]
WORDS = ["the", "cat", "mat", "sat", "Dog", "dog", "zürich", "Zürich", "guitar", "new-york", "NEW-YORK", "42", "cat's",
         "don't", "e.g", "e.g.", "stop", "σας", ",", "on"]


def glove():
    draw = random.Random(5)
    lines = [" ".join([word, *(f"{draw.gauss(0, 1):.5g}" for _ in range(5))]) for word in WORDS]
    lines.insert(3, "two words 1 2 3 4 5")  # more fields than the first line: left out
    lines.insert(7, "few 1 2 3")
    lines.append("cat 1e-3 -2.5E+1 .5 +7 123456789.0123456789")  # once more: the last one counts
    return "\n".join(lines) + "\n"


def build(source):
    words = WordEmbeddings.from_text_file(str(source))
    return SentenceTransformer(modules=[words, Pooling(words.get_embedding_dimension(), pooling_mode="mean")], device="cpu")


if sys.argv[1:2] == ["--check"]:
    expected = json.loads((OUT / "expected.json").read_text())
    for name, embeddings in expected.items():
        if name == "texts":
            continue
        model = SentenceTransformer(str(Path(sys.argv[2]) / name), device="cpu")
        pairs = [(model.encode(text), e) for text, e in zip(expected["texts"], embeddings) if e is not None]
        print(name, max(np.abs(found - np.array(e)).max() for found, e in pairs))
else:
    OUT.mkdir(exist_ok=True)
    text = glove()
    (OUT / "glove.txt").write_text(text, encoding="utf-8")
    (OUT / "word2vec.txt").write_text("5 5\n" + "".join(line + " \n" for line in text.split("\n")[:6]), encoding="utf-8")
    expected = {"texts": TEXTS}
    for name in ["glove.txt", "word2vec.txt"]:
        expected[name] = build(OUT / name).encode(TEXTS).tolist()
    tokenizer = WhitespaceTokenizer(vocab=["PADDING_TOKEN", *WORDS], stop_words=["the", "on"], do_lower_case=True)
    weights = np.random.default_rng(3).normal(size=(len(WORDS) + 1, 6)).astype(np.float32)
    words = WordEmbeddings(tokenizer, weights, update_embeddings=True, max_seq_length=4)
    pooling = Pooling(6, pooling_mode=["mean", "max"])
    whole = SentenceTransformer(modules=[words, pooling, Normalize()], device="cpu")
    known = [text for text in TEXTS if any(tokenizer.tokenize(text))]
    whole.save(str(OUT / "folder"))
    (OUT / "folder" / "README.md").unlink()
    expected["folder"] = [whole.encode(text).tolist() if text in known else None for text in TEXTS]
    (OUT / "expected.json").write_text(json.dumps(expected))
