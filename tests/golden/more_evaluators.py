"""Further evaluators of sentence-transformers on seeded embeddings: tests/golden/more_evaluators.json.

Paraphrase mining with equal embeddings and with the transitive closure, translation with repeated texts, the mean squared
error to a teacher, and the accuracy of a softmax classifier's labels.
"""

import json
from pathlib import Path

import numpy as np
import torch
from sentence_transformers.sentence_transformer.evaluation import (
    LabelAccuracyEvaluator,
    MSEEvaluator,
    ParaphraseMiningEvaluator,
    RerankingEvaluator,
    TranslationEvaluator,
)

rng = np.random.default_rng(13)
rows, width = 40, 6
a = rng.normal(size=(rows, width)).astype(np.float32)
b = (a + 0.9 * rng.normal(size=(rows, width))).astype(np.float32)
a[7] = a[3]
a[21] = a[3]
tables = {"a": a, "b": b}


class Card:
    def set_evaluation_metrics(self, *_args, **_kwargs):
        pass


class Table:
    """Looks embeddings up by text: what the evaluators need of a model."""

    similarity_fn_name = "cosine"
    device = "cpu"
    model_card_data = Card()

    def encode(self, texts, convert_to_tensor=False, convert_to_numpy=True, **_):
        values = np.stack([tables[text[0]][int(text[1:].split("=")[0])] for text in texts])
        if convert_to_tensor:
            return torch.tensor(values)
        return values if convert_to_numpy else list(torch.tensor(values))

    encode_query = encode_document = encode

    def eval(self):
        pass

    @staticmethod
    def smart_batching_collate(batch):
        first, second = ([row[0][i] for row in batch] for i in (0, 1))
        features = [{"rows": torch.tensor([int(text[1:]) for text in texts])} for texts in (first, second)]
        return features, torch.tensor([row[1] for row in batch])


texts = {name: [f"{name}{i}" for i in range(rows)] for name in "ab"}
pairs = [(f"{int(i)}", f"{int(j)}") for i, j in rng.integers(0, rows, (14, 2)) if i != j] + [("3", "7"), ("7", "12")]
sentences = {f"{i}": text for i, text in enumerate(texts["a"])}
model = Table()


def plain(metrics):
    return {key: float(value) for key, value in metrics.items()}


mining = {
    name: plain(ParaphraseMiningEvaluator(sentences, pairs, write_csv=False, **options)(model))
    for name, options in {
        "all": {},
        "few": {"top_k": 3, "max_pairs": 60},
        "closure": {"add_transitive_closure": True},
    }.items()
}

# Two targets read the same.
target = list(texts["b"])
target[9] = "b4"
tables["b"][9] = tables["b"][4]
translation = plain(TranslationEvaluator(texts["a"], target, write_csv=False)(model))
# Query i, and 2 to 6 documents, the first one to three relevant; none with equal scores, which the reference orders at will.
lists = [[i, 2 + (i + 3) % 5, 1 + i % 3] for i in range(12)]
samples = [
    {
        "query": f"a{i}",
        "positive": [f"b{(i + k) % rows}" for k in range(min(right, count - 1))],
        "negative": [f"b{(i + k) % rows}" for k in range(min(right, count - 1), count)],
    }
    for i, count, right in lists
]
reranking = {f"{k}": plain(RerankingEvaluator(samples, at_k=k, write_csv=False)(model)) for k in (3, 10)}
mse = plain(MSEEvaluator(texts["a"], texts["b"], teacher_model=model, write_csv=False)(model))

weight = rng.normal(size=(3, 3 * width)).astype(np.float32)
bias = rng.normal(size=3).astype(np.float32)
labels = rng.integers(0, 3, rows)


def softmax(features, labels=None):
    u, v = (torch.tensor(tables[name])[part["rows"]] for name, part in zip("ab", features))
    return None, torch.cat([u, v, (u - v).abs()], 1) @ torch.tensor(weight).T + torch.tensor(bias)


data = [((texts["a"][i], texts["b"][i]), int(labels[i])) for i in range(rows)]
loader = torch.utils.data.DataLoader(data, batch_size=7)
accuracy = plain(LabelAccuracyEvaluator(loader, softmax_model=softmax, write_csv=False)(model))

golden = {
    "width": width,
    "a": a.flatten().tolist(),
    "b": tables["b"].flatten().tolist(),
    "pairs": [[int(i), int(j)] for i, j in pairs],
    "target": target,
    "mining": mining,
    "translation": translation,
    "mse": mse,
    "lists": lists,
    "reranking": reranking,
    "weight": weight.flatten().tolist(),
    "bias": bias.tolist(),
    "labels": labels.tolist(),
    "accuracy": accuracy,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
