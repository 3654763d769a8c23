"""Embeddings in other precisions, searches with rescoring, and embeddings of tokens, by sentence-transformers: writes
quantization.json. Half precision is numpy's own. Beside requirements.txt: faiss-cpu 1.15.1 and usearch 2.26.6.

    HF_HUB_OFFLINE=1 python tests/golden/quantization.py
"""
import json
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.util.quantization import (
    quantize_embeddings,
    semantic_search_faiss,
    semantic_search_usearch,
)

HERE = Path(__file__).parent
random = np.random.default_rng(7)


def constant(rows, width):
    x = random.normal(size=(rows, width)).astype(np.float32)
    x[:, 0], x[:, 1], x[:, 2] = 0.25, 0, -3
    return x


def zeros(rows, width):
    x = random.integers(-1, 2, (rows, width)).astype(np.float32) * np.float32(0.5)
    x[0] = -0.0
    x[1, : width // 2] = 0.0
    return x


# Half precision's halfway points, its subnormals, and its ends.
HALVES = [1, 1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-11 + 2**-23, 65504, -65519, 2**-24, 2**-25, 3 * 2**-25, -(2**-26), 6e-8, 0.1]
cases = {
    "random": random.normal(size=(40, 24)).astype(np.float32),
    "an odd width": random.normal(size=(9, 13)).astype(np.float32),
    "ties": (random.integers(-8, 9, (20, 16)) / 4).astype(np.float32),
    "constant columns": constant(12, 8),
    "zeros of both signs": zeros(10, 10),
    "tiny ranges": (1 + random.integers(0, 4, (10, 8)) * 2.0**-23).astype(np.float32),
    "two rows": random.normal(size=(2, 8)).astype(np.float32),
    "halves": np.asarray([HALVES, HALVES[::-1]], dtype=np.float32),
}
calibration = random.normal(size=(30, 24)).astype(np.float32) * np.float32(0.8)  # leaves values beyond the ranges


def numbers(x):
    return [float(value) for value in np.asarray(x).ravel()]


def quantized(x, **options):
    found = {p: quantize_embeddings(x, p, **options).ravel().tolist() for p in ["int8", "uint8", "binary", "ubinary"]}
    return {**found, "float16": numbers(x.astype(np.float16))}


out = {"cases": [], "searches": [], "tokens": []}
for name, x in cases.items():
    out["cases"].append({"name": name, "width": x.shape[1], "rows": numbers(x), "expected": quantized(x)})
x = cases["random"]
out["calibration"] = {
    "rows": numbers(calibration),
    "calibrated": quantized(x, calibration_embeddings=calibration),
    "ranges": numbers(np.vstack((calibration.min(0), calibration.max(0)))),
}

# Searches. Bits: queries whose distances do not tie where the candidates end, so that no library's order counts.
K, MULTIPLIER, N, WIDTH, QUERIES = 4, 3, 60, 37, 5


def unit(rows):
    x = random.normal(size=(rows, WIDTH)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


corpus = unit(N)
queries = []
while len(queries) < QUERIES:
    q = unit(1)
    distances = np.sort(((q > 0) != (corpus > 0)).sum(1))
    if distances[K * MULTIPLIER - 1] < distances[K * MULTIPLIER]:
        queries.append(q[0])
queries = np.asarray(queries)
ranges = np.vstack((corpus.min(0), corpus.max(0)))
out["search"] = {"k": K, "multiplier": MULTIPLIER, "width": WIDTH, "corpus": numbers(corpus), "queries": numbers(queries)}
# Of bytes all are candidates: Kindred compares the query with every one of them.
for search, precision, multiplier in [
    (semantic_search_faiss, "uint8", N // K),
    (semantic_search_faiss, "ubinary", MULTIPLIER),
    (semantic_search_usearch, "int8", N // K),
    (semantic_search_usearch, "binary", MULTIPLIER),
]:
    found, _ = search(
        queries,
        quantize_embeddings(corpus, precision, ranges=ranges),
        corpus_precision=precision,
        top_k=K,
        ranges=ranges,
        rescore_multiplier=multiplier,
    )
    rows = [[hit["corpus_id"] for hit in hits] for hits in found]
    scores = [[hit["score"] for hit in hits] for hits in found]
    out["searches"].append({"precision": precision, "rows": rows, "scores": scores})

TEXTS = ["a boy eats an apple", "the queen", "", "two dogs run and run and run until the sun goes down over the hill"]
for folder, prompt in [
    ("training/model", None),
    ("training/model", "represent the sentence: "),
    ("folders/modernbert", None),
    ("folders/qwen3", None),
]:
    model = SentenceTransformer(str(HERE / folder), device="cpu")
    tokens = model.encode(TEXTS, output_value="token_embeddings", prompt=prompt, convert_to_numpy=False)
    out["tokens"].append({
        "folder": folder,
        "prompt": prompt,
        "lengths": [len(text) for text in tokens],
        "width": tokens[0].shape[1],
        "values": [round(float(x), 8) for text in tokens for x in text.ravel()],
    })
out["texts"] = TEXTS
(HERE / "quantization.json").write_text(json.dumps(out) + "\n")
print([(t["folder"], t["lengths"], t["width"]) for t in out["tokens"]], [s["rows"][0] for s in out["searches"]])
