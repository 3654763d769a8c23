"""sentence-transformers' best accuracy and F1 over all thresholds, with ties and at both ends: writes binary.json."""
import json
import pathlib

import numpy as np
from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator as Evaluator
from sklearn.metrics import average_precision_score, matthews_corrcoef

CASES = {
    "all equal": ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0]),
    "all equal, other order": ([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1]),
    "the lowest is a positive": ([0.9, 0.5, 0.1], [1, 0, 1]),
    "nothing is alike": ([0.9, 0.8, 0.7, 0.1], [0, 0, 0, 1]),
    "negative scores": ([-0.25, -0.5, -0.5, -0.75, -1.0], [1, 0, 1, 0, 0]),
    "zero is the highest": ([0.0, -0.5, -1.0], [0, 1, 0]),
}
random = np.random.default_rng(3)
for i in range(12):
    n = int(random.integers(4, 40))
    scores = random.integers(-4, 5, n) / 4
    labels = random.integers(0, 2, n)
    labels[:2] = [0, 1]
    CASES[f"ties {i}"] = (scores.tolist(), labels.tolist())

out = {}
for name, (given, labels) in CASES.items():
    scores, labels = np.asarray(given, dtype=np.float32), np.asarray(labels)
    accuracy, accuracy_threshold = Evaluator.find_best_acc_and_threshold(scores, labels, True)
    f1, precision, recall, f1_threshold = Evaluator.find_best_f1_and_threshold(scores, labels, True)
    out[name] = {
        "scores": [float(score) for score in scores],
        "labels": labels.tolist(),
        "expected": {
            "accuracy": float(accuracy),
            "accuracy_threshold": float(accuracy_threshold),
            "f1": float(f1),
            "f1_threshold": float(f1_threshold),
            "precision": float(precision),
            "recall": float(recall),
            "ap": float(average_precision_score(labels, scores)),
            "mcc": float(matthews_corrcoef(labels, scores >= f1_threshold)),
        },
    }
pathlib.Path(__file__).with_name("binary.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
