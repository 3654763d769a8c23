"""Fine-tunes a model on rows of a JSON file with sentence-transformers and evaluates it on the STS benchmark's validation
pairs: what a run of supervised_finetune is compared with. Prints one JSON line."""

import argparse
import json
import tempfile

import pyarrow.parquet as pq
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--data", required=True, help="data.parquet of a triplets stage")
parser.add_argument("--eval", required=True, help="Parquet file with sentence1, sentence2, label")
parser.add_argument("--seed", type=int, default=42)
args = parser.parse_args()
model = SentenceTransformer(args.model, device="cpu")
dataset = Dataset.from_dict(pq.read_table(args.data).to_pydict())
pairs = pq.read_table(args.eval).to_pydict()
trainer = SentenceTransformerTrainer(
    model=model,
    args=SentenceTransformerTrainingArguments(
        output_dir=tempfile.mkdtemp(),
        num_train_epochs=1,
        per_device_train_batch_size=32,
        batch_sampler="no_duplicates",
        warmup_steps=100,
        learning_rate=5e-5,
        seed=args.seed,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    ),
    train_dataset=dataset,
    loss=MultipleNegativesRankingLoss(model),
)
trainer.train()
evaluator = EmbeddingSimilarityEvaluator(pairs["sentence1"], pairs["sentence2"], pairs["label"], write_csv=False)
print(json.dumps({"seed": args.seed, "rows": len(dataset), **{k: float(v) for k, v in evaluator(model).items()}}))
