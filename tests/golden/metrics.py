"""Scores of classifiers and rankings by scikit-learn and trec_eval: tests/golden/metrics.json."""

import json
from pathlib import Path

import numpy as np
import pytrec_eval
from sklearn import metrics

rng = np.random.default_rng(5)


def scores_of(labels, predictions, averages):
    found = {"accuracy": metrics.accuracy_score(labels, predictions)}
    found["mcc"] = metrics.matthews_corrcoef(labels, predictions)
    for average in averages:
        p, r, f, _ = metrics.precision_recall_fscore_support(labels, predictions, average=average, zero_division=0)
        found |= {f"precision_{average}": p, f"recall_{average}": r, f"f1_{average}": f}
    return {key: float(value) for key, value in found.items()}


classifications = []
for classes, rows, averages in (
    (5, 60, ["macro", "micro", "weighted"]),
    (2, 40, ["macro", "micro", "weighted", "binary"]),
):
    labels = rng.integers(0, classes, rows)
    predictions = np.where(rng.random(rows) < 0.5, labels, rng.integers(0, classes, rows))
    if classes == 5:
        labels[labels == 3] = 1  # said, but never true
        predictions[predictions == 4] = 0  # true, but never said
    classifications.append((labels, predictions, averages))
classifications.append((np.zeros(6, int), np.array([0, 0, 1, 0, 0, 0]), ["macro", "weighted", "binary"]))
rankings = []
for rows, digits in ((30, 8), (30, 1), (12, 0)):
    labels = (rng.random(rows) < 0.3).astype(int)
    labels[rng.integers(rows)] = 1
    scores = np.round(rng.random(rows), digits)  # fewer digits: ties
    gains = labels * rng.integers(1, 4, rows)
    rankings.append(
        {
            "labels": labels.tolist(),
            "gains": gains.tolist(),
            "scores": scores.tolist(),
            "ap": float(metrics.average_precision_score(labels, scores)),
            **{f"ndcg@{k}": float(metrics.ndcg_score([gains], [scores], k=k)) for k in (1, 5, 10)},
            "ndcg": float(metrics.ndcg_score([gains], [scores])),
        }
    )
# trec_eval: a run finds some of the relevant documents, and others.
documents = [f"d{i:02}" for i in range(25)]
qrel = {d: int(g) for d, g in zip(documents, rng.integers(0, 3, 25))}
qrel |= {f"missing{i}": 1 for i in range(3)}
order = list(rng.permutation(documents[:20]))
run = {d: float(len(order) - rank) for rank, d in enumerate(order)}
measures = {"ndcg_cut.3,10,100", "map_cut.3,10,100", "recall.3,10,100", "P.3,10,100", "success.1,3", "recip_rank"}
trec = pytrec_eval.RelevanceEvaluator({"q": qrel}, measures).evaluate({"q": run})["q"]
Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "classifications": [
                {"labels": t.tolist(), "predictions": p.tolist(), "averages": a, "expected": scores_of(t, p, a)}
                for t, p, a in classifications
            ],
            "rankings": rankings,
            "trec": {"gains": [qrel[d] for d in order], "ideal": list(qrel.values()), "expected": trec},
        }
    )
)
