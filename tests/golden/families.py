"""Every family of encoders under configurations at random, its heads, and ten steps of AdamW, by transformers.

Writes tests/golden/families.json. Weights are not stored: value i of the tensor called `name` is a function of both, the
one of `values` here and of tests/golden/formula.ts. Computed in float64, sequence by sequence.

    python tests/golden/families.py [SEED OUT]    (another seed, another file: more configurations)
"""

import json
import math
import random
import re
import sys
import tempfile
import zlib
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    get_linear_schedule_with_warmup,
)
from transformers.trainer_pt_utils import get_parameter_names
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
OUT = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_suffix(".json")
VOCAB, WIDTH, INNER = 40, 20, 24
PREFIX = ("bert.", "distilbert.", "roberta.", "mpnet.", "model.", "nomic_bert.", "gte.", "new.")
torch.set_num_threads(1)
disable_progress_bar()
set_verbosity_error()


def values(name, shape):
    """u(i) in [−1, 1) from a hash of the name and i; 0.5 u, of vectors 0.2 u, and 1 + 0.3 u where they are scales."""
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(zlib.crc32(name.encode()))
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    u = x.astype(np.float64) / 2**31 - 1
    plain = 0.5 * u if len(shape) > 1 else 1 + 0.3 * u if name.endswith("weight") else 0.2 * u
    return torch.tensor(plain.astype(np.float32)).reshape(shape)


def stripped(name):
    return next((name[len(p) :] for p in PREFIX if name.startswith(p)), name)


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/model.safetensors")


def build(kind, raw, **more):
    config = CONFIG_MAPPING[raw["model_type"]].from_dict(deepcopy({**raw, **more}))  # it writes into what it is given
    model = kind.from_config(config, attn_implementation="eager")
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        tensors = {name: values(stripped(name), tuple(t.shape)) for name, t in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})
        return kind.from_pretrained(folder, config=config, attn_implementation="eager", dtype=torch.float32).double().eval()


def features(model, ids):
    return [model(input_ids=torch.tensor([row])).last_hidden_state[0] for row in ids]


def rounded(tensor):
    return [float(f"{x:.7g}") for x in tensor.detach().flatten().tolist()]


choose = random.Random(SEED)
ids = [[choose.randrange(4, VOCAB) for _ in range(length)] for length in (9, 1, 24)]
bert = dict(vocab_size=VOCAB, hidden_size=WIDTH, num_hidden_layers=2, intermediate_size=INNER, max_position_embeddings=32)
bert |= dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
plain = {k: v for k, v in bert.items() if "dropout" not in k} | {"pad_token_id": 0}
ABSENT = object()
ACTIVATIONS = ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "tanh", "sigmoid", "relu2", "leaky_relu"]
scaled = dict(rope_type="linear", factor=4.0)
llama3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
yarn = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8)
dynamic = dict(rope_type="dynamic", factor=2.0)
ROPE = {
    "rope_theta": [ABSENT, ABSENT, 100.0, 7000],
    "rope_parameters": [ABSENT, ABSENT, None, dict(rope_theta=50.0, rope_type="default"), dict(scaled, rope_theta=90.0)],
    "rope_scaling": [*[ABSENT] * 5, None, scaled, dict(type="linear", factor=2.0), llama3, llama3, yarn, dynamic],
}
# Per field, what it may be. A field that the family does not know must not matter.
FIELDS = {
    "bert": {
        "num_attention_heads": [1, 2, 4],
        "hidden_act": [ABSENT, *ACTIVATIONS],
        "layer_norm_eps": [ABSENT, 1e-5, 0.1],
        "type_vocab_size": [ABSENT, 1, 3],
        "pad_token_id": [ABSENT, 3],
        "pruned_heads": [ABSENT, {}],
        "position_embedding_type": [ABSENT, "absolute"],
        "chunk_size_feed_forward": [ABSENT, 0],
    },
    "distilbert": {
        "n_heads": [1, 2, 4],
        "activation": [ABSENT, "gelu", "relu"],
        "sinusoidal_pos_embds": [ABSENT, False, True],
        "layer_norm_eps": [ABSENT, 0.1],
        "type_vocab_size": [ABSENT, 3],
    },
    "mpnet": {
        "num_attention_heads": [1, 2, 4],
        "hidden_act": [ABSENT, *ACTIVATIONS],
        "relative_attention_num_buckets": [ABSENT, 32, 40],
        "layer_norm_eps": [ABSENT, 1e-5, 0.1],
        "pad_token_id": [ABSENT, 1, 3],
        "type_vocab_size": [ABSENT, 3],
    },
    "modernbert": {
        "num_hidden_layers": [3, 4],
        "num_attention_heads": [1, 2],
        "hidden_activation": [ABSENT, *ACTIVATIONS],
        "hidden_act": [ABSENT, "relu"],
        "norm_eps": [ABSENT, 0.1],
        "norm_bias": [ABSENT, True],
        "attention_bias": [ABSENT, True],
        "mlp_bias": [ABSENT, True],
        "local_attention": [ABSENT, 4, 7, 10],
        "global_attn_every_n_layers": [ABSENT, 1, 2],
        "layer_types": [ABSENT, ABSENT, "at random"],
        "global_rope_theta": [ABSENT, 100.0],
        "local_rope_theta": [ABSENT, 60.0],
        "rope_theta": [ABSENT, 70.0],
        "rope_parameters": [
            ABSENT,
            ABSENT,
            dict(full_attention=dict(rope_type="default", rope_theta=40.0), sliding_attention=dict(rope_theta=30.0, **scaled)),
            dict(full_attention=dict(scaled), sliding_attention=dict(rope_type="default")),
        ],
        "rope_scaling": [*[ABSENT] * 4, None, scaled, scaled, dynamic],
        "position_embedding_type": [ABSENT, "absolute"],
    },
    "nomic_bert": {
        "num_attention_heads": [1, 2],
        "hidden_act": [ABSENT, "gelu", "relu", "silu"],
        "layer_norm_eps": [ABSENT, 0.1],
        "type_vocab_size": [ABSENT, 1, 3],
        "head_dim": [*[ABSENT] * 4, None, 8],
        **ROPE,
    },
    "gte": {
        "num_attention_heads": [1, 2],
        "hidden_act": [ABSENT, "gelu", "relu", "silu"],
        "layer_norm_eps": [ABSENT, 0.1],
        "type_vocab_size": [ABSENT, 0, 3],
        "head_dim": [*[ABSENT] * 5, 8],
        **ROPE,
    },
    "qwen3": {
        "num_attention_heads": [2, 4],
        "num_key_value_heads": [1, 2],
        "head_dim": [8, 6],
        "hidden_act": [ABSENT, "silu", "gelu", "relu"],
        "rms_norm_eps": [ABSENT, 0.1],
        "attention_bias": [ABSENT, True],
        "mlp_bias": [ABSENT, True],
        "use_sliding_window": [ABSENT, False, True, True],
        "sliding_window": [ABSENT, None, 5],
        "max_window_layers": [ABSENT, 0, 1],
        "layer_types": [ABSENT, ABSENT, ABSENT, "at random"],
        "is_causal": [ABSENT, True, False],
        **ROPE,
    },
    "llama": {
        "num_attention_heads": [2, 5],
        "num_key_value_heads": [ABSENT, 1],
        "head_dim": [ABSENT, None, 6],
        "hidden_act": [ABSENT, "silu", "gelu", "relu"],
        "rms_norm_eps": [ABSENT, 0.1],
        "attention_bias": [ABSENT, True],
        "mlp_bias": [ABSENT, True],
        "is_causal": [ABSENT, True, False],
        "pretraining_tp": [ABSENT, 2],
        "partial_rotary_factor": [*[ABSENT] * 7, 0.5],
        **ROPE,
    },
    "gemma3_text": {
        "num_hidden_layers": [3],
        "num_attention_heads": [2, 4],
        "num_key_value_heads": [1, 2],
        "head_dim": [8, 6],
        "hidden_activation": [ABSENT, "gelu_pytorch_tanh", "gelu", "silu"],
        "hidden_act": [ABSENT, "relu"],
        "rms_norm_eps": [ABSENT, 0.1],
        "attention_bias": [ABSENT, True],
        "query_pre_attn_scalar": [ABSENT, 8, 24],
        "sliding_window": [8, 5],
        "sliding_window_pattern": [ABSENT, 2],
        "layer_types": [ABSENT, ABSENT, "at random"],
        "use_bidirectional_attention": [ABSENT, False, True],
        "is_causal": [*[ABSENT] * 6, False],
        "attn_logit_softcapping": [*[ABSENT] * 5, None, 5.0],
        "rope_theta": [ABSENT, 100.0],
        "rope_local_base_freq": [ABSENT, 60.0],
        "rope_parameters": [
            ABSENT,
            ABSENT,
            dict(full_attention=dict(rope_type="default", rope_theta=40.0), sliding_attention=dict(rope_theta=30.0, **scaled)),
            dict(full_attention=dict(scaled), sliding_attention=None),
        ],
        "rope_scaling": [*[ABSENT] * 4, None, scaled, scaled, dynamic],
    },
}
FIELDS["roberta"] = FIELDS["bert"] | {"pad_token_id": [ABSENT, 0, 1, 3]}
FIELDS["xlm-roberta"] = FIELDS["camembert"] = FIELDS["roberta"]
FIELDS["jina_embeddings_v3"] = FIELDS["gte"] | {"type_vocab_size": [ABSENT, 1, 3]}
FIELDS["eurobert"] = FIELDS["llama"]
CASES = {"bert": 3, "distilbert": 2, "roberta": 3, "xlm-roberta": 1, "camembert": 1, "mpnet": 3, "modernbert": 10}
CASES |= {"nomic_bert": 5, "gte": 5, "jina_embeddings_v3": 4, "qwen3": 10, "llama": 7, "eurobert": 4, "gemma3_text": 10}


def sizes(family):
    if family == "distilbert":
        names = dict(hidden_size="dim", num_hidden_layers="n_layers", intermediate_size="hidden_dim")
        return {names.get(k, k): v for k, v in plain.items()}
    return bert if family in ("bert", "roberta", "xlm-roberta", "camembert", "mpnet", "nomic_bert", "gte", "jina_embeddings_v3") else plain


def draw(family):
    raw = {"model_type": family, **sizes(family)}
    for name, choices in FIELDS[family].items():
        value = choose.choice(choices)
        if value is not ABSENT:
            raw[name] = value
    if raw.get("layer_types") == "at random":
        raw["layer_types"] = [choose.choice(["full_attention", "sliding_attention"]) for _ in range(raw["num_hidden_layers"])]
    return raw


def unsupported(raw):
    """What Kindred refuses by name although transformers obeys it."""
    ropes = [raw.get("rope_scaling"), raw.get("rope_parameters")]
    if any((r or {}).get("rope_type", (r or {}).get("type")) in ("yarn", "dynamic", "longrope") for r in ropes):
        return True
    post = raw["model_type"] in ("nomic_bert", "gte", "jina_embeddings_v3")
    return (
        raw.get("partial_rotary_factor", 1) != 1
        or post and raw.get("head_dim") not in (None, WIDTH // raw.get("num_attention_heads", 1))
        or raw["model_type"] == "gemma3_text" and (raw.get("attn_logit_softcapping") is not None or raw.get("is_causal") is False)
    )


fields, failed = [], 0
for family, count in CASES.items():
    while count > 0:
        raw = draw(family)
        try:
            tokens = features(build(AutoModel, raw), ids)
        except Exception as error:  # transformers itself does not take it
            failed += 1
            if "-v" in sys.argv:
                print(family, type(error), str(error)[:200], raw)
            if not (unsupported(raw) and choose.random() < 0.3):
                continue
            tokens = None
        case = {"config": raw}
        if unsupported(raw):
            case["isRefused"] = True
        else:
            case["mean"] = rounded(torch.stack([row.mean(0) for row in tokens]))
            case["last"] = rounded(torch.stack([row[-1] for row in tokens]))
        fields.append(case)
        count -= 1
print(len(fields), "configurations,", failed, "that transformers does not take,", sum("isRefused" in c for c in fields), "refused")

# Heads. Some sequences end with the padding token, or are nothing else.
gemma = dict(plain, num_attention_heads=2, num_key_value_heads=1, head_dim=8, query_pre_attn_scalar=8, sliding_window=8, num_hidden_layers=2)
causal = dict(plain, num_attention_heads=2, num_key_value_heads=1, head_dim=8, pad_token_id=3)
HEADS = [
    dict(bert, model_type="bert", num_attention_heads=2),
    dict(bert, model_type="roberta", num_attention_heads=2),
    dict(bert, model_type="mpnet", num_attention_heads=2),
    dict(sizes("distilbert"), model_type="distilbert", n_heads=2, dropout=0.0, seq_classif_dropout=0.0),
    dict(plain, model_type="modernbert", num_attention_heads=2, local_attention=8, pad_token_id=0),
    dict(plain, model_type="modernbert", num_attention_heads=2, classifier_pooling="mean", classifier_bias=True, norm_bias=True,
         classifier_activation="relu", decoder_bias=False, pad_token_id=0),
    dict(bert, model_type="nomic_bert", num_attention_heads=2),
    dict(bert, model_type="gte", num_attention_heads=2, pad_token_id=0),
    dict(bert, model_type="gte", num_attention_heads=2, pad_token_id=0, hidden_act="relu"),
    dict(bert, model_type="jina_embeddings_v3", num_attention_heads=2),
    dict(plain, model_type="eurobert", num_attention_heads=2, pad_token_id=0),
    dict(plain, model_type="eurobert", num_attention_heads=2, pad_token_id=0, classifier_pooling="mean", mlp_bias=True),
    dict(plain, model_type="eurobert", num_attention_heads=2, pad_token_id=0, classifier_pooling="bos", tie_word_embeddings=True),
    dict(causal, model_type="qwen3"),
    dict(causal, model_type="qwen3", pad_token_id=None),
    dict(causal, model_type="llama"),
    dict(gemma, model_type="gemma3_text", pad_token_id=3),
    dict(gemma, model_type="gemma3_text", pad_token_id=3, use_bidirectional_attention=True),
]
endings = [*ids, [7, 9, 3], [3, 5, 3, 3], [3, 3]]
heads = []
for raw in HEADS:
    case = {"config": raw}
    for labels in (1, 3):
        more = {"id2label": {str(i): f"LABEL_{i}" for i in range(labels)}}
        model = build(AutoModelForSequenceClassification, raw, **more)
        logits = torch.cat([model(input_ids=torch.tensor([row])).logits for row in endings])
        case[f"logits{labels}"] = rounded(logits)
    if raw["model_type"] not in ("qwen3", "llama", "gemma3_text"):
        model = build(AutoModelForMaskedLM, raw)
        hidden = model.base_model
        targets = [[(token * 7 + i) % VOCAB if i % 3 == 0 else -100 for i, token in enumerate(row)] for row in ids]
        sums = sum(
            F.cross_entropy(model(input_ids=torch.tensor([row])).logits[0], torch.tensor(target), reduction="sum")
            for row, target in zip(ids, targets)
        )
        case["masked"] = float(sums / sum(t >= 0 for target in targets for t in target))
        case["tensors"] = sorted(stripped(name) for name in saved(model))
    heads.append(case)

# Dropout that leaves nothing, one rate at a time: nothing is left to chance, and a place too many or too few shows.
RATES = {
    **{f: ["hidden_dropout_prob", "attention_probs_dropout_prob"] for f in ("bert", "roberta", "mpnet", "nomic_bert", "gte", "jina_embeddings_v3")},
    "distilbert": ["dropout", "attention_dropout"],
    "modernbert": ["embedding_dropout", "attention_dropout", "mlp_dropout"],
    **{f: ["attention_dropout"] for f in ("eurobert", "qwen3", "llama", "gemma3_text")},
}
dropped, seen = [], set()
for raw in HEADS:
    family = raw["model_type"]
    if family in seen:
        continue
    seen.add(family)
    none = {name: 0.0 for name in RATES[family]}
    for rate in RATES[family]:
        model = build(AutoModel, raw, **{**none, rate: 1.0}).train()
        mean = rounded(torch.stack([row.mean(0) for row in features(model, ids)]))
        plain_mean = rounded(torch.stack([row.mean(0) for row in features(model.eval(), ids)]))
        dropped.append({"config": {**raw, **none}, "rate": rate, "mean": mean, "still": plain_mean})

# Padding that stands in a text: its rows of the tables take no gradient. Σ of the squared means; |gradient| by row.
padded = [*endings, [1, 5, 1]]
padding = []
for raw in HEADS:
    for pad in (3, None):
        family = raw["model_type"]
        if pad is None and family not in ("bert", "distilbert", "modernbert", "qwen3", "eurobert"):
            continue  # the others need one
        config = {**raw, "pad_token_id": pad}
        model = build(AutoModel, config)
        sum(row.mean(0).square().sum() for row in features(model, padded)).backward()
        for p in model.parameters():
            p.data = torch.zeros_like(p) if p.grad is None else p.grad
        tables = {stripped(n): t.double() for n, t in saved(model).items() if re.search(r"embed|relative", n) and t.dim() == 2}
        padding.append({"config": config, "rows": {name: rounded(t.abs().sum(1)) for name, t in sorted(tables.items())}})

# Ten steps.
STEPS, BATCH, RATE, DECAY, WARMUP = 10, 3, 5e-3, 0.1, 3
pairs = [[[choose.randrange(4, VOCAB) for _ in range(choose.randint(1, 20))] for _ in range(2)] for _ in range(STEPS * BATCH)]
no_decay = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
TRAINED = [
    (dict(bert, model_type="bert", num_attention_heads=2), "mean", "cls"),
    (dict(sizes("distilbert"), model_type="distilbert", n_heads=2, dropout=0.0, attention_dropout=0.0), "mean", "cls"),
    (dict(bert, model_type="roberta", num_attention_heads=2), "mean", "cls"),
    (dict(bert, model_type="xlm-roberta", num_attention_heads=2), "mean", "cls"),
    (dict(bert, model_type="mpnet", num_attention_heads=2), "mean", "cls"),
    (dict(plain, model_type="modernbert", num_hidden_layers=4, num_attention_heads=2, local_attention=8), "mean", "cls"),
    (dict(bert, model_type="nomic_bert", num_attention_heads=2), "mean"),
    (dict(bert, model_type="gte", num_attention_heads=2), "cls"),
    (dict(bert, model_type="jina_embeddings_v3", num_attention_heads=2), "mean"),
    (dict(plain, model_type="qwen3", num_attention_heads=4, num_key_value_heads=2, head_dim=8), "lasttoken"),
    (dict(plain, model_type="qwen3", num_attention_heads=4, num_key_value_heads=2, head_dim=8, is_causal=False), "mean"),
    (dict(plain, model_type="llama", num_attention_heads=5, num_key_value_heads=1, attention_bias=True, mlp_bias=True), "lasttoken", "mean"),
    (dict(plain, model_type="eurobert", num_attention_heads=2), "mean", "lasttoken"),
    (dict(gemma, model_type="gemma3_text", num_hidden_layers=3, sliding_window_pattern=2, use_bidirectional_attention=True), "mean"),
    (dict(gemma, model_type="gemma3_text", num_hidden_layers=3, sliding_window_pattern=2), "lasttoken"),
]
POOL = {"mean": lambda t: t.mean(0), "cls": lambda t: t[0], "lasttoken": lambda t: t[-1]}
steps = []
for raw, *poolings in TRAINED:
    for pooling in poolings:
        model = build(AutoModel, raw)
        decaying = set(get_parameter_names(model, [torch.nn.LayerNorm], no_decay))
        named = [(n, p) for n, p in model.named_parameters() if "pooler" not in n]
        optimizer = torch.optim.AdamW(
            [
                {"params": [p for n, p in named if n in decaying], "weight_decay": DECAY},
                {"params": [p for n, p in named if n not in decaying], "weight_decay": 0.0},
            ],
            lr=RATE,
        )
        schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
        losses, norms = [], []
        model.train()
        for step in range(STEPS):
            batch = pairs[step * BATCH : (step + 1) * BATCH]
            a, b = [F.normalize(torch.stack([POOL[pooling](t) for t in features(model, [p[c] for p in batch])])) for c in range(2)]
            loss = F.cross_entropy(20 * a @ b.T, torch.arange(BATCH))
            optimizer.zero_grad()
            loss.backward()
            norms.append(float(torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)))
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        after = {stripped(name): t.double().flatten() for name, t in saved(model).items() if "pooler" not in name}
        sums = {
            name: rounded(torch.stack([t.sum(), t.abs().sum(), t[0], t[len(t) // 2], t[-1]])) for name, t in sorted(after.items())
        }
        steps.append({"config": raw, "pooling": pooling, "losses": losses, "norms": norms, "sums": sums})
        print(raw["model_type"], pooling, losses[0], losses[-1])

result = {
    "ids": ids,
    "fields": fields,
    "endings": endings,
    "heads": heads,
    "dropout": dropped,
    "padded": padded,
    "padding": padding,
    "training": {"batchSize": BATCH, "learningRate": RATE, "weightDecay": DECAY, "warmup": WARMUP, "pairs": pairs, "cases": steps},
}
lines = [f'"{key}": ' + (json.dumps(value) if key == "training" else "[" + ",\n".join(map(json.dumps, value)) + "]") for key, value in result.items()]
OUT.write_text("{" + ",\n".join(lines) + "}\n")
