"""Positions of the families that count them from the padding id, with that id within the texts and at another place.

Writes tests/golden/positions.json: features of the tiny encoders in tests/golden/encoders, by transformers in float64.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForMaskedLM

here = Path(__file__).parent
IDS = [[5, 9, 1, 7, 3, 0, 1, 4], [3, 8, 3, 1, 2], [0, 6]]  # 0, 1 and 3 are somebody's padding
result = {}
for family, pad in [("roberta", 1), ("roberta", 3), ("xlm-roberta", 0), ("mpnet", 3)]:
    model = AutoModelForMaskedLM.from_pretrained(here / "encoders" / family, pad_token_id=pad).double().eval()
    with torch.no_grad():
        rows = [
            model.base_model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))
            .last_hidden_state[0]
            .flatten()
            .tolist()
            for ids in IDS
        ]
    result[f"{family} {pad}"] = {"family": family, "pad": pad, "features": [[float(f"{x:.7g}") for x in row] for row in rows]}
(here / "positions.json").write_text(json.dumps({"ids": IDS, "models": result}) + "\n")
