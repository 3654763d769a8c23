"""NanoBEIREvaluator of sentence-transformers on a folder of its layout: tests/golden/nano_beir/, and .json beside it.

Three of the thirteen sets, in Parquet and JSON lines, with texts that are empty, documents that are judged and not
there, queries that nothing is relevant to, equal documents, and prompts of each set's own.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sentence_transformers.sentence_transformer.evaluation import NanoBEIREvaluator

NAMES = {"msmarco": "NanoMSMARCO", "nq": "NanoNQ", "arguana": "NanoArguAna"}
folder = Path(__file__).with_suffix("")
rng = np.random.default_rng(5)
width = 6
vectors = {}


def vector(text):
    if text not in vectors:
        vectors[text] = np.round(rng.normal(size=width), 3).astype(np.float32)
    return vectors[text]


parts = {}
for name in NAMES.values():
    documents = [{"_id": f"{name}-{i * 7 % 40}", "text": f"document {i % 37} of {name}"} for i in range(40)]
    documents[5]["text"] = ""
    queries = [{"_id": f"q{i}", "text": f"query {i} of {name}"} for i in range(9)]
    qrels = []
    for i in range(8):
        for row in rng.choice(40, 1 + i % 4, replace=False):
            qrels.append({"query-id": f"q{i}", "corpus-id": documents[row]["_id"]})
    qrels.append({"query-id": "q3", "corpus-id": "nowhere"})
    parts[name] = {"corpus": documents, "queries": queries, "qrels": qrels}
    for part, rows in parts[name].items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        if name == "NanoNQ":
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / part / f"{name}.jsonl").write_text(lines)
        else:
            table = pa.table({key: [row[key] for row in rows] for key in rows[0]})
            pq.write_table(table, folder / part / f"{name}-00000-of-00001.parquet")


class Rows(list):
    column_names = ["_id", "text", "query-id", "corpus-id"]


class Local(NanoBEIREvaluator):
    def _load_dataset_subset_split(self, subset, split, required_columns):
        return Rows(parts[split][subset])


class Card:
    def set_evaluation_metrics(self, *_args, **_kwargs):
        pass


class Table:
    """Embeds a text, with its prompt before it, by a table: what the evaluator needs of a model."""

    similarity_fn_name = "cosine"
    model_card_data = Card()

    @staticmethod
    def similarity(a, b):
        import torch

        return torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T

    def encode_query(self, texts, prompt=None, **_):
        import torch

        return torch.tensor(np.stack([vector((prompt or "") + text) for text in texts]))

    encode_document = encode_query


plain = Local(list(NAMES), write_csv=False)(Table())
prompted = Local(
    list(NAMES),
    write_csv=False,
    query_prompts={name: f"{name}: " for name in NAMES},
    corpus_prompts="passage: ",
)(Table())
golden = {
    "width": width,
    "vectors": {text: [round(float(x), 3) for x in values] for text, values in vectors.items()},
    "plain": {key: float(value) for key, value in plain.items()},
    "prompted": {key: float(value) for key, value in prompted.items()},
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
