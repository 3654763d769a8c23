"""Values and gradients of sentence-transformers' losses on seeded embeddings: tests/golden/losses.json."""

import json
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer import losses

torch.manual_seed(3)
rows, width = 5, 8
columns = [torch.randn(rows, width) for _ in range(4)]
scores = torch.rand(rows)
classes = torch.tensor([0, 2, 1, 1, 0])


class Nothing(torch.nn.Module):
    """Stands where the losses hold a model."""


def case(name, loss, embeddings, labels, head=()):
    leaves = [e.clone().requires_grad_() for e in embeddings]
    value = loss.compute_loss_from_embeddings(leaves, labels) if hasattr(loss, "compute_loss_from_embeddings") else None
    value.backward()
    return {
        "name": name,
        "columns": len(leaves),
        "value": value.item(),
        "gradients": [leaf.grad.flatten().tolist() for leaf in leaves],
        "head": {key: {"value": p.detach().flatten().tolist(), "gradient": p.grad.flatten().tolist()} for key, p in head},
    }


mnr = losses.MultipleNegativesRankingLoss
cases = [
    case("mnr_pairs", mnr(Nothing()), columns[:2], None),
    case("mnr_triplets", mnr(Nothing()), columns[:3], None),
    case("mnr_tuples", mnr(Nothing()), columns, None),
    case(
        "mnr_joint",
        mnr(Nothing(), directions=("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")),
        columns[:3],
        None,
    ),
    case(
        "mnr_symmetric",
        mnr(Nothing(), directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"),
        columns[:2],
        None,
    ),
]
# Cosine and softmax call their model: a model that hands embeddings through.
class Through(torch.nn.Module):
    device = torch.device("cpu")

    def forward(self, features):
        return features

    def get_embedding_dimension(self):
        return width

    get_sentence_embedding_dimension = get_embedding_dimension


def through(name, loss, embeddings, labels, head=()):
    leaves = [e.clone().requires_grad_() for e in embeddings]
    value = loss([{"sentence_embedding": leaf} for leaf in leaves], labels)
    value.backward()
    return {
        "name": name,
        "columns": len(leaves),
        "value": value.item(),
        "gradients": [leaf.grad.flatten().tolist() for leaf in leaves],
        "head": {key: {"value": p.detach().flatten().tolist(), "gradient": p.grad.flatten().tolist()} for key, p in head},
    }


cases.append(through("cosine", losses.CosineSimilarityLoss(Through()), columns[:2], scores))
soft = losses.SoftmaxLoss(Through(), width, 3)
cases.append(
    through(
        "softmax",
        soft,
        columns[:2],
        classes,
        [("classifier.weight", soft.classifier.weight), ("classifier.bias", soft.classifier.bias)],
    )
)
# Losses over pairs with 0 or 1, triplets, and scores. `seen` names the labels where they are not `scores`.
same = torch.tensor([1, 0, 1, 0, 0])
close = columns[0] + 0.3 * columns[1]  # both kinds of hard pairs, and pairs nearer than the margin


def labelled(name, loss, embeddings, labels, seen):
    return {**case(name, loss, embeddings, labels), "labels": seen}


siamese = losses.SiameseDistanceMetric
distances = losses.TripletDistanceMetric
pair = [columns[0], close]
for metric, margin in (("COSINE_DISTANCE", 0.5), ("EUCLIDEAN", 1.5), ("MANHATTAN", 3.0)):
    options = {"distance_metric": getattr(siamese, metric), "margin": margin}
    short = metric.split("_")[0].lower()
    cases.append({**labelled(f"contrastive_{short}", losses.ContrastiveLoss(Nothing(), **options), pair, same, "same"), "close": True})
mixed = [columns[0], torch.cat([columns[1][:2], close[2:4], columns[1][4:]])]
online = losses.OnlineContrastiveLoss
for name, labels in (
    ("same", same),
    ("none_same", torch.zeros(rows, dtype=torch.long)),
    ("all_same", torch.ones(rows, dtype=torch.long)),
):
    cases.append({**labelled(f"online_contrastive_{name}", online(Nothing(), margin=1.2), mixed, labels, name), "mixed": True})
for metric in ("EUCLIDEAN", "COSINE", "MANHATTAN"):
    margin = {"EUCLIDEAN": 0.5, "COSINE": 0.2, "MANHATTAN": 1.0}[metric]
    loss = losses.TripletLoss(Nothing(), distance_metric=getattr(distances, metric), triplet_margin=margin)
    cases.append(case(f"triplet_{metric.lower()}", loss, columns[:3], None))
for mode in ("in_batch_negatives", "hard_negatives", "all_negatives"):
    cases.append(case(f"mnr_{mode}", mnr(Nothing(), hardness_mode=mode, hardness_strength=5.0), columns, None))
tied = scores.clone()
tied[3] = tied[1]
cases.append(labelled("cosent", losses.CoSENTLoss(Nothing()), columns[:2], tied, "tied"))
cases.append(labelled("angle", losses.AnglELoss(Nothing()), columns[:2], tied, "tied"))
cases.append(labelled("margin_mse", losses.MarginMSELoss(Nothing()), columns[:3], scores, "scores"))
through_model = Through()
cases.append(
    through(
        "matryoshka",
        losses.MatryoshkaLoss(through_model, mnr(through_model), [8, 4, 3], [1, 0.5, 0.25]),
        columns[:3],
        None,
    )
)
Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "rows": rows,
            "width": width,
            "columns": [c.flatten().tolist() for c in columns],
            "scores": scores.tolist(),
            "classes": classes.tolist(),
            "close": close.flatten().tolist(),
            "mixed": mixed[1].flatten().tolist(),
            "labels": {
                "same": same.tolist(),
                "none_same": [0] * rows,
                "all_same": [1] * rows,
                "tied": tied.tolist(),
                "scores": scores.tolist(),
            },
            "cases": cases,
        }
    )
)
