"""Several data sets in one run, each under its loss, by sentence-transformers' own trainer; and its samplers' orders.

Writes tests/golden/mixed_training.json. Three sets on the tiny model of tests/golden/training: pairs under multiple
negatives ranking, graded pairs under CoSENT, classified pairs under a softmax whose classifier the two others do not have;
prompts by set, round robin, two batches an update, so that updates hold batches of different sets. Rows of every batch
and its loss, the classifier before and after, and embeddings of the model in the end. In float64.
"""

import json
from pathlib import Path

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler, ProportionalBatchSampler, RoundRobinBatchSampler
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator
from sentence_transformers.sentence_transformer.losses import CoSENTLoss, MultipleNegativesRankingLoss, SoftmaxLoss
from torch.utils.data import ConcatDataset

here = Path(__file__).parent
BATCH, RATE, DECAY, WARMUP, ACCUMULATE, EPOCHS = 4, 5e-3, 0.01, 2, 2, 2
generator = torch.Generator().manual_seed(3)
words = "red green blue fish bird tree runs sings grows fast slow the a in over sky water fishing faster Birds".split()


def sentence():
    length = int(torch.randint(2, 12, (1,), generator=generator))
    return " ".join(words[int(i)] for i in torch.randint(0, len(words), (length,), generator=generator))


def texts(rows):
    return [sentence() for _ in range(rows)]


sets = {
    "pairs": {"anchor": texts(12), "positive": texts(12)},
    "graded": {
        "sentence1": texts(10),
        "sentence2": texts(10),
        "score": torch.rand(10, generator=generator).double().tolist(),
    },
    "nli": {
        "premise": texts(16),
        "hypothesis": texts(16),
        "label": torch.randint(0, 3, (16,), generator=generator).tolist(),
    },
}
prompts = {"pairs": {"anchor": "the a ", "positive": "blue "}, "nli": {"premise": "fish ", "hypothesis": "fish "}}
model = SentenceTransformer(str(here / "training" / "model"), device="cpu").double()
probe = texts(4)
torch.manual_seed(1)
losses = {
    "pairs": MultipleNegativesRankingLoss(model),
    "graded": CoSENTLoss(model),
    "nli": SoftmaxLoss(model, sentence_embedding_dimension=12, num_labels=3).double(),
}
classifier = losses["nli"].classifier
before = {name: p.detach().flatten().tolist() for name, p in classifier.named_parameters()}
batches, values = [], []


class Collator(SentenceTransformerDataCollator):
    """Notes which rows a batch has."""

    def __call__(self, features):
        name = features[0]["dataset_name"]
        column = next(iter(sets[name]))
        batches.append({"set": name, "rows": [sets[name][column].index(f[column]) for f in features]})
        return super().__call__(features)


def noted(loss):
    forward = loss.forward

    def wrapped(*args, **kwargs):
        value = forward(*args, **kwargs)
        values.append(value.item())
        return value

    loss.forward = wrapped


for loss in losses.values():
    noted(loss)
arguments = SentenceTransformerTrainingArguments(
    output_dir="/tmp/kindred_mixed_training",
    num_train_epochs=EPOCHS,
    per_device_train_batch_size=BATCH,
    gradient_accumulation_steps=ACCUMULATE,
    learning_rate=RATE,
    weight_decay=DECAY,
    warmup_steps=WARMUP,
    multi_dataset_batch_sampler="round_robin",
    prompts=prompts,
    use_cpu=True,
    save_strategy="no",
    max_grad_norm=0,  # that trainer clips without the classifier, Kindred with it
    report_to=[],
    seed=7,
)
trainer = SentenceTransformerTrainer(
    model=model,
    args=arguments,
    train_dataset={name: Dataset.from_dict(columns) for name, columns in sets.items()},
    loss=losses,
    data_collator=Collator(preprocess_fn=model.preprocess, prompts=prompts),
)
trainer.train()
model.eval()

orders = []
for sizes, batch in [((40, 9, 20), 4), ((9, 33), 8), ((12, 12), 5)]:
    data = [Dataset.from_dict({"text": [str(i) for i in range(size)]}) for size in sizes]
    for name, kind in [("proportional", ProportionalBatchSampler), ("round-robin", RoundRobinBatchSampler)]:
        samplers = [DefaultBatchSampler(torch.utils.data.SequentialSampler(one), batch, False) for one in data]
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        turns = [
            max(i for i, start in enumerate(starts) if start <= rows[0])
            for rows in kind(ConcatDataset(data), samplers, torch.Generator(), 0)
        ]
        orders.append({"sizes": sizes, "batchSize": batch, "mixing": name, "turns": turns})

assert len(values) == len(batches), (len(values), len(batches))
(here / "mixed_training.json").write_text(
    json.dumps(
        {
            "sets": sets,
            "prompts": prompts,
            "batchSize": BATCH,
            "accumulate": ACCUMULATE,
            "epochs": EPOCHS,
            "learningRate": RATE,
            "weightDecay": DECAY,
            "warmup": WARMUP,
            "batches": batches,
            "losses": values,
            "steps": trainer.state.global_step,
            "classifier": {
                "before": before,
                "after": {name: p.detach().flatten().tolist() for name, p in classifier.named_parameters()},
            },
            "probe": probe,
            "trained": model.encode(probe, convert_to_tensor=True, show_progress_bar=False).flatten().tolist(),
            "orders": orders,
        }
    )
)
print(trainer.state.global_step, [b["set"] for b in batches], values)
