"""Trains sentence-transformers' StaticEmbedding from the vectors and by the batches that bench/static_training.ts wrote down,
and prints the Spearman correlation on the STS benchmark's validation pairs.

    python bench/static_training.py FOLDER STSB.parquet
"""

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers import get_linear_schedule_with_warmup

plan = json.loads((Path(sys.argv[1]) / "plan.json").read_text())
model = SentenceTransformer(plan["start"], device="cpu")
pairs = pq.read_table(sys.argv[2]).to_pydict()
evaluator = EmbeddingSimilarityEvaluator(pairs["sentence1"], pairs["sentence2"], pairs["label"], write_csv=False)
before = evaluator(model)["spearman_cosine"]
loss = MultipleNegativesRankingLoss(model)
steps = len(plan["batches"])
optimizer = torch.optim.AdamW(model.parameters(), lr=plan["learningRate"], weight_decay=0.0)
schedule = get_linear_schedule_with_warmup(optimizer, -(-steps // 10), steps)
started = time.time()
for rows in plan["batches"]:
    features = [model.preprocess([column[row] for row in rows]) for column in plan["texts"]]
    value = loss(features, torch.zeros(len(rows)))
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
print(json.dumps({"steps": steps, "seconds": time.time() - started, "before": float(before), "after": float(evaluator(model)["spearman_cosine"])}))
