"""Writes a sentence-transformers folder of a real model's shape with random weights, for bench/all.ts and bench/scaling.ts.

    python bench/random_model.py bert-tiny|…|bert-large|modernbert-base|embeddinggemma TOKENIZER_DIR FOLDER

The tokenizer, and with it the size of the vocabulary, is that of TOKENIZER_DIR.
"""
import sys

import torch
from sentence_transformers import SentenceTransformer, models
from transformers import AutoTokenizer, BertConfig, BertModel, Gemma3TextConfig, Gemma3TextModel, ModernBertConfig, ModernBertModel

shape, tokenizer_dir, folder = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
vocabulary = len(tokenizer)
ids = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
torch.manual_seed(1)
BERT = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "medium": (8, 512), "base": (12, 768), "large": (24, 1024)}
if shape.removeprefix("bert-") in BERT:
    layers, hidden = BERT[shape.removeprefix("bert-")]
    model = BertModel(
        BertConfig(
            vocab_size=vocabulary,
            num_hidden_layers=layers,
            hidden_size=hidden,
            num_attention_heads=hidden // 64,
            intermediate_size=4 * hidden,
        )
    )
elif shape == "modernbert-base":
    model = ModernBertModel(
        ModernBertConfig(
            vocab_size=vocabulary, cls_token_id=tokenizer.cls_token_id, sep_token_id=tokenizer.sep_token_id, **ids
        )
    )
elif shape == "embeddinggemma":
    model = Gemma3TextModel(
        Gemma3TextConfig(
            vocab_size=vocabulary,
            hidden_size=768,
            num_hidden_layers=24,
            num_attention_heads=3,
            num_key_value_heads=1,
            head_dim=256,
            intermediate_size=1152,
            max_position_embeddings=2048,
            sliding_window=512,
            use_bidirectional_attention=True,
            **ids,
        )
    )
else:
    raise SystemExit(__doc__)
model.save_pretrained(folder)
tokenizer.save_pretrained(folder)
transformer = models.Transformer(folder, max_seq_length=256)
pooling = models.Pooling(transformer.get_word_embedding_dimension(), pooling_mode="mean")
SentenceTransformer(modules=[transformer, pooling], device="cpu").save(folder)
