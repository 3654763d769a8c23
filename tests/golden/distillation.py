"""Tables that model2vec distils of tiny random encoders, and embeddings that sentence-transformers gives with them.

Writes distillation/ beside this file: bert/, a teacher with word pieces, and for it and for folders/modernbert (byte
pairs) the table, the vocabulary and the embeddings. With `--check DIR` it loads every folder in DIR that Kindred saved,
by sentence-transformers and by model2vec, and prints how far apart they and the stored embeddings are.

    HF_HUB_OFFLINE=1 python tests/golden/distillation.py [--check DIR]
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from model2vec import StaticModel
from model2vec.distill import distill
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from transformers import AutoTokenizer, BertConfig, BertModel

HERE = Path(__file__).parent
OUT = Path(__file__).with_suffix("")
TEXTS = ["A man is playing a guitar.", "the cat sat on the mat in new york", "Zürich 42!", "unaffable guitarists", "[MASK]"]
WORDS = ["guitarists", "New York", "the", "zzz", "Zzz", " "]


def teacher():
    folder = OUT / "bert"
    tokenizer = AutoTokenizer.from_pretrained(HERE / "tokenizers" / "bert")
    torch.manual_seed(7)
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=24, max_position_embeddings=32)
    model = BertModel(config, add_pooling_layer=False)
    for p in model.parameters():
        p.data += 0.1 * torch.randn_like(p)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


if sys.argv[1:2] == ["--check"]:
    expected = json.loads((OUT / "expected.json").read_text())
    for folder in sorted(p for p in Path(sys.argv[2]).iterdir() if (p / "modules.json").exists()):
        found = SentenceTransformer(str(folder), device="cpu").encode(expected["texts"])
        unk = StaticModel.from_pretrained(str(folder))
        other = unk.encode(expected["texts"])
        stored = expected.get(folder.name.removesuffix("_saved").removesuffix("_pruned"))
        apart = None if stored is None else np.abs(found - np.array(stored["embeddings"])).max()
        print(folder.name, "stored", apart, "model2vec", np.abs(found - other).max(axis=1).tolist())
else:
    OUT.mkdir(exist_ok=True)
    expected, tables = {"texts": TEXTS, "words": WORDS}, {}
    cases = {
        "bert": (teacher(), dict(pca_dims=8)),
        "bert_words": (OUT / "bert", dict(pca_dims=8, vocabulary=WORDS)),
        "bert_whole": (OUT / "bert", dict(pca_dims=None, sif_coefficient=None, pooling="first")),
        "modernbert": (HERE / "folders" / "modernbert", dict(pca_dims=12, sif_coefficient=1e-3)),
    }
    for name, (folder, options) in cases.items():
        model = distill(str(folder), device="cpu", quantize_to="float32", **options)
        static = StaticEmbedding(model.tokenizer, embedding_weights=torch.from_numpy(model.embedding).float())
        whole = SentenceTransformer(modules=[static, Normalize()], device="cpu")
        tables[name] = np.ascontiguousarray(model.embedding.astype(np.float32))
        expected[name] = {"tokens": list(model.tokens), "embeddings": whole.encode(TEXTS).tolist()}
    save_file(tables, OUT / "tables.safetensors")
    (OUT / "expected.json").write_text(json.dumps(expected))
