"""PCA, silhouette and nearest-neighbour accuracy of scikit-learn on seeded embeddings: tests/golden/maps.json."""

import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(5)


def pca(x, dimensions=2):
    model = PCA(dimensions, svd_solver="full").fit(x.astype(np.float64))
    return {
        "rows": x.shape[0],
        "width": x.shape[1],
        "x": x.flatten().tolist(),
        "projected": model.transform(x.astype(np.float64)).flatten().tolist(),
        "components": model.components_.flatten().tolist(),
        "explained": model.explained_variance_ratio_.tolist(),
    }


def drawn(rows, width):
    return (rng.normal(size=(rows, width)) * np.linspace(2, 0.3, width) + rng.normal(size=width)).astype(np.float32)


tall, wide = drawn(70, 40), drawn(24, 50)
labels = rng.choice([2, 5, 9], size=60, p=[0.5, 0.4, 0.1])
labels[0] = 11  # alone with its label
x = (rng.normal(size=(60, 6)) + np.where(labels[:, None] == 2, 1.5, 0)).astype(np.float32)


def knn(k):
    """Leave-one-out, by vote; with equal votes the lowest label."""
    found = NearestNeighbors(n_neighbors=k + 1, metric="cosine").fit(x).kneighbors(x, return_distance=False)
    votes = [np.bincount(labels[[j for j in row if j != i][:k]], minlength=12).argmax() for i, row in enumerate(found)]
    return float(np.mean(np.array(votes) == labels))


Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "pca": [pca(tall), pca(wide), pca(drawn(30, 12), 3)],
            "width": 6,
            "x": x.flatten().tolist(),
            "labels": labels.tolist(),
            "silhouette": float(silhouette_score(x.astype(np.float64), labels, metric="cosine")),
            "knn": {str(k): knn(k) for k in (1, 2, 5, 10)},
        }
    )
)
