"""The other side of bench/train.ts: sentence-transformers trains the same rows; prints one JSON line.

A step is timed from on_step_begin to on_step_end: forward, backward, clipping, optimizer. Collating (tokenising and
padding) happens before on_step_begin and is left out, as are the first steps.
"""

import argparse
import json
import resource
import tempfile
import time

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers import TrainerCallback

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--rows", required=True, help="JSON file: {anchor: [...], positive: [...]}")
parser.add_argument("--steps", type=int, default=30)
parser.add_argument("--warm", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--max-seq-length", type=int, default=256)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
args = parser.parse_args()

torch.set_num_threads(args.threads)
model = SentenceTransformer(args.model, device="cpu")
model.max_seq_length = args.max_seq_length
with open(args.rows) as file:
    rows = json.load(file)
dataset = Dataset.from_dict({name: rows[name] for name in ("anchor", "positive")})


class Clock(TrainerCallback):
    times: list = []

    def on_step_begin(self, *_args, **_kwargs):
        self.start = time.perf_counter()

    def on_step_end(self, *_args, **_kwargs):
        self.times.append(time.perf_counter() - self.start)


clock = Clock()
arguments = SentenceTransformerTrainingArguments(
    output_dir=tempfile.mkdtemp(),
    max_steps=args.steps,
    per_device_train_batch_size=args.batch_size,
    warmup_steps=args.warm,
    logging_steps=args.steps,
    save_strategy="no",
    report_to="none",
    use_cpu=True,
    bf16=args.precision == "bf16",
    disable_tqdm=True,
)
trainer = SentenceTransformerTrainer(
    model=model, args=arguments, train_dataset=dataset, loss=MultipleNegativesRankingLoss(model), callbacks=[clock]
)
trainer.train()
timed = clock.times[args.warm :]
print(
    json.dumps(
        {
            "samples_per_second": args.batch_size * len(timed) / sum(timed),
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "steps": len(timed),
            "loss": trainer.state.log_history[-1].get("train_loss"),
        }
    )
)
