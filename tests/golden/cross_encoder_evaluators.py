"""Results of sentence-transformers' evaluators of cross-encoders on given scores: tests/golden/cross_encoder_evaluators.json."""

import json
from pathlib import Path

import numpy as np
from sentence_transformers.cross_encoder.evaluation import (
    CrossEncoderClassificationEvaluator,
    CrossEncoderCorrelationEvaluator,
    CrossEncoderRerankingEvaluator,
)

rng = np.random.default_rng(11)


class Card:
    def set_evaluation_metrics(self, *_, **__):
        pass


class Table:
    """Looks scores up by text: what the evaluators need of a model."""

    model_card_data = Card()

    def __init__(self, scores, num_labels):
        self.scores, self.num_labels = scores, num_labels

    def predict(self, pairs, **_):
        return np.array([self.scores[a, b] for a, b in pairs], dtype=np.float32)


def plain(metrics):
    return {key: float(value) for key, value in metrics.items()}


rows = 40
pairs = [(f"a{i}", f"b{i}") for i in range(rows)]
one = np.round(rng.random(rows), 2).astype(np.float32)
gold = np.round(5 * np.clip(one + 0.3 * rng.normal(size=rows), 0, 1)) / 5
labels = (one + 0.4 * rng.normal(size=rows) > 0.6).astype(int)
many = rng.normal(size=(rows, 3)).astype(np.float32)
classes = np.where(rng.random(rows) < 0.5, many.argmax(axis=1), rng.integers(0, 3, rows))
scorer = Table(dict(zip(pairs, one)), 1)
classifier = Table(dict(zip(pairs, many)), 3)

samples, scores = [], {}
for q in range(7):
    documents = [f"q{q}d{i}" for i in range(6 + 2 * q)]
    positive = [documents[int(i)] for i in rng.choice(len(documents), 1 + q % 3, replace=False)]
    if q == 2:
        positive.append("never found")
    if q == 5:
        positive = ["never found"]
    for document in documents + ["never found"]:
        scores[f"q{q}", document] = float(np.float32(rng.random()))
    samples.append({"query": f"q{q}", "positive": positive, "documents": documents})
plain_samples = [
    {"query": s["query"], "positive": s["positive"], "negative": [d for d in s["documents"] if d not in s["positive"]]}
    for s in samples
]
model = Table(scores, 1)


def rerank(samples, **options):
    return plain(CrossEncoderRerankingEvaluator(samples, write_csv=False, **options)(model))


golden = {
    "one": one.tolist(),
    "gold": gold.tolist(),
    "labels": labels.tolist(),
    "many": many.flatten().tolist(),
    "classes": classes.tolist(),
    "correlation": plain(CrossEncoderCorrelationEvaluator(pairs, list(gold), write_csv=False)(scorer)),
    "binary": plain(CrossEncoderClassificationEvaluator(pairs, list(labels), write_csv=False)(scorer)),
    "multiclass": plain(CrossEncoderClassificationEvaluator(pairs, list(classes), write_csv=False)(classifier)),
    "samples": samples,
    "scores": [[q, d, s] for (q, d), s in scores.items()],
    "negatives": rerank(plain_samples),
    "documents": rerank(samples, at_k=5),
    "found": rerank(samples, always_rerank_positives=False),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden))
print({key: golden[key] for key in ("correlation", "binary", "multiclass", "negatives", "documents", "found")})
