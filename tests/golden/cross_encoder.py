"""Tiny cross-encoders of five families, their predictions, losses, gradients and a few steps of training, by
sentence-transformers' CrossEncoder and its own losses.

Writes tests/golden/cross_encoder/: one folder per model (bert_classes as version 6 saves it, with modules.json; bert_score
in the classic dialect; roberta_score with prompts), <model>.safetensors with the gradients of its loss, and
expected.json. In float64: the losses turn their labels into float32, which is taken out of them here.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses
from transformers import AutoConfig, AutoModelForSequenceClassification, BertTokenizer, PreTrainedTokenizerFast

HERE = Path(__file__).parent
OUT = Path(__file__).with_suffix("")
WIDTH, MAX = 12, 20
COMMON = dict(
    hidden_size=WIDTH,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=16,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
BERT = dict(COMMON, max_position_embeddings=24, type_vocab_size=2)
ROBERTA = dict(COMMON, max_position_embeddings=26, pad_token_id=1, bos_token_id=0, eos_token_id=2)
# name: type, tokenizer, settings, labels
MODELS = {
    "bert_classes": ("bert", "training/model", BERT, 3),
    "bert_score": ("bert", "training/model", BERT, 1),
    "roberta_score": ("roberta", "tokenizers/roberta", dict(ROBERTA, type_vocab_size=1), 1),
    "roberta_classes": ("roberta", "tokenizers/roberta", dict(ROBERTA, type_vocab_size=1), 3),
    "mpnet_score": ("mpnet", "tokenizers/mpnet", dict(ROBERTA, relative_attention_num_buckets=32), 1),
    "distilbert_score": (
        "distilbert",
        "training/model",
        dict(dim=WIDTH, n_layers=2, n_heads=3, hidden_dim=16, max_position_embeddings=24, dropout=0.0,
             attention_dropout=0.0, seq_classif_dropout=0.0),
        1,
    ),
}
WORDS = "red green blue fish bird tree runs sings grows fast slow the a in over sky water abc Birds, qqq".split()
generator = torch.Generator().manual_seed(9)


def sentence(most=14):
    length = int(torch.randint(1, most, (1,), generator=generator))
    return " ".join(WORDS[int(i)] for i in torch.randint(0, len(WORDS), (length,), generator=generator))


def randomise(model, seed):
    own = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=own)
        norm = "layernorm" in name.lower() or "layer_norm" in name
        scale = 0.5 if p.dim() > 1 else 0.1
        p.data = (1 + 0.2 * noise) if norm and name.endswith("weight") else noise * scale


def build(name, seed):
    kind, tokenizer_folder, settings, labels = MODELS[name]
    folder = OUT / name
    # A tokenizer of no family's class gives no token types, which bert_score shows.
    tokenizer_class = BertTokenizer if name == "bert_classes" else PreTrainedTokenizerFast
    tokenizer = tokenizer_class.from_pretrained(HERE / tokenizer_folder, model_max_length=MAX)
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), num_labels=labels, **settings)
    model = AutoModelForSequenceClassification.from_config(config)
    randomise(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if name == "bert_score":
        config = json.loads((folder / "config.json").read_text())
        config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.activation.Tanh", "version": "4.1.0"}
        (folder / "config.json").write_text(json.dumps(config, indent=1))
    encoder = CrossEncoder(str(folder), device="cpu")
    if name in ("bert_classes", "roberta_score"):
        shutil.rmtree(folder)
        if name == "roberta_score":
            encoder.prompts = {"query": "the fast "}
        encoder.save_pretrained(str(folder))
        encoder = CrossEncoder(str(folder), device="cpu")
    (folder / "README.md").unlink(missing_ok=True)
    return encoder.double().eval()


def plain(values):
    return np.asarray(values, dtype=np.float64).round(9).flatten().tolist()


PAIRS = [(sentence(), sentence()) for _ in range(6)] + [("", "fish"), ("bird", ""), ("", ""), (" red", "blue  ")]
shutil.rmtree(OUT, ignore_errors=True)
encoders = {name: build(name, seed + 1) for seed, name in enumerate(MODELS)}
predictions = {}
for name, encoder in encoders.items():
    logits = encoder.predict(PAIRS, activation_fn=torch.nn.Identity(), convert_to_tensor=True)
    found = {"maxSeqLength": encoder.max_seq_length, "labels": encoder.num_labels, "logits": plain(logits)}
    found["scores"] = plain(encoder.predict(PAIRS, convert_to_tensor=True))
    if encoder.num_labels > 1:
        found["softmax"] = plain(encoder.predict(PAIRS, apply_softmax=True, convert_to_tensor=True))
    else:
        ranking = encoder.rank(PAIRS[0][0], [second for _, second in PAIRS], top_k=4)
        found["ranking"] = [[each["corpus_id"], each["score"]] for each in ranking]
    if encoder.prompts.get("query"):
        found["withPrompt"] = plain(encoder.predict(PAIRS, prompt_name="query", convert_to_tensor=True))
    predictions[name] = found

# What is left of two texts of so many tokens under a limit: kept[limit][first][second].
tokenizer = encoders["bert_classes"].tokenizer
kept = {}
for limit in (10, 11):
    kept[limit] = []
    for one in range(13):
        row = []
        for two in range(13):
            encoding = tokenizer(["red " * one], ["blue " * two], truncation="longest_first", max_length=limit)
            row.append([encoding.sequence_ids(0).count(0), encoding.sequence_ids(0).count(1)])
        kept[limit].append(row)

torch.Tensor.float = torch.Tensor.double
ROWS = 4
columns = [[sentence() for _ in range(ROWS)] for _ in range(4)]
classes, scores = [2, 0, 1, 2], [1.0, 0.0, 0.25, 0.8]
margins = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5], [0.0, 1.0]]
sigmoid = torch.nn.Sigmoid()
LOSSES = {
    "bert_classes": (losses.CrossEntropyLoss, {}, 2, torch.tensor(classes)),
    "bert_score": (losses.MarginMSELoss, {}, 4, torch.tensor(margins)),
    "roberta_score": (losses.BinaryCrossEntropyLoss, {"pos_weight": torch.tensor(2.5, dtype=torch.float64)}, 2, torch.tensor(scores)),
    "roberta_classes": (losses.CrossEntropyLoss, {}, 2, torch.tensor(classes)),
    "mpnet_score": (losses.MultipleNegativesRankingLoss, {"num_negatives": None}, 3, None),
    "distilbert_score": (losses.MSELoss, {"activation_fn": sigmoid}, 2, torch.tensor(scores)),
}
values = {}
for name, (kind, options, width, labels) in LOSSES.items():
    encoder = encoders[name]
    loss = kind(encoder, **options)(columns[:width], labels)
    encoder.zero_grad()
    loss.backward()
    values[name] = loss.item()
    gradients = {n.removeprefix("0.model."): p.grad for n, p in encoder.named_parameters() if p.grad is not None}
    save_file({n: g.to(torch.float32).contiguous() for n, g in gradients.items()}, OUT / f"{name}.safetensors")

# The losses alone, on logits: a model that hands them through.
class Through(CrossEncoder):
    def __init__(self, labels):
        torch.nn.Module.__init__(self)
        self.anyLabels = labels

    num_labels = property(lambda self: self.anyLabels)
    device = torch.device("cpu")

    def preprocess(self, pairs, **_):
        return {"rows": [first * candidates + second for first, second in pairs]}

    def forward(self, features, **_):
        return {"scores": leaf.reshape(-1, self.anyLabels)[features["rows"]]}


def alone(name, kind, width, labels, **options):
    """Rows are numbers, and candidate c of row i is number c: its logit is leaf[i, c]."""
    global leaf, candidates
    candidates = width
    outputs = 3 if kind is losses.CrossEntropyLoss else 1
    leaf = (2 * torch.randn(ROWS, width * outputs, generator=generator)).double().requires_grad_()
    anchors = list(range(ROWS))
    loss = kind(Through(outputs), **options)
    if kind is losses.MultipleNegativesRankingLoss:
        logits = [leaf[:, c] for c in range(width)]
        value = loss.calculate_loss(logits, ROWS)
    else:
        value = loss([anchors] + [[c] * ROWS for c in range(width)], labels)
    value.backward()
    return {"name": name, "logits": plain(leaf.detach()), "value": value.item(), "gradient": plain(leaf.grad)}


weight = torch.tensor(2.5, dtype=torch.float64)
cases = [
    alone("binary_cross_entropy", losses.BinaryCrossEntropyLoss, 1, torch.tensor(scores)),
    alone("binary_cross_entropy_weighted", losses.BinaryCrossEntropyLoss, 1, torch.tensor(scores), pos_weight=weight),
    alone("cross_entropy", losses.CrossEntropyLoss, 1, torch.tensor(classes)),
    alone("mse", losses.MSELoss, 1, torch.tensor(scores)),
    alone("mse_sigmoid", losses.MSELoss, 1, torch.tensor(scores), activation_fn=sigmoid),
    alone("margin_mse", losses.MarginMSELoss, 2, torch.tensor(scores)),
    alone("margin_mse_margins", losses.MarginMSELoss, 3, torch.tensor(margins)),
    alone("margin_mse_scores", losses.MarginMSELoss, 3, torch.tensor([[s, *m] for s, m in zip(scores, margins)])),
    alone("margin_mse_sigmoid", losses.MarginMSELoss, 2, torch.tensor(scores), activation_fn=sigmoid),
    alone("multiple_negatives_ranking", losses.MultipleNegativesRankingLoss, 6, None),
    alone("multiple_negatives_ranking_identity", losses.MultipleNegativesRankingLoss, 4, None, scale=3.0,
          activation_fn=torch.nn.Identity()),
]

# Steps of CrossEncoder.fit as it was before version 4: its groups of weight decay, warmup, linear decay, clipping at 1.
STEPS, BATCH, RATE, DECAY, WARMUP = 6, 5, 5e-3, 0.01, 2
encoder = encoders["bert_classes"]
texts = [(sentence(), sentence()) for _ in range(STEPS * BATCH)]
targets = torch.randint(0, 3, (STEPS * BATCH,), generator=generator)
named = list(encoder.named_parameters())
no_decay = ["bias", "LayerNorm.bias", "LayerNorm.weight"]
groups = {True: [n for n, _ in named if not any(each in n for each in no_decay)]}
optimizer = torch.optim.AdamW(
    [
        {"params": [p for n, p in named if n in groups[True]], "weight_decay": DECAY},
        {"params": [p for n, p in named if n not in groups[True]], "weight_decay": 0.0},
    ],
    lr=RATE,
)
rate = lambda step: step / WARMUP if step < WARMUP else max(0.0, (STEPS - step) / (STEPS - WARMUP))
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
loss_of = losses.CrossEntropyLoss(encoder)
fit_losses, norms = [], []
encoder.train()
for step in range(STEPS):
    chosen = slice(step * BATCH, (step + 1) * BATCH)
    optimizer.zero_grad()
    loss = loss_of([list(column) for column in zip(*texts[chosen])], targets[chosen])
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)))
    optimizer.step()
    schedule.step()
    fit_losses.append(loss.item())
encoder.eval()
trained = {n.removeprefix("0.model."): p.detach() for n, p in named}
save_file({n: p.to(torch.float32).contiguous() for n, p in trained.items()}, OUT / "trained.safetensors")
(OUT / "expected.json").write_text(
    json.dumps(
        {
            "pairs": PAIRS,
            "predictions": predictions,
            "kept": kept,
            "columns": columns,
            "classes": classes,
            "scores": scores,
            "margins": margins,
            "losses": values,
            "cases": cases,
            "fit": {
                "texts": texts,
                "targets": targets.tolist(),
                "batchSize": BATCH,
                "learningRate": RATE,
                "weightDecay": DECAY,
                "warmup": WARMUP,
                "decayed": [n.removeprefix("0.model.") for n in groups[True]],
                "losses": fit_losses,
                "gradientNorms": norms,
                "logits": plain(encoder.predict(PAIRS, convert_to_tensor=True)),
            },
        }
    )
)
print(values, fit_losses)
