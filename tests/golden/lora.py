"""Adapters of low rank: ten steps of AdamW on tiny random encoders by PEFT, and the folders that it saves.

Reads tests/golden/encoders/<family>/ and writes tests/golden/lora/<family>/: adapter_config.json and
adapter_model.safetensors as PEFT saves them after the last step, and expected.safetensors: where the adapters began, the
target of the loss, the losses, and token features of the merged model. Computed in float64, written as float32.

    python lora.py
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel

out = Path(__file__).with_suffix("")
STEPS, RATE, DECAY = 10, 5e-3, 0.01
# Queries and values of three that are one matrix here; every linear layer; fewer heads of keys than of queries.
families = {
    "bert": dict(r=3, lora_alpha=6, target_modules=["query", "attention.self.value"]),
    "modernbert": dict(r=2, lora_alpha=3, target_modules="all-linear"),
    "qwen3": dict(r=4, lora_alpha=8, use_rslora=True, target_modules=r".*\.(q_proj|v_proj|gate_proj|down_proj)"),
}


def short(name):
    """Our name of an adapter's tensor."""
    return name.replace("base_model.model.", "").replace(".default", "")


for seed, (family, settings) in enumerate(families.items()):
    torch.manual_seed(seed + 1)
    encoders = out.parent / "encoders" / family
    data = load_file(encoders / "expected.safetensors")
    lengths = data["lengths"].long().tolist()
    model = AutoModel.from_pretrained(encoders, attn_implementation="eager").double().eval()
    model = get_peft_model(model, LoraConfig(**settings)).double().eval()
    adapters = {short(name): p for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name for name in adapters)
    start = {f"start/{name}": p.detach().float().clone() for name, p in adapters.items()}
    for name, p in adapters.items():
        p.data = start[f"start/{name}"].double()  # what is written is what is trained

    def tokens():
        ids, types = data["ids"].long().split(lengths), data["types"].long().split(lengths)
        extra = [{"token_type_ids": t[None]} if family == "bert" else {} for t in types]
        rows = [model(input_ids=row[None], **more).last_hidden_state[0] for row, more in zip(ids, extra)]
        return torch.cat(rows)

    target = torch.randn(tokens().shape).float()
    optimizer = torch.optim.AdamW(adapters.values(), lr=RATE, weight_decay=DECAY)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (tokens() - target.double()).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(family, losses[0], losses[-1], len(adapters))
    model.peft_config["default"].base_model_name_or_path = f"../../encoders/{family}"
    model.float().save_pretrained(out / family)
    model.double()
    (out / family / "README.md").unlink()
    written = json.loads((out / family / "adapter_config.json").read_text())
    listed = written["target_modules"]
    written["target_modules"] = sorted(listed) if isinstance(listed, list) else listed
    (out / family / "adapter_config.json").write_text(json.dumps(written, indent=2) + "\n")
    model = model.merge_and_unload()
    expected = {**start, "target": target, "losses": torch.tensor(losses), "tokens": tokens().detach().float()}
    save_file({name: value.contiguous() for name, value in expected.items()}, out / family / "expected.safetensors")
