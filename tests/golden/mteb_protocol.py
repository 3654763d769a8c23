"""Scores of mteb 2.26, scikit-learn 1.9 and scipy 1.17 on seeded embeddings: tests/golden/mteb_protocol.json.

    python tests/golden/mteb_protocol.py                               # writes the golden file
    python tests/golden/mteb_protocol.py load kindred/mteb/TASK.json …  # reads Kindred's results with mteb
    python tests/golden/mteb_protocol.py TASK MODEL DATA COLUMN=COLUMN …  # mteb's own result on train.csv, test.csv
"""

import base64
import json
import os
import random
import sys
import warnings
from pathlib import Path

import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta

warnings.filterwarnings("ignore")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
HERE = Path(__file__).parent


def golden():
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

    rng = np.random.default_rng(11)
    width = 12
    table = []  # eighths in int8: the same numbers in float32 on every side

    def rows(values):
        """Adds embeddings to the table, and gives texts that stand for them."""
        start = len(table)
        table.extend(np.clip(np.round(np.asarray(values) * 8), -127, 127).astype(np.int8))
        return [f"t{start + i}" for i in range(len(values))]

    def classes(count, n, spread):
        centers = rng.normal(size=(count, width))
        labels = rng.integers(0, count, n)
        return labels, centers[labels] + spread * rng.normal(size=(n, width))

    class Table(AbsEncoder):
        mteb_model_meta = ModelMeta.create_empty(overwrites={"name": "golden/table", "revision": "1"})

        def __init__(self):
            pass

        def encode(self, inputs, **_):
            texts = [text for batch in inputs for text in batch["text"]]
            return np.stack([np.asarray(table[int(text[1:])], dtype=np.float32) / 8 for text in texts])

    def run(name, dataset, data, **attributes):
        task = mteb.get_task(name)
        task.dataset, task.data_loaded = dataset, True
        for key, value in attributes.items():
            setattr(task, key, value)
        split = task.metadata.eval_splits[0]
        with_time = mteb.evaluate(Table(), task, cache=None, show_progress_bar=False, co2_tracker=False)
        result = with_time.task_results[0].model_dump(mode="json")
        return {"task": name, "data": data, "attributes": attributes, "scores": result["scores"][split][0]}

    out = {"width": width}

    # Classification, several classes and two.
    runs = {}
    for key, name, count, spread in [("classification", "EmotionClassification", 5, 1.6),
                                     ("binary_classification", "ImdbClassification", 2, 2.0)]:
        y, x = classes(count, 260, spread)
        texts = rows(x)
        data = {"train": {"text": texts[:160], "label": y[:160].tolist()},
                "test": {"text": texts[160:], "label": y[160:].tolist()}}
        runs[key] = run(name, DatasetDict({s: Dataset.from_dict(data[s]) for s in data}), data)

    # Semantic similarity; scores with ties.
    a = rng.normal(size=(70, width))
    mix = rng.uniform(0, 0.9, size=(70, 1))  # no pair of equal embeddings: their cosine is 1 up to rounding
    first, second = rows(a), rows(mix * a + (1 - mix) * rng.normal(size=a.shape))
    score = np.clip(np.round((5 * mix[:, 0] + rng.normal(size=70)) * 2) / 2, 0, 5).tolist()
    data = {"test": {"sentence1": first, "sentence2": second, "score": score}}
    runs["sts"] = run("STSBenchmark", DatasetDict({"test": Dataset.from_dict(data["test"])}), data)

    # Pairs; some twice, with other labels: ties that no threshold may split.
    first, second = first + first[:15], second + second[:15]
    labels = ((mix[:, 0] + 0.3 * rng.normal(size=70)) > 0.5).astype(int).tolist()
    data = {"test": {"sentence1": first, "sentence2": second, "labels": labels + [1 - x for x in labels[:15]]}}
    runs["pair_classification"] = run("TwitterURLCorpus", DatasetDict({"test": Dataset.from_dict(data["test"])}), data)

    # Retrieval: graded, with documents twice (ties), ids of queries among the documents, a grade 0.
    documents = rng.normal(size=(90, width))
    documents[60:70] = documents[:10]
    texts = rows(documents)
    corpus = {f"d{i * 7 % 90}": texts[i] for i in range(90)}
    ids = list(corpus)
    queries, relevant = {}, {}
    query_rows = rows(0.6 * documents[:24] + rng.normal(size=(24, width)))
    for i in range(24):
        query = ids[i] if i % 3 == 0 else f"q{i}"
        queries[query] = query_rows[i]
        relevant[query] = {ids[i]: 2, ids[(i * 5 + 3) % 90]: 1, ids[(i * 11 + 1) % 90]: int(i % 4 == 0)}
    relevant["q23"] = {ids[3]: 0}  # nothing is relevant

    def retrieval(top_ranked=None):
        return {"default": {"test": {
            "corpus": Dataset.from_list([{"id": k, "title": "", "text": v} for k, v in corpus.items()]),
            "queries": Dataset.from_list([{"id": k, "text": v} for k, v in queries.items()]),
            "relevant_docs": json.loads(json.dumps(relevant)),
            "top_ranked": top_ranked,
        }}}

    data = {"corpus": corpus, "queries": queries, "relevant": relevant}
    runs["retrieval"] = run("SciFact", retrieval(), data)
    runs["retrieval_identical"] = run("ArguAna", retrieval(), data)
    top = {q: sorted({*relevant[q], *(ids[int(j)] for j in rng.integers(0, 90, 20))}) for q in queries}
    runs["reranking"] = run("SciDocsRR", retrieval(top), {**data, "top_ranked": top})

    # Clustering: bootstrapped, of one and of two levels, and whole sets.
    y, x = classes(6, 420, 1.1)
    texts = rows(x)
    data = {"test": {"sentences": texts, "labels": y.tolist()}}
    small = {"max_fraction_of_documents_to_embed": 0.7, "max_documents_per_cluster": 300, "k_mean_batch_size": 64}
    runs["clustering"] = run("BiorxivClusteringP2P.v2", DatasetDict({"test": Dataset.from_dict(data["test"])}), data, **small)
    nested = [[f"top{v % 2}", f"leaf{v}"] for v in y]
    data = {"test": {"sentences": texts, "labels": nested}}
    runs["clustering_levels"] = run("BiorxivClusteringP2P.v2", DatasetDict({"test": Dataset.from_dict(data["test"])}), data,
                                    max_fraction_of_documents_to_embed=None, max_document_to_embed=250,
                                    max_documents_per_cluster=200, n_clusters=4)
    data = {"test": {"sentences": [texts[:150], texts[150:250], texts[250:260]],
                     "labels": [y[:150].tolist(), y[150:250].tolist(), [3] * 10]}}
    runs["clustering_legacy"] = run("TwentyNewsgroupsClustering", DatasetDict({"test": Dataset.from_dict(data["test"])}), data)

    # Summaries: three by people and eight by machines for each text; the last text's are all alike.
    data = {"test": {"text": [], "human_summaries": [], "machine_summaries": [], "relevance": []}}
    for i in range(12):
        human = rng.normal(size=(3, width))
        quality = rng.uniform(size=(8, 1)) if i < 11 else np.ones((8, 1))
        data["test"]["text"].append(f"text {i}")
        data["test"]["human_summaries"].append(rows(human))
        data["test"]["machine_summaries"].append(rows(quality * human[0] + (1 - quality) * rng.normal(size=(8, width))))
        data["test"]["relevance"].append(np.clip(np.round((5 * quality[:, 0] + rng.normal(size=8) * (i < 11)) * 3) / 3, 0, 5).tolist())
    dataset = DatasetDict({"test": Dataset.from_dict(data["test"])})
    runs["summarization"] = run("SummEvalSummarization.v2", dataset, data)
    runs["summarization_v1"] = run("SummEval", dataset, data)

    # Bitext mining.
    a = rng.normal(size=(60, width))
    data = {"test": {"sentence1": rows(a), "sentence2": rows(a + 0.9 * rng.normal(size=a.shape))}}
    runs["bitext_mining"] = run("BornholmBitextMining", DatasetDict({"test": Dataset.from_dict(data["test"])}), data)
    out["runs"] = runs

    # scikit-learn by itself: paths of L-BFGS that are cut, and those that converge.
    fits = []
    for count, n, scale, most in [(3, 40, 1, 4), (3, 40, 1, 100), (4, 60, 30, 100), (2, 50, 1, 100), (2, 50, 10, 6)]:
        y, x = classes(count, n, 1.5)
        texts = rows(x)
        values = np.asarray(table[-n:], dtype=np.float64) / 8 * scale
        fit = LogisticRegression(max_iter=most).fit(values, y)
        fits.append({"rows": texts, "scale": scale, "labels": y.tolist(), "max_iter": most, "n_iter": int(fit.n_iter_[0]),
                     "coef": fit.coef_.flatten().tolist(), "intercept": fit.intercept_.tolist()})
    out["fits"] = fits
    clusterings = []
    for count, n, batch, k in [(5, 300, 512, 5), (8, 500, 100, 8), (8, 400, 50, 30)]:
        y, x = classes(count, n, 1.0)
        texts = rows(x)
        fit = MiniBatchKMeans(n_clusters=k, batch_size=batch, n_init="auto", random_state=42)
        fit.fit(np.asarray(table[-n:], dtype=np.float32) / 8)
        clusterings.append({"rows": texts, "labels": y.tolist(), "clusters": k, "batch": batch,
                            "assigned": fit.labels_.tolist(), "steps": int(fit.n_steps_),
                            "v_measure": v_measure_score(y, fit.labels_),
                            "ami": adjusted_mutual_info_score(y, fit.labels_)})
    out["clusterings"] = clusterings

    twister = np.random.RandomState(7)
    python = random.Random(42)
    out["random"] = {
        "randint": twister.randint(0, 1000, 5).tolist(), "without": twister.choice(50, 4, replace=False).tolist(),
        "uniform": twister.uniform(size=3).tolist(),
        "sample": python.sample(range(20), 6), "sparse": python.sample(range(20000), 12),
        "choices": python.choices(range(1000), k=6), "random": python.random(),
    }
    out["table"] = base64.b64encode(np.stack(table).tobytes()).decode()
    text = json.dumps(out, separators=(",", ":")).replace("NaN", "null")
    (HERE / "mteb_protocol.json").write_text(text + "\n")
    print(f"{len(table)} rows, {len(text)} bytes")


def compare(name, model, folder, columns):
    """mteb's result on files train/test.csv of a folder, as mteb writes it."""
    import csv

    from sentence_transformers import SentenceTransformer

    task = mteb.get_task(name)
    mapping = dict(column.split("=") for column in columns)
    splits = {}
    for split in {"train", *task.metadata.eval_splits}:
        path = Path(folder) / f"{split}.csv"
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                table = list(csv.DictReader(file))
            splits[split] = {key: [row[key] for row in table] for key in table[0]}
    labels = next((key for key, value in mapping.items() if value in ("label", "labels")), None)
    if labels is not None:
        names = sorted({label for split in splits.values() for label in split[labels]})
        for split in splits.values():
            split[labels] = [names.index(label) for label in split[labels]]
    task.dataset = DatasetDict({
        split: Dataset.from_dict({mapping.get(key, key): values for key, values in columns_.items()})
        for split, columns_ in splits.items()
    })
    task.data_loaded = True
    result = mteb.evaluate(SentenceTransformer(model, device="cpu"), task, cache=None, co2_tracker=False)
    result.task_results[0].to_disk(Path(f"{name}.json"))


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "load":
        for path in sys.argv[2:]:
            result = mteb.TaskResult.from_disk(Path(path))
            print(result.task_name, result.get_score(), result.mteb_version, sep="\t")
    elif len(sys.argv) > 1:
        compare(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        golden()
