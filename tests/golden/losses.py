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
Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "rows": rows,
            "width": width,
            "columns": [c.flatten().tolist() for c in columns],
            "scores": scores.tolist(),
            "classes": classes.tolist(),
            "cases": cases,
        }
    )
)
