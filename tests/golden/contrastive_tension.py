"""Contrastive Tension by sentence-transformers: both losses on embeddings, and training of two tiny random models.

Writes tests/golden/contrastive_tension/: losses.json (values and gradients on seeded embeddings), and for `pairs` and
`in-batch` <name>.json and <name>.safetensors: every gradient of the first batch, of both models, the losses of some steps
of AdamW with clipping at 1 over all parameters, and the kept model afterwards. The first model begins as a shaken copy.
Batches of `pairs` are those of ContrastiveTensionDataLoader. Texts are ids: nothing is tokenised. In float64, without
dropout.
"""

import json
import random
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    ContrastiveTensionDataLoader,
    ContrastiveTensionLoss,
    ContrastiveTensionLossInBatchNegatives,
)
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertTokenizer

here = Path(__file__).parent
out = Path(__file__).with_suffix("")
out.mkdir(exist_ok=True)
VOCAB, STEPS, RATE, PAIRS, RATIO, TEXTS = 40, 4, 5e-3, 8, 4, 6


class Given(torch.nn.Module):
    """Hands out embeddings that are given."""

    def __init__(self):
        super().__init__()
        self.embeddings = None

    def forward(self, features):
        return {"sentence_embedding": self.embeddings}


def case(name, loss, columns, labels):
    leaves = [c.clone().requires_grad_() for c in columns]
    loss.model1.embeddings, loss.model2.embeddings = leaves
    value = loss([{}, {}], labels)
    value.backward()
    head = {k: {"value": [p.item()], "gradient": [p.grad.item()]} for k, p in loss.named_parameters()}
    return {
        "name": name,
        "value": value.item(),
        "gradients": [leaf.grad.flatten().tolist() for leaf in leaves],
        "head": head,
    }


torch.manual_seed(3)
rows, width = 5, 8
columns = [torch.randn(rows, width) for _ in range(2)]
labels = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
cases = [
    case("contrastive_tension", ContrastiveTensionLoss(Given()), columns, labels),
    case("contrastive_tension_in_batch", ContrastiveTensionLossInBatchNegatives(Given()), columns, None),
    case("contrastive_tension_in_batch_scale_5", ContrastiveTensionLossInBatchNegatives(Given(), scale=5.0), columns, None),
]
(out / "losses.json").write_text(
    json.dumps(
        {
            "rows": rows,
            "width": width,
            "columns": [c.flatten().tolist() for c in columns],
            "labels": labels.tolist(),
            "cases": cases,
        }
    )
)


def tiny():
    with tempfile.TemporaryDirectory() as folder:
        tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz123456789"]
        (Path(folder) / "vocab.txt").write_text("\n".join(tokens) + "\n")
        BertTokenizer(f"{folder}/vocab.txt").save_pretrained(folder)
        for name in ["config.json", "model.safetensors"]:
            shutil.copy(here / "encoders" / "bert" / name, folder)
        width = json.loads((Path(folder) / "config.json").read_text())["hidden_size"]
        return SentenceTransformer(modules=[Transformer(folder), Pooling(width, pooling_mode="mean")], device="cpu")


def features(texts):
    rows = [[int(token) for token in text.split()] for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def own_name(name):
    """The name of a parameter of the loss in Kindred, or None if it has no use there."""
    where, _, rest = name.partition(".")
    if "pooler" in name:
        return None
    if where == "model1":
        return "first/" + rest.split("model.", 1)[1]
    return rest.split("model.", 1)[1] if where == "model2" else name


def train(name, make_loss, batches, texts):
    loss_of = make_loss(tiny())
    generator = torch.Generator().manual_seed(7)
    for p in loss_of.model1.parameters():
        p.data += 0.05 * torch.randn(p.shape, generator=generator)
    loss_of.double()
    loss_of.eval()  # no dropout; the configuration has none either
    named = {own: p for n, p in loss_of.named_parameters() if (own := own_name(n)) is not None}
    expected = {f"initial/{n}": p.detach().clone() for n, p in named.items() if n.startswith("first/")}
    optimizer = torch.optim.AdamW(named.values(), lr=RATE, weight_decay=0.0)
    losses, norms = [], []
    for step, (columns, labels) in enumerate(batches):
        optimizer.zero_grad()
        loss = loss_of([features(column) for column in columns], labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            expected |= {f"gradient/{n}": p.grad.clone() for n, p in named.items()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(named.values(), 1.0)))
        optimizer.step()
    expected |= {f"trained/{n}": p.detach() for n, p in named.items() if not n.startswith("first/")}
    save_file({k: v.float().contiguous().reshape(v.shape or (1,)) for k, v in expected.items()}, out / f"{name}.safetensors")
    (out / f"{name}.safetensors").chmod(0o644)
    settings = {"texts": texts, "rows": len(texts) // STEPS, "learningRate": RATE}
    (out / f"{name}.json").write_text(json.dumps(settings | {"losses": losses, "gradientNorms": norms}))
    print(name, losses, norms, len(named))


def text(longest=12):
    return " ".join(str(random.randrange(5, VOCAB)) for _ in range(random.randrange(1, longest)))


random.seed(5)
per_batch = 2 * PAIRS - PAIRS // RATIO
corpus = [text() for _ in range(STEPS * per_batch + 3)]  # the loader leaves out what fills no batch
loader = ContrastiveTensionDataLoader(corpus, batch_size=PAIRS, pos_neg_ratio=RATIO)
batches = [
    ([[pair.texts[i] for pair in batch] for i in range(2)], torch.tensor([pair.label for pair in batch]))
    for batch in loader
]
assert len(batches) == STEPS
train("pairs", ContrastiveTensionLoss, batches, corpus[: STEPS * per_batch])  # in the order of the loader
corpus = [text() for _ in range(STEPS * TEXTS)]
batches = [([corpus[step * TEXTS : (step + 1) * TEXTS]], None) for step in range(STEPS)]
train("in-batch", ContrastiveTensionLossInBatchNegatives, batches, corpus)
