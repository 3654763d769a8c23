"""Evaluator results of sentence-transformers on seeded embeddings: tests/golden/evaluators.json."""

import json
from pathlib import Path

import numpy as np
from sentence_transformers.sentence_transformer.evaluation import (
    BinaryClassificationEvaluator,
    EmbeddingSimilarityEvaluator,
    TripletEvaluator,
)

ALL = ["cosine", "manhattan", "euclidean", "dot"]
rng = np.random.default_rng(7)
rows, width = 60, 8
a, b, c = (rng.normal(size=(rows, width)).astype(np.float32) for _ in range(3))
b = (b + 0.8 * a).astype(np.float32)
scores = np.round(rng.uniform(0, 5, rows) * 2) / 2  # with ties
labels = (np.sum(a * b, axis=1) + rng.normal(size=rows) * 4 > 4).astype(int)


class Table:
    """Looks embeddings up by text: what the evaluators need of a model."""

    similarity_fn_name = "cosine"
    truncate_dim = None

    def encode(self, texts, **_):
        tables = {"a": a, "b": b, "c": c}
        return np.stack([tables[text[0]][int(text[1:])] for text in texts])

    encode_query = encode_document = encode


texts = {name: [f"{name}{i}" for i in range(rows)] for name in "abc"}
similarity = EmbeddingSimilarityEvaluator(texts["a"], texts["b"], list(scores), similarity_fn_names=ALL, write_csv=False)
binary = BinaryClassificationEvaluator(texts["a"], texts["b"], list(labels), similarity_fn_names=ALL, write_csv=False)
triplet = TripletEvaluator(texts["a"], texts["b"], texts["c"], similarity_fn_names=ALL, write_csv=False)


class Card:
    def set_evaluation_metrics(self, *_args, **_kwargs):
        pass


model = Table()
model.model_card_data = Card()


def plain(metrics):
    return {key: float(value) for key, value in metrics.items()}


golden = {
    "width": width,
    "a": a.flatten().tolist(),
    "b": b.flatten().tolist(),
    "c": c.flatten().tolist(),
    "scores": scores.tolist(),
    "labels": labels.tolist(),
    "similarity": plain(similarity(model)),
    "binary": plain(binary(model)),
    "triplet": plain(triplet(model)),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden))
