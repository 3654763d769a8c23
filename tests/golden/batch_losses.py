"""Values and gradients of sentence-transformers' batch triplet losses: tests/golden/batch_losses.json."""

import json
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer import losses

torch.manual_seed(11)
rows, width = 12, 6
classes = {
    "mixed": [3, 0, 7, 3, 3, 0, 7, 7, 0, 3, 7, 0],
    "uneven": [1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 5, 1],
    "one": [4] * rows,
    "each_once": list(range(rows)),
}
# Centres of the classes shine through, so that there are triplets of every kind: cleared, semi-hard and hard ones.
centres = 1.2 * torch.randn(3, width)
embeddings = torch.randn(rows, width) + centres[torch.tensor([[0, 3, 7].index(c) for c in classes["mixed"]])]
# Twice the same text, in one class and in two: distances of exactly 0.
doubled = embeddings.clone()
doubled[4] = doubled[3]
doubled[8] = doubled[7]


class Nothing(torch.nn.Module):
    """Stands where the losses hold a model."""


distances = losses.BatchHardTripletLossDistanceFunction
metrics = {"euclidean": (distances.euclidean_distance, (5, 0.7)), "cosine": (distances.cosine_distance, (0.2,))}
kinds = {
    "batch_all_triplet": losses.BatchAllTripletLoss,
    "batch_hard_triplet": losses.BatchHardTripletLoss,
    "batch_semi_hard_triplet": losses.BatchSemiHardTripletLoss,
}
cases = []


def case(name, distance, margin, labelled, loss, of=embeddings):
    leaf = of.clone().requires_grad_()
    value = loss.compute_loss_from_embeddings([leaf], torch.tensor(classes[labelled]))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(leaf.grad).all(), (name, labelled)
    cases.append(
        {
            "loss": name,
            "distance": distance,
            "margin": margin,
            "classes": labelled,
            "doubled": of is doubled,
            "value": value.item(),
            "gradient": leaf.grad.flatten().tolist(),
        }
    )


for distance, (metric, margins) in metrics.items():
    for labelled in classes:
        for margin in margins:
            for name, kind in kinds.items():
                case(name, distance, margin, labelled, kind(Nothing(), distance_metric=metric, margin=margin))
                if labelled == "mixed":
                    case(name, distance, margin, labelled, kind(Nothing(), distance_metric=metric, margin=margin), doubled)
        soft = losses.BatchHardSoftMarginTripletLoss(Nothing(), distance_metric=metric)
        case("batch_hard_soft_margin_triplet", distance, None, labelled, soft)

# Every anchor against the positives of the others.
positives = embeddings + 0.8 * torch.randn(rows, width)
mega = []
for options in ({}, {"positive_margin": 0.95, "negative_margin": -0.2}):
    leaves = [embeddings.clone().requires_grad_(), positives.clone().requires_grad_()]
    loss = losses.MegaBatchMarginLoss(Nothing(), use_mini_batched_version=False, **options)
    value = loss.calculate_loss([[leaf] for leaf in leaves])
    value.backward()
    mega.append(
        {
            "positiveMargin": loss.positive_margin,
            "negativeMargin": loss.negative_margin,
            "value": value.item(),
            "gradients": [leaf.grad.flatten().tolist() for leaf in leaves],
        }
    )

Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "rows": rows,
            "width": width,
            "embeddings": embeddings.flatten().tolist(),
            "doubled": doubled.flatten().tolist(),
            "classes": classes,
            "cases": cases,
            "positives": positives.flatten().tolist(),
            "mega": mega,
        }
    )
)
