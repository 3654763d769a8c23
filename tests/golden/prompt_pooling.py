"""A training step of a model that leaves its prompt out of the pooling (include_prompt false), by sentence-transformers.

Writes tests/golden/prompt_pooling.json: loss of multiple negatives ranking, and gradients of two small tensors.
"""

import json
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

here = Path(__file__).parent
PROMPT = "represent the sentence: "
COLUMNS = [
    ["a boy eats an apple", "the queen sleeps", "two dogs run"],
    ["a child has a fruit", "a woman rests in her castle", "animals play"],
]
model = SentenceTransformer(str(here / "training" / "model"), device="cpu")
result = {"prompt": PROMPT, "columns": COLUMNS}
for include in [True, False]:
    model.set_pooling_include_prompt(include)
    model.double().train()
    model.zero_grad()
    features = [model.preprocess(texts, prompt=PROMPT) for texts in COLUMNS]
    loss = MultipleNegativesRankingLoss(model)(features, None)
    loss.backward()
    encoder = model[0].auto_model if hasattr(model[0], "auto_model") else model[0].model
    names = ["embeddings.LayerNorm.bias", "encoder.layer.1.output.dense.bias"]
    parameters = dict(encoder.named_parameters())
    result["with" if include else "without"] = {
        "skip": features[0]["prompt_length"],
        "loss": loss.item(),
        "gradients": {name: parameters[name].grad.tolist() for name in names},
    }
(here / "prompt_pooling.json").write_text(json.dumps(result) + "\n")
print({k: (v["skip"], v["loss"]) for k, v in result.items() if k.startswith("with")})
