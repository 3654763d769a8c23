"""Tiny random encoders of every family: features, pooling, masked-language loss and all gradients, by transformers.

Writes tests/golden/encoders/<family>/: config.json and model.safetensors (a masked language model, as transformers saves
it) and expected.safetensors. Computed in float64, written as float32.

    python encoders.py [FAMILY…]
"""

import json
import sys
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

out = Path(__file__).with_suffix("")
VOCAB, WIDTH, HEADS, INNER, LAYERS, POSITIONS = 40, 20, 4, 24, 2, 32
LENGTHS = [7, 1, 24, 3, 12]
MODES = ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]

common = dict(
    vocab_size=VOCAB,
    hidden_size=WIDTH,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    intermediate_size=INNER,
    max_position_embeddings=POSITIONS,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
modern = dict(
    vocab_size=VOCAB,
    hidden_size=WIDTH,
    num_hidden_layers=LAYERS,
    intermediate_size=INNER,
    max_position_embeddings=POSITIONS,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)
families = {
    "bert": dict(common, layer_norm_eps=1e-5, type_vocab_size=2),
    "distilbert": dict(
        vocab_size=VOCAB,
        dim=WIDTH,
        n_layers=LAYERS,
        n_heads=HEADS,
        hidden_dim=INNER,
        max_position_embeddings=POSITIONS,
        dropout=0.0,
        attention_dropout=0.0,
        activation="relu",
    ),
    "roberta": dict(common, hidden_act="gelu_new", type_vocab_size=1, pad_token_id=1),
    "xlm-roberta": dict(common, layer_norm_eps=1e-5, type_vocab_size=1, pad_token_id=1),
    "mpnet": dict(common, pad_token_id=1, relative_attention_num_buckets=32),
    # Sequences of 24 tokens go beyond the window of 4 to either side.
    "modernbert": dict(
        modern, num_hidden_layers=4, num_attention_heads=2, local_attention=8, cls_token_id=1, sep_token_id=2
    ),
    # Queries wider than the model, fewer heads of keys; biases and angles as Llama 3 scales them.
    "qwen3": dict(modern, num_key_value_heads=2, num_attention_heads=4, head_dim=8),
    "llama": dict(
        modern,
        num_attention_heads=5,
        num_key_value_heads=1,
        attention_bias=True,
        mlp_bias=True,
        rope_scaling=dict(
            rope_type="llama3",
            rope_theta=500.0,
            factor=4.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=16,
        ),
    ),
    "eurobert": dict(modern, num_attention_heads=2),
    "nomic_bert": dict(modern, num_attention_heads=2),
    "gte": dict(modern, num_attention_heads=2, hidden_dropout_prob=0.0, type_vocab_size=1),
    "jina_embeddings_v3": dict(
        modern, num_attention_heads=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=1
    ),
    "gemma3_text": dict(
        modern,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=8,
        query_pre_attn_scalar=8,
        sliding_window=8,
        sliding_window_pattern=2,
        use_bidirectional_attention=True,
    ),
}
# What is not as BERT has it: the name of the table, and whether transformers has a masked language model of it.
TABLES = {"modernbert": "embeddings.tok_embeddings"}
# These are saved under other names than their modules have.
CONVERTED = {"nomic_bert": "nomic_bert.", "gte": "gte.", "jina_embeddings_v3": "roberta.", "eurobert": "model."}
ENCODERS = ["qwen3", "llama", "gemma3_text"]


def randomise(model, seed):
    """No parameter is special: weights of a size at which attention is not uniform, biases and scales that matter."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        norm = "layernorm" in name.lower() or "layer_norm" in name or "norm.weight" in name
        p.data = (1 + 0.2 * noise) if norm and name.endswith("weight") else noise * (0.3 if p.dim() > 1 else 0.1)


def plain_gradients(model):
    found = {name: p.grad.float().clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def gradients(model):
    table = model.get_input_embeddings().weight  # also the output layer, under whose name some families list it
    name = TABLES.get(model.config.model_type, "embeddings.word_embeddings")
    listed = f"{model.base_model_prefix}.{name}.weight" if hasattr(model, model.base_model_prefix) else "embed_tokens.weight"
    found = {listed if p is table else name: p.grad.float().clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def by_saved_names(model, found):
    """Gradients under the names that the model's weights are saved by: a copy of it is saved with them as weights."""
    copy = deepcopy(model)
    modules = dict(copy.named_parameters())
    for p in modules.values():
        p.data = torch.zeros_like(p)
    for name, gradient in found.items():
        modules[name].data = gradient
    with TemporaryDirectory() as folder:
        copy.save_pretrained(folder)
        saved = load_file(f"{folder}/model.safetensors")
    return {name: value for name, value in saved.items() if "pooler" not in name}


def build(family, seed):
    config = AutoConfig.for_model(family, **families[family])
    kind = AutoModel if family in ENCODERS else AutoModelForMaskedLM
    model = kind.from_config(config, attn_implementation="eager")
    randomise(model, seed)
    model.eval().save_pretrained(out / family)
    (out / family / "generation_config.json").unlink(missing_ok=True)
    model.double()

    generator = torch.Generator().manual_seed(seed)
    pad = config.pad_token_id or 0
    ids = torch.full((len(LENGTHS), max(LENGTHS)), pad)
    types = torch.zeros_like(ids)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = torch.randint(4, VOCAB, (length,), generator=generator)
        if family == "bert":
            types[row, length // 2 : length] = 1
        mask[row, :length] = 1
    inside = mask.bool()
    extra = {"token_type_ids": types} if family == "bert" else {}

    encoder = model.base_model
    alone = family in TABLES or family in ENCODERS or family in CONVERTED
    if alone:
        # One by one: a padded query outside of every window has no key, and its NaN spreads to all others.
        rows = [encoder(input_ids=ids[row : row + 1, :length]).last_hidden_state for row, length in enumerate(LENGTHS)]
        tokens = torch.cat([F.pad(row, (0, 0, 0, max(LENGTHS) - row.shape[1])) for row in rows])
    else:
        tokens = encoder(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
    expected = {"ids": ids[inside].int(), "types": types[inside].int(), "lengths": torch.tensor(LENGTHS).int()}
    expected["tokens"] = tokens[inside]
    for mode in MODES:
        pooled = Pooling(WIDTH, pooling_mode=mode)({"token_embeddings": tokens, "attention_mask": mask})
        expected[f"pooled/{mode.removesuffix('_tokens')}"] = pooled["sentence_embedding"]

    direction = torch.randn(tokens[inside].shape, generator=generator, dtype=torch.float64)
    expected["direction"] = direction
    (tokens[inside] * direction.float().double()).sum().backward()
    if family in CONVERTED:
        found = by_saved_names(model, plain_gradients(model))
        whole = CONVERTED[family] if family in ENCODERS else ""
        # The masked language model's own head has none here.
        found = {whole + name: value for name, value in found.items() if (whole + name).startswith(CONVERTED[family])}
    else:
        whole = "model." if family in ENCODERS else ""
        found = {whole + name: gradient for name, gradient in gradients(model).items()}
    for name, gradient in found.items():
        expected[f"gradient/{name}"] = gradient
    if family not in ENCODERS:
        masked(model, ids, mask, extra, alone, generator, expected)
    save_file(
        {k: (v.detach().float() if v.is_floating_point() else v).contiguous() for k, v in expected.items()},
        out / family / "expected.safetensors",
    )


def masked(model, ids, mask, extra, alone, generator, expected):
    inside = mask.bool()
    chosen = inside & (torch.rand(ids.shape, generator=generator) < 0.4)
    labels = torch.where(chosen, torch.randint(4, VOCAB, ids.shape, generator=generator), -100)
    if alone:
        counts = [(labels[row] >= 0).sum() for row in range(len(LENGTHS))]
        losses = [
            model(input_ids=ids[row : row + 1, :length], labels=labels[row : row + 1, :length]).loss * counts[row]
            for row, length in enumerate(LENGTHS)
            if counts[row] > 0
        ]
        loss = sum(losses) / sum(counts)
    else:
        loss = model(input_ids=ids, attention_mask=mask, labels=labels, **extra).loss
    loss.backward()
    expected["labels"] = torch.where(labels < 0, -1, labels)[inside].int()
    expected["loss"] = loss.reshape(1)
    converted = model.config.model_type in CONVERTED
    found = by_saved_names(model, plain_gradients(model)) if converted else gradients(model)
    for name, gradient in found.items():
        expected[f"masked/{name}"] = gradient


wanted = sys.argv[1:] or families
for seed, family in enumerate(families):
    if family in wanted:
        build(family, seed + 1)

relative = torch.arange(-300, 301)
(out / "relative_buckets.json").write_text(
    json.dumps({"from": -300, "buckets": MPNetEncoder.relative_position_bucket(relative).tolist()})
)
