"""A teacher whose embeddings are reduced as sentence-transformers' examples reduce them: scikit-learn's principal components
as the weights of a Dense layer behind it.

Writes reduce_width.json: the texts that the components are found by, and the dot products of the new embeddings, on which
the signs of components have no bearing. With `--check DIR` it loads a folder that Kindred saved, and prints how far its
products are from these.

    python tests/golden/reduce_width.py [--check DIR]
"""

import json
import sys
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from sklearn.decomposition import PCA

here = Path(__file__).parent
words = "red green blue fish bird tree runs sings grows the a".split()
texts = [" ".join(words[(i * step + step) % len(words)] for step in range(1, 2 + i % 4)) + f" {words[i % 11]}" for i in range(40)]
texts = list(dict.fromkeys(texts))
width = 5


def products(model):
    embeddings = model.encode(texts, convert_to_numpy=True).astype("float64")
    return embeddings @ embeddings.T


if "--check" in sys.argv:
    stored = torch.tensor(json.loads((here / "reduce_width.json").read_text())["products"])
    found = torch.tensor(products(SentenceTransformer(sys.argv[-1], device="cpu")))
    print("largest difference", (found.flatten() - stored).abs().max().item())
    sys.exit()

teacher = SentenceTransformer(str(here / "training" / "model"), device="cpu")
pca = PCA(n_components=width)
pca.fit(teacher.encode(texts, convert_to_numpy=True))
dense = modules.Dense(
    in_features=teacher.get_embedding_dimension(),
    out_features=width,
    bias=False,
    activation_function=torch.nn.Identity(),
)
dense.linear.weight = torch.nn.Parameter(torch.tensor(pca.components_))
teacher.add_module("dense", dense)
(here / "reduce_width.json").write_text(
    json.dumps({"texts": texts, "width": width, "products": products(teacher).flatten().tolist()}) + "\n"
)
