"""A tiny sentence-transformers model with everything in it, its embeddings, and ten steps of training by PyTorch.

Writes tests/golden/training/: the model as sentence-transformers saves it (two pooling modes, a dense layer,
normalisation, prompts) and expected.json, expected.safetensors. Ten steps: multiple-negatives ranking loss, AdamW with
the decay groups of Hugging Face's trainer, three steps of warmup, linear decay, clipping at 1. In float64.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizer, get_linear_schedule_with_warmup
from transformers.trainer_pt_utils import get_parameter_names

out = Path(__file__).with_suffix("")
WIDTH, DENSE, STEPS, BATCH, RATE, DECAY = 20, 12, 10, 6, 5e-3, 0.01
words = "red green blue fish bird tree runs sings grows fast slow the a in over sky water ##s ##ing ##er".split()
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *"abcdefghi", *(f"##{c}" for c in "abcdefghi")]


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        norm = "LayerNorm" in name
        p.data = (1 + 0.2 * noise) if norm and name.endswith("weight") else noise * (0.3 if p.dim() > 1 else 0.1)


shutil.rmtree(out, ignore_errors=True)
plain = out / "plain"
plain.mkdir(parents=True)
(plain / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
BertTokenizer(str(plain / "vocab.txt"), model_max_length=16).save_pretrained(plain)
BertModel(
    BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=24,
        max_position_embeddings=20,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
).save_pretrained(plain)
model = SentenceTransformer(
    modules=[
        Transformer(str(plain), max_seq_length=16),
        Pooling(WIDTH, pooling_mode=("mean", "max")),
        Dense(2 * WIDTH, DENSE),
        Normalize(),
    ],
    prompts={"query": "the a "},
    device="cpu",
)
randomise(model, 11)
model.save_pretrained(str(out / "model"))
shutil.rmtree(plain)
(out / "model" / "README.md").unlink(missing_ok=True)
model.double()

generator = torch.Generator().manual_seed(5)


def sentence():
    length = int(torch.randint(1, 24, (1,), generator=generator))
    usable = [w for w in words if not w.startswith("##")] + ["fishing", "faster", "Birds", "abc", "qqq", "grows,"]
    return " ".join(usable[int(i)] for i in torch.randint(0, len(usable), (length,), generator=generator))


pairs = [(sentence(), sentence()) for _ in range(STEPS * BATCH)]
probe = [sentence() for _ in range(5)] + [""]
expected = {
    "texts": probe,
    "embeddings": model.encode(probe, convert_to_tensor=True, show_progress_bar=False).flatten().tolist(),
    "queries": model.encode(probe, prompt_name="query", convert_to_tensor=True, show_progress_bar=False).flatten().tolist(),
}

loss_of = MultipleNegativesRankingLoss(model)
no_decay = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
decaying = set(get_parameter_names(model, [torch.nn.LayerNorm], no_decay))
named = list(model.named_parameters())
optimizer = torch.optim.AdamW(
    [
        {"params": [p for n, p in named if n in decaying], "weight_decay": DECAY},
        {"params": [p for n, p in named if n not in decaying], "weight_decay": 0.0},
    ],
    lr=RATE,
)
schedule = get_linear_schedule_with_warmup(optimizer, 3, STEPS)
losses, norms = [], []
model.train()
for step in range(STEPS):
    batch = pairs[step * BATCH : (step + 1) * BATCH]
    features = [model.preprocess([pair[column] for pair in batch]) for column in range(2)]
    optimizer.zero_grad()
    loss = loss_of(features, None)
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
model.eval()
expected |= {
    "learningRate": RATE,
    "weightDecay": DECAY,
    "warmup": 3,
    "batchSize": BATCH,
    "pairs": pairs,
    "losses": losses,
    "gradientNorms": norms,
    "trained": model.encode(probe, convert_to_tensor=True, show_progress_bar=False).flatten().tolist(),
}
(out / "expected.json").write_text(json.dumps(expected))
final = {name: p for name, p in named if "pooler" not in name}
save_file({k: v.detach().float().contiguous() for k, v in final.items()}, out / "expected.safetensors")
print(losses, norms)
