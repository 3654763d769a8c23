"""Folders of sentence-transformers with tiny random encoders of today's families, and their embeddings of some texts.

Writes folders/<family>/ and folders/embeddings.json beside this file; tokenizers are those of tokenizers_today.py. With
`--check DIR` it loads the folders DIR/<family> that Kindred saved, and prints how far their embeddings are off.

    HF_HUB_OFFLINE=1 python tests/golden/folders.py [--check DIR]
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, StaticEmbedding, Transformer
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer

HERE = Path(__file__).parent
OUT = Path(__file__).with_suffix("")
TEXTS = [
    "A man is playing a guitar.",
    "Someone plays music.",
    "the cat sat on the mat and looked at the dog for a very long time indeed",
    "",
    "Zürich 42!",
]
# family: pooling, tokenizer
FAMILIES = {
    "modernbert": ("cls", "modernbert"),
    "qwen3": ("lasttoken", "qwen3"),
    "gemma3_text": ("mean", "gemma3"),
    "eurobert": ("mean", "modernbert"),
    "nomic_bert": ("mean", "modernbert"),
    "gte": ("cls", "modernbert"),
    "llama": ("mean", "modernbert"),
}


def build(family, pooling, tokenizer_name):
    json_config = json.loads((HERE / "encoders" / family / "config.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(HERE / "tokenizers" / tokenizer_name)
    json_config.update(vocab_size=len(tokenizer), max_position_embeddings=64)
    json_config = {k: 0 if k.endswith("_token_id") else v for k, v in json_config.items() if k != "architectures"}
    torch.manual_seed(1)
    model = AutoModel.from_config(AutoConfig.for_model(**json_config))
    for p in model.parameters():
        p.data += 0.1 * torch.randn_like(p)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        modules = [Transformer(folder, max_seq_length=32), Pooling(20, pooling_mode=pooling), Normalize()]
    whole = SentenceTransformer(modules=modules, device="cpu")
    shutil.rmtree(OUT / family, ignore_errors=True)
    whole.save(str(OUT / family))
    (OUT / family / "README.md").unlink()
    return whole.encode(TEXTS, batch_size=1).tolist()


def build_static():
    """A table of random rows; each text is the mean of its tokens' rows."""
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizers" / "wordlevel" / "tokenizer.json"))
    torch.manual_seed(2)
    rows = torch.randn(tokenizer.get_vocab_size(), 12)
    whole = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=rows)], device="cpu")
    shutil.rmtree(OUT / "static", ignore_errors=True)
    whole.save(str(OUT / "static"))
    (OUT / "static" / "README.md").unlink()
    return whole.encode(TEXTS).tolist()


def build_model2vec():
    """A folder as model2vec writes it: half precision, one row for several tokens, a weight for each token."""
    folder = OUT / "model2vec"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizers" / "wordlevel" / "tokenizer.json"))
    torch.manual_seed(3)
    tokens = tokenizer.get_vocab_size()
    tensors = {"embeddings": torch.randn(50, 12).half(), "mapping": torch.randint(0, 50, (tokens,)), "weights": torch.rand(tokens)}
    save_file(tensors, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True, "hidden_dim": 12}
    (folder / "config.json").write_text(json.dumps(config))
    whole = SentenceTransformer(modules=[StaticEmbedding.load(str(folder)), Normalize()], device="cpu")
    return whole.encode(TEXTS).tolist()


if sys.argv[1:2] == ["--check"]:
    embeddings = json.loads((OUT / "embeddings.json").read_text())
    for family in [*FAMILIES, "static", "model2vec"]:
        found = SentenceTransformer(str(Path(sys.argv[2]) / family), device="cpu").encode(TEXTS, batch_size=1)
        print(family, np.abs(found - np.array(embeddings[family])).max())
else:
    embeddings = {family: build(family, *rest) for family, rest in FAMILIES.items()}
    embeddings |= {"static": build_static(), "model2vec": build_model2vec()}
    (OUT / "embeddings.json").write_text(json.dumps({"texts": TEXTS, **embeddings}))
