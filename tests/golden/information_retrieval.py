"""InformationRetrievalEvaluator of sentence-transformers on seeded embeddings: tests/golden/information_retrieval.json.

Two documents have equal embeddings, some queries have several relevant documents, one has more than ten.
"""

import json
from pathlib import Path

import numpy as np
import torch
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

rng = np.random.default_rng(11)
queries, documents, width = 30, 130, 6
d = rng.normal(size=(documents, width)).astype(np.float32)
d[17] = d[3]
d[90] = d[3]
relevant = [sorted({int(rng.integers(documents)) for _ in range(1 + i % 4)}) for i in range(queries)]
relevant[4] = sorted(int(row) for row in rng.choice(documents, 14, replace=False))
relevant[5] = [17]
q = np.stack([d[rows[0]] + 0.9 * rng.normal(size=width) for rows in relevant]).astype(np.float32)
q[5] = d[3] + 0.05


class Table:
    """Looks embeddings up by text: what the evaluator needs of a model."""

    similarity_fn_name = "cosine"

    @staticmethod
    def similarity(a, b):
        return torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T

    def encode_query(self, texts, **_):
        return torch.tensor(np.stack([q[int(text[1:])] for text in texts]))

    def encode_document(self, texts, **_):
        return torch.tensor(np.stack([d[int(text[1:])] for text in texts]))


class Card:
    def set_evaluation_metrics(self, *_args, **_kwargs):
        pass


model = Table()
model.model_card_data = Card()
evaluator = InformationRetrievalEvaluator(
    {f"q{i:03}": f"q{i}" for i in range(queries)},
    {f"d{i:03}": f"d{i}" for i in range(documents)},
    {f"q{i:03}": {f"d{row:03}" for row in rows} for i, rows in enumerate(relevant)},
    write_csv=False,
)
# Both similarities in one pass, blocks of the corpus, other depths.
wide = InformationRetrievalEvaluator(
    {f"q{i:03}": f"q{i}" for i in range(queries)},
    {f"d{i:03}": f"d{i}" for i in range(documents)},
    {f"q{i:03}": {f"d{row:03}" for row in rows} for i, rows in enumerate(relevant)},
    corpus_chunk_size=37,
    mrr_at_k=[1, 20],
    ndcg_at_k=[3, 10, 50],
    accuracy_at_k=[2],
    precision_recall_at_k=[1, 7],
    map_at_k=[5, 100],
    score_functions={"cosine": Table.similarity, "dot": lambda a, b: a @ b.T},
    write_csv=False,
)
golden = {
    "width": width,
    "queries": q.flatten().tolist(),
    "documents": d.flatten().tolist(),
    "relevant": relevant,
    "metrics": {key: float(value) for key, value in evaluator(model).items()},
    "wide": {key: float(value) for key, value in wide(model).items()},
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
