"""A step of training with another prompt before each column, by sentence-transformers' trainer and its `prompts`.

Writes tests/golden/column_prompts.json: loss of multiple negatives ranking over triplets and gradients of two small
tensors, of a model that counts prompts in its pooling and of one that leaves them out.
"""

import json
import tempfile
from pathlib import Path

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

here = Path(__file__).parent
PROMPTS = {"anchor": "slow bird: ", "positive": "the fish in the water: ", "negative": "the fish in the water: "}
COLUMNS = {
    "anchor": ["a blue bird sings", "the tree grows", "fast fish"],
    "positive": ["birds sing over water", "a slow tree", "the red fish runs"],
    "negative": ["green sky", "a fast bird", "the water grows"],
}
result = {"prompts": PROMPTS, "columns": COLUMNS}
for include in [True, False]:
    model = SentenceTransformer(str(here / "training" / "model"), device="cpu")
    model.set_pooling_include_prompt(include)
    model.double().train()
    loss_of = MultipleNegativesRankingLoss(model)
    with tempfile.TemporaryDirectory() as folder:
        trainer = SentenceTransformerTrainer(
            model=model,
            args=SentenceTransformerTrainingArguments(output_dir=folder, prompts=PROMPTS, report_to=[], use_cpu=True),
            train_dataset=Dataset.from_dict(COLUMNS),
            loss=loss_of,
        )
        batch = trainer.data_collator([dict(zip(COLUMNS, row)) for row in zip(*COLUMNS.values())])
        features, labels = trainer.collect_features(batch)
        model.zero_grad()
        loss = loss_of(features, labels)
        loss.backward()
    encoder = model[0].auto_model if hasattr(model[0], "auto_model") else model[0].model
    parameters = dict(encoder.named_parameters())
    names = ["embeddings.LayerNorm.bias", "encoder.layer.1.output.dense.bias"]
    result["with" if include else "without"] = {
        "tokens": [feature["attention_mask"].sum(1).tolist() for feature in features],
        "loss": loss.item(),
        "gradients": {name: parameters[name].grad.tolist() for name in names},
    }
(here / "column_prompts.json").write_text(json.dumps(result) + "\n")
print({key: (value["tokens"], value["loss"]) for key, value in result.items() if key.startswith("with")})
