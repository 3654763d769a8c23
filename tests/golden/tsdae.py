"""TSDAE on tiny random models, by sentence-transformers' DenoisingAutoEncoderLoss.

Writes tests/golden/tsdae/<family>-<tied|untied>.safetensors and .json for the encoders of encoders/ (masked language
models): the decoder's own tensors, every gradient of the first batch, the losses of five steps of AdamW with decay and
clipping at 1 over all parameters, and (tied) the weights after them. Texts are ids: nothing is tokenised. In float64,
without dropout.

Queries and keys of the cross-attention are left out: their gradient is 0, which is checked here.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertTokenizer
from transformers.trainer_pt_utils import get_parameter_names

here = Path(__file__).parent
out = Path(__file__).with_suffix("")
out.mkdir(exist_ok=True)
VOCAB, STEPS, BATCH, RATE, DECAY = 40, 5, 4, 5e-3, 0.01
NO_DECAY = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]


def texts(generator, longest):
    def ids(shortest):
        length = int(torch.randint(shortest, longest, (1,), generator=generator))
        return torch.randint(4, VOCAB, (length,), generator=generator).tolist()

    return [(ids(1), ids(2)) for _ in range(STEPS * BATCH)]


def features(rows, pad):
    longest = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != pad).long()}


def randomise(module, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, p in module.named_parameters():
        if "crossattention" in name:
            noise = torch.randn(p.shape, generator=generator)
            norm = "LayerNorm" in name and name.endswith("weight")
            p.data = ((1 + 0.2 * noise) if norm else noise * (0.3 if p.dim() > 1 else 0.1)).to(p.dtype)


def own_name(name):
    """The name of a parameter of the loss in Kindred, or None if it has no use there."""
    if "pooler" in name or "crossattention.self.query" in name or "crossattention.self.key" in name:
        return None
    where, _, rest = name.partition(".")
    if where == "encoder":
        return rest.split("model.", 1)[1]
    return "decoder/" + rest.removeprefix("bert.").removeprefix("roberta.")


def build(family, tied, seed):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("abcdefghijklmnopqrstuvwxyz123456789")) + "\n")
        BertTokenizer(f"{folder}/vocab.txt").save_pretrained(folder)
        for name in ["config.json", "model.safetensors"]:
            shutil.copy(here / "encoders" / family / name, folder)
        width = json.loads((Path(folder) / "config.json").read_text())["hidden_size"]
        model = SentenceTransformer(modules=[Transformer(folder), Pooling(width, pooling_mode="cls")], device="cpu")
        loss_of = DenoisingAutoEncoderLoss(model, folder, tie_encoder_decoder=tied)
    pad = model.transformers_model.config.pad_token_id
    loss_of.tokenizer_decoder.pad_token_id = pad  # the ids of this script are those of the model, not of a tokenizer
    assert loss_of.tokenizer_decoder.pad_token_id == pad
    randomise(loss_of, seed)
    loss_of.double()
    loss_of.eval()  # no dropout; configurations have none either

    # A tied parameter is listed once, under the encoder's name; the output layer is the table of words.
    named = {own: p for name, p in loss_of.named_parameters() if (own := own_name(name)) is not None}
    shared = "embeddings.word_embeddings.weight"
    table = named[shared if tied else f"decoder/{shared}"]
    assert loss_of.decoder.get_output_embeddings().weight is table
    own = {name: p for name, p in named.items() if name.startswith("decoder/")}
    expected = {f"initial/{name}": p.detach().clone() for name, p in own.items() if tied or "crossattention" in name}

    generator = torch.Generator().manual_seed(seed)
    pairs = texts(generator, 14)
    inputs = lambda step: [features([pair[i] for pair in pairs[step * BATCH : (step + 1) * BATCH]], pad) for i in range(2)]

    decaying = set(get_parameter_names(loss_of, [torch.nn.LayerNorm], NO_DECAY))
    every = list(loss_of.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in every if n in decaying], "weight_decay": DECAY},
            {"params": [p for n, p in every if n not in decaying], "weight_decay": 0.0},
        ],
        lr=RATE,
    )
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(inputs(step), None)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for name, p in named.items():
                expected[f"gradient/{name}"] = p.grad.clone()
            for name, p in every:
                if own_name(name) is None and p.grad is not None:
                    assert p.grad.abs().max() < 1e-12, name
        norms.append(float(torch.nn.utils.clip_grad_norm_(loss_of.parameters(), 1.0)))
        optimizer.step()
    if tied:
        for name, p in named.items():
            expected[f"trained/{name}"] = p.detach()
    name = f"{family}-{'tied' if tied else 'untied'}"
    save_file({k: v.float().contiguous() for k, v in expected.items()}, out / f"{name}.safetensors")
    (out / f"{name}.safetensors").chmod(0o644)
    settings = {"pairs": pairs, "batchSize": BATCH, "learningRate": RATE, "weightDecay": DECAY}
    (out / f"{name}.json").write_text(json.dumps(settings | {"losses": losses, "gradientNorms": norms}))
    print(name, losses, norms, len(named))


for seed, family in enumerate(["bert", "roberta", "xlm-roberta"]):
    build(family, True, seed + 1)
    if family != "xlm-roberta":
        build(family, False, seed + 11)
