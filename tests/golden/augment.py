"""BM25 by bm25s (Lucene's form), densities by scipy, merged pairs by pandas: tests/golden/augment.json."""

import json
from pathlib import Path

import bm25s
import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde

rng = np.random.default_rng(11)
words = np.array("a the on of man woman dog cat guitar horse plays rides runs sleeps old red park house table music".split())
frequency = 1 / (1 + np.arange(len(words)))
texts = [" ".join(rng.choice(words, rng.integers(1, 14), p=frequency / frequency.sum())) for _ in range(40)]
queries = ["a man plays the old guitar", "the the the dog", "horse", "nothing known here", *texts[:4]]
bm25 = []
for k1, b in ((1.2, 0.75), (1.5, 0.6)):
    index = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    index.index([text.split() for text in texts], show_progress=False)
    scores = [
        index.get_scores(known) if (known := [word for word in query.split() if word in index.vocab_dict])
        else np.zeros(len(texts))
        for query in queries
    ]
    bm25.append({"k1": k1, "b": b, "scores": [s.tolist() for s in scores]})

densities = []
for values in (rng.normal(0.5, 0.2, 50), rng.integers(0, 2, 30).astype(float), rng.beta(1, 6, 200), np.array([3.0, 7.0])):
    places = np.linspace(values.min() - 0.5, values.max() + 0.5, 17)
    kernel = gaussian_kde(values)
    densities.append({
        "values": values.tolist(),
        "places": places.tolist(),
        "density": kernel(places).tolist(),
        "bandwidth": float(np.sqrt(kernel.covariance[0, 0])),
    })

gold = pd.DataFrame({
    "sentence1": ["a", "b", "a", "c", "a"],
    "sentence2": ["b", "a", "b", "c", "bb"],
    "score": [1.0, 0.0, 0.5, 1.0, 0.25],
})
silver = pd.DataFrame({
    "sentence1": ["ab", "a", "c", "x", "x", "b"],
    "sentence2": ["b", "b", "a", "y", "y", "a"],
    "score": [0.1, 0.2, 0.3, 0.4, 0.6, 0.7],
})
merged = pd.concat([gold, silver]).drop_duplicates(subset=["sentence1", "sentence2"], keep="first")
frames = {"gold": gold, "silver": silver, "merged": merged}
Path(__file__).with_name("augment.json").write_text(json.dumps({
    "bm25": {"texts": texts, "queries": queries, "variants": bm25},
    "densities": densities,
    "merge": {name: frame.to_dict("list") for name, frame in frames.items()},
}))
