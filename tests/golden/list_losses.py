"""Losses over lists of documents, by sentence-transformers' cross-encoder losses: values and gradients with respect to the
scores, in lists of unequal length with ties among labels and among scores; and the gradients of a tiny cross-encoder.

Writes tests/golden/list_losses.json and list_losses.safetensors. In float64: the losses turn scores and labels into
float32, which is taken out of them here.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses

HERE = Path(__file__).parent
torch.Tensor.float = torch.Tensor.double
torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(5)

SIZES = [4, 1, 6, 3, 2]
# Graded labels with ties, one list without any relevant document, one with a label below 0.
GRADED = [[3.0, 0.0, 1.0, 1.0], [2.0], [0.0, 0.5, 2.0, 0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [1.0, -1.0]]
BINARY = [[1.0, 0.0, 0.0, 0.0], [1.0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0]]
SCORES = (1.5 * torch.randn(sum(SIZES), generator=generator)).round(decimals=3)
SCORES[1] = SCORES[3]  # two documents of the first list, with labels 0 and 1
SCORES[7] = SCORES[8]  # two of the third, with labels 2 and 0
sigmoid = torch.nn.Sigmoid()


class Through(CrossEncoder):
    """A model that hands scores through: documents are their numbers."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    num_labels = 1
    device = torch.device("cpu")

    def preprocess(self, pairs, **_):
        return {"rows": torch.tensor([document for _, document in pairs])}

    def forward(self, features, **_):
        return {"scores": leaf[features["rows"]].reshape(-1, 1)}


def case(name, kind, labels=GRADED, scores=SCORES, **options):
    global leaf
    leaf = scores.clone().requires_grad_()
    loss = kind(Through(), **options)
    starts = [sum(SIZES[:i]) for i in range(len(SIZES))]
    documents = [list(range(start, start + size)) for start, size in zip(starts, SIZES)]
    value = loss([list(range(len(SIZES))), documents], [torch.tensor(each) for each in labels])
    value.backward()
    return {
        "name": name,
        "labels": "graded" if labels is GRADED else "binary",
        "scores": scores.tolist(),
        "value": value.item(),
        "gradient": leaf.grad.tolist(),
    }


def logarithmic(mask):
    ranks = mask.cumsum(dim=-1)
    return (1.0 / torch.log1p(ranks)).masked_fill(~mask, 0)


LAMBDA, WEIGHT = losses.LambdaLoss, losses.PListMLELambdaWeight
cases = [
    case("lambda", LAMBDA),
    case("lambda_binary", LAMBDA, BINARY),
    case("lambda_none", LAMBDA, weighting_scheme=losses.NoWeightingScheme()),
    case("lambda_ndcg_loss1", LAMBDA, weighting_scheme=losses.NDCGLoss1Scheme()),
    case("lambda_ndcg_loss2", LAMBDA, weighting_scheme=losses.NDCGLoss2Scheme()),
    case("lambda_lambda_rank", LAMBDA, weighting_scheme=losses.LambdaRankScheme()),
    case("lambda_mu", LAMBDA, weighting_scheme=losses.NDCGLoss2PPScheme(mu=2.5)),
    case("lambda_k", LAMBDA, k=2),
    case("lambda_k_ndcg_loss1", LAMBDA, k=2, weighting_scheme=losses.NDCGLoss1Scheme()),
    case("lambda_k_long", LAMBDA, k=20),
    case("lambda_natural", LAMBDA, sigma=2.0, eps=1e-3, reduction_log="natural", mini_batch_size=3),
    case("lambda_sigmoid", LAMBDA, activation_fn=sigmoid, mini_batch_size=-1),
    case("lambda_far", LAMBDA, scores=60 * SCORES),
    case("rank_net", losses.RankNetLoss),
    case("rank_net_k", losses.RankNetLoss, k=1, sigma=0.5, reduction_log="natural"),
    case("list_net", losses.ListNetLoss, mini_batch_size=2),
    case("list_net_sigmoid", losses.ListNetLoss, BINARY, activation_fn=sigmoid),
    case("list_net_far", losses.ListNetLoss, scores=60 * SCORES),
    case("list_mle", losses.ListMLELoss, respect_input_order=False),
    case("list_mle_input", losses.ListMLELoss, mini_batch_size=4),
    case("list_mle_binary", losses.ListMLELoss, BINARY),
    case("list_mle_sigmoid", losses.ListMLELoss, activation_fn=sigmoid, respect_input_order=False),
    case("list_mle_far", losses.ListMLELoss, scores=60 * SCORES, respect_input_order=False),
    case("plist_mle", losses.PListMLELoss, respect_input_order=False),
    case("plist_mle_input", losses.PListMLELoss, mini_batch_size=1),
    case("plist_mle_logarithmic", losses.PListMLELoss, lambda_weight=WEIGHT(logarithmic), respect_input_order=False),
    case("plist_mle_none", losses.PListMLELoss, lambda_weight=None, respect_input_order=False),
    case("adr_mse", losses.ADRMSELoss),
    case("adr_mse_alpha", losses.ADRMSELoss, alpha=3.0, activation_fn=sigmoid, mini_batch_size=5),
    case("adr_mse_binary", losses.ADRMSELoss, BINARY),
]

# A whole model: the losses of its scores of real texts, and all gradients.
encoder = CrossEncoder(str(HERE / "cross_encoder" / "bert_score"), device="cpu").double().eval()
WORDS = "red green blue fish bird tree runs sings grows fast slow the a in over sky water abc Birds, qqq".split()


def sentence(most=9):
    length = int(torch.randint(1, most, (1,), generator=generator))
    return " ".join(WORDS[int(i)] for i in torch.randint(0, len(WORDS), (length,), generator=generator))


queries = [sentence() for _ in SIZES]
documents = [[sentence() for _ in range(size)] for size in SIZES]
whole, gradients = {}, {}
for name, kind, options in (
    ("lambda", LAMBDA, {"mini_batch_size": 2}),
    ("lambda_k", LAMBDA, {"k": 2}),
    ("plist_mle", losses.PListMLELoss, {"respect_input_order": False}),
):
    encoder.zero_grad()
    value = kind(encoder, **options)([queries, documents], [torch.tensor(each) for each in GRADED])
    value.backward()
    whole[name] = value.item()
    for parameter, p in encoder.named_parameters():
        if p.grad is not None:
            key = f"{name}.{parameter.removeprefix('0.model.')}"
            gradients[key] = p.grad.to(torch.float32).clone().contiguous()
# The cached form of multiple negatives ranking has the gradients that cross_encoder.py stored of the plain one: what holds
# for those holds for it, mini-batches and all.
stored = json.loads((HERE / "cross_encoder" / "expected.json").read_text())
ranking = CrossEncoder(str(HERE / "cross_encoder" / "mpnet_score"), device="cpu").double().eval()
cached = losses.CachedMultipleNegativesRankingLoss(ranking, num_negatives=None, mini_batch_size=3)
value = cached(stored["columns"][:3])
value.backward()
assert abs(value.item() - stored["losses"]["mpnet_score"]) < 1e-9
own = {n.removeprefix("0.model."): p.grad for n, p in ranking.named_parameters() if p.grad is not None}
plain = load_file(HERE / "cross_encoder" / "mpnet_score.safetensors")
for name, gradient in plain.items():
    assert torch.allclose(own[name].to(torch.float32), gradient, atol=1e-6), name

save_file(gradients, HERE / "list_losses.safetensors")

(HERE / "list_losses.json").write_text(
    json.dumps(
        {
            "sizes": SIZES,
            "graded": sum(GRADED, []),
            "binary": sum(BINARY, []),
            "cases": cases,
            "queries": queries,
            "documents": sum(documents, []),
            "whole": whole,
        }
    )
)
print(whole, [(each["name"], each["value"]) for each in cases])
