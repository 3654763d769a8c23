"""The chapter's training settings by sentence-transformers, on the base model, rows and seeds that bench/chapter.ts uses:
the numbers that it is compared with. Appends one JSON line for each setting and seed to --output."""

import argparse
import json
import os
import random
import tempfile

import numpy as np
import pyarrow.parquet as pq
import torch
from datasets import Dataset
from nltk.tokenize import NLTKWordTokenizer
from nltk.tokenize.treebank import TreebankWordDetokenizer
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.cross_encoder import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import CrossEntropyLoss
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.losses import (
    CosineSimilarityLoss,
    DenoisingAutoEncoderLoss,
    MultipleNegativesRankingLoss,
    SoftmaxLoss,
)
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--train", required=True, help="Parquet file with premise, hypothesis, label")
parser.add_argument("--eval", required=True, help="Parquet file with sentence1, sentence2, label")
parser.add_argument("--output", required=True)
parser.add_argument("--limit", type=int, default=1600)
parser.add_argument("--gold-size", type=int, default=800)
parser.add_argument("--tsdae-limit", type=int, default=800)
parser.add_argument("--warmup-steps", type=int, default=5)
parser.add_argument("--cross-learning-rate", type=float, default=1e-4)
parser.add_argument("--cross-epochs", type=int, default=3)
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--settings", default="softmax,cosine,mnr,finetune,augmented,tsdae")
args = parser.parse_args()

rows = {name: values[: args.limit] for name, values in pq.read_table(args.train).to_pydict().items()}
premise, hypothesis, label = rows["premise"], rows["hypothesis"], rows["label"]
pairs = pq.read_table(args.eval).to_pydict()
evaluator = EmbeddingSimilarityEvaluator(pairs["sentence1"], pairs["sentence2"], pairs["label"], write_csv=False)


def train(model, loss, dataset, seed, batch_size=32, sampler="batch_sampler"):
    SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=tempfile.mkdtemp(),
            num_train_epochs=1,
            per_device_train_batch_size=batch_size,
            batch_sampler=sampler,
            warmup_steps=args.warmup_steps,
            learning_rate=5e-5,
            seed=seed,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict(dataset),
        loss=loss,
    ).train()


def cosine(model, first, second, score, seed):
    train(model, CosineSimilarityLoss(model), {"sentence1": first, "sentence2": second, "score": score}, seed)


def triplets(seed):
    """Entailed rows with another row's hypothesis at random, never the row's own positive."""
    generator = random.Random(seed)
    entailed = [i for i, value in enumerate(label) if value == 0]
    negative = []
    for i in entailed:
        while (other := generator.choice(hypothesis)) == hypothesis[i]:
            pass
        negative.append(other)
    return {
        "anchor": [premise[i] for i in entailed],
        "positive": [hypothesis[i] for i in entailed],
        "negative": negative,
    }


def damaged(texts, seed):
    """nltk's words, 60 % of them deleted, joined again."""
    generator, split, join = np.random.default_rng(seed), NLTKWordTokenizer(), TreebankWordDetokenizer()

    def delete(text):
        words = split.tokenize(text)
        if not words:
            return text
        keep = generator.random(len(words)) > 0.6
        if not keep.any():
            keep[generator.integers(len(words))] = True
        return join.detokenize([word for word, kept in zip(words, keep) if kept])

    return [delete(text) for text in texts]


def run(setting, seed):
    torch.manual_seed(seed)
    model = SentenceTransformer(args.model, device="cpu")
    extra = {}
    if setting == "softmax":
        width = model.get_sentence_embedding_dimension()
        loss = SoftmaxLoss(model, sentence_embedding_dimension=width, num_labels=3)
        train(model, loss, {"premise": premise, "hypothesis": hypothesis, "label": label}, seed)
    elif setting == "cosine":
        cosine(model, premise, hypothesis, [float(value == 0) for value in label], seed)
    elif setting == "mnr":
        train(model, MultipleNegativesRankingLoss(model), triplets(seed), seed, sampler="no_duplicates")
    elif setting == "finetune":  # as the chapter printed it: every pair a positive
        data = {"anchor": premise, "positive": hypothesis}
        train(model, MultipleNegativesRankingLoss(model), data, seed, sampler="no_duplicates")
    elif setting == "augmented":
        gold = [int(value == 0) for value in label[: args.gold_size]]
        judge = CrossEncoder(args.model, num_labels=2, device="cpu")
        CrossEncoderTrainer(
            model=judge,
            args=CrossEncoderTrainingArguments(
                output_dir=tempfile.mkdtemp(),
                num_train_epochs=args.cross_epochs,
                per_device_train_batch_size=32,
                warmup_steps=args.warmup_steps,
                learning_rate=args.cross_learning_rate,
                weight_decay=0.01,
                seed=seed,
                save_strategy="no",
                report_to="none",
                use_cpu=True,
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_dict(
                {"sentence1": premise[: args.gold_size], "sentence2": hypothesis[: args.gold_size], "label": gold}
            ),
            loss=CrossEntropyLoss(judge),
        ).train()
        rest = list(zip(premise[args.gold_size :], hypothesis[args.gold_size :]))
        silver = judge.predict(rest, apply_softmax=True).argmax(axis=1)
        truth = np.array([value == 0 for value in label[args.gold_size :]])
        extra["silver_agreement"] = float((silver == truth).mean())
        score = [float(value) for value in gold] + [float(value) for value in silver]
        cosine(model, premise, hypothesis, score, seed)
        control = SentenceTransformer(args.model, device="cpu")
        cosine(control, premise[: args.gold_size], hypothesis[: args.gold_size], [float(g) for g in gold], seed)
        extra["control"] = float(evaluator(control)["spearman_cosine"])
    elif setting == "tsdae":
        texts = list(dict.fromkeys(premise[: args.tsdae_limit] + hypothesis[: args.tsdae_limit]))
        word = Transformer(args.model)
        model = SentenceTransformer(modules=[word, Pooling(word.get_embedding_dimension(), "cls")], device="cpu")
        data = {"damaged": damaged(texts, seed), "original": texts}
        train(model, DenoisingAutoEncoderLoss(model, tie_encoder_decoder=True), data, seed, batch_size=16)
    return {key: float(value) for key, value in evaluator(model).items()} | extra


done = set()
if os.path.exists(args.output):
    with open(args.output) as file:
        done = {(line["setting"], line["seed"]) for line in map(json.loads, file)}
for seed in map(int, args.seeds.split(",")):
    for setting in args.settings.split(","):
        if (setting, seed) in done:
            continue
        result = run(setting, seed)
        with open(args.output, "a") as file:
            file.write(json.dumps({"setting": setting, "seed": seed, **result}) + "\n")
