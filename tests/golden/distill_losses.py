"""Values and gradients of sentence-transformers' losses that learn from another model, on seeded embeddings.

Writes distill_losses.json: for each case the loss by Kindred's name and options, which columns, labels and guides it saw,
and what it gave.

    python tests/golden/distill_losses.py
"""

import json
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.util import pairwise_cos_sim

torch.manual_seed(5)
rows, width, wide = 6, 8, 5
columns = [torch.randn(rows, width) for _ in range(4)]
# Positives near their anchors, so that a guide's threshold leaves out some texts and keeps others.
guides = [torch.randn(rows, wide) for _ in range(3)]
guides[1] = 0.5 * guides[0] + 0.8 * guides[1]
targets = [torch.randn(rows, width) for _ in range(3)]
scores = [3 * torch.rand(rows, n) for n in (1, 2, 3)]


class Through(torch.nn.Module):
    """A model that hands embeddings through."""

    device = torch.device("cpu")
    tokenizer = type("Tokenizer", (), {"get_vocab": staticmethod(dict)})()
    max_seq_length = 8

    def __getitem__(self, _):
        return self

    def forward(self, features, **_):
        return features

    def get_embedding_dimension(self):
        return width

    get_sentence_embedding_dimension = get_embedding_dimension


class Guiding(Through):
    """A guide that answers with its own embeddings of the columns, one after the other."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.asked = answers, 0

    def forward(self, features, **_):
        answer = self.answers[self.asked % len(self.answers)]
        self.asked += 1
        return {"sentence_embedding": answer}


def case(name, options, loss, count, labels=None, guide=None, head=(), **more):
    leaves = [c.clone().requires_grad_() for c in columns[:count]]
    value = loss([{"sentence_embedding": leaf} for leaf in leaves], labels)
    value.backward()
    return {
        "name": name,
        "options": options,
        "columns": count,
        "labels": None if guide in ("targets", "first") or labels is None else labels.shape[-1] if labels.dim() > 1 else 1,
        "guide": guide,
        "value": value.item(),
        "gradients": [leaf.grad.flatten().tolist() for leaf in leaves],
        "head": {k: {"value": p.detach().flatten().tolist(), "gradient": p.grad.flatten().tolist()} for k, p in head},
        **more,
    }


model = Through()
cases = []
for metric in ("cosine", "l2", "mse"):
    loss = losses.EmbedDistillLoss(model, distance_metric=metric)
    labels = torch.stack(targets[:2], dim=1)
    cases.append(case("embedDistill", {"distance": metric}, loss, 2, labels, "targets"))
cases.append(case("mse", {}, losses.MSELoss(model), 1, targets[0], "targets"))
cases.append(case("mse", {"target": "first"}, losses.MSELoss(model), 2, targets[0], "first"))
projected = losses.MSELoss(model, projection_dim=wide)
head = [("projection.weight", projected.projection.weight), ("projection.bias", projected.projection.bias)]
cases.append(case("mse", {"projection": wide}, projected, 1, guides[0], "narrow", head))
cases[-1]["labels"] = None

kl = losses.DistillKLDivLoss
cases.append(case("distillKlDiv", {}, kl(model), 3, scores[1]))
warm = {"studentTemperature": 2, "teacherTemperature": 0.5, "similarity": "cosine"}
loss = kl(model, similarity_fct=pairwise_cos_sim, student_temperature=2.0, teacher_temperature=0.5)
cases.append(case("distillKlDiv", warm, loss, 4, scores[2]))
margin = losses.MarginMSELoss
cases.append(case("marginMse", {}, margin(model), 3, scores[0].flatten()))
cases.append(case("marginMse", {}, margin(model), 3, scores[1]))
cases.append(case("marginMse", {}, margin(model), 4, scores[1]))
cases.append(case("marginMse", {"similarity": "cosine"}, margin(model, similarity_fct=pairwise_cos_sim), 4, scores[2]))

for count, options in (
    (2, {}),
    (3, {}),
    (3, {"margin": 0.2}),
    (3, {"marginStrategy": "relative", "margin": 0.5, "temperature": 0.5}),
    (2, {"contrastAnchors": False, "temperature": 0.1}),
    (2, {"contrastPositives": False, "margin": -0.1}),
):
    names = {"marginStrategy": "margin_strategy", "contrastAnchors": "contrast_anchors", "contrastPositives": "contrast_positives"}
    python = {names.get(k, k): v for k, v in options.items()}
    loss = losses.GISTEmbedLoss.__new__(losses.GISTEmbedLoss)
    torch.nn.Module.__init__(loss)
    guide = Guiding(guides[:count])
    # The constructor looks at tokenizers, which neither model has.
    loss.model, loss.guide, loss.must_retokenize = model, guide, False
    loss.temperature = python.pop("temperature", 0.01)
    loss.similarity_fct = torch.nn.CosineSimilarity(dim=-1)
    loss.cross_entropy_loss = torch.nn.CrossEntropyLoss()
    defaults = {"margin_strategy": "absolute", "margin": 0.0, "contrast_anchors": True, "contrast_positives": True}
    for key, value in {**defaults, **python, "gather_across_devices": False}.items():
        setattr(loss, key, value)
    cases.append(case("gistEmbed", options, loss, count, None, "guides"))

# Matryoshka around a loss whose targets are embeddings: they are cut as well.
loss = losses.MatryoshkaLoss(model, losses.MSELoss(model), [8, 3], [1, 0.5])
matryoshka = {"dimensions": [8, 3], "weights": [1, 0.5]}
cases.append(case("mse", {}, loss, 1, targets[0], "targets", matryoshka=matryoshka))

Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "rows": rows,
            "width": width,
            "wide": wide,
            "columns": [c.flatten().tolist() for c in columns],
            "guides": [c.flatten().tolist() for c in guides],
            "targets": [c.flatten().tolist() for c in targets],
            "scores": [c.flatten().tolist() for c in scores],
            "cases": cases,
        }
    )
    + "\n"
)
