"""Distils an encoder by model2vec, for bench/distill.ts.

    python bench/distill_model2vec.py MODEL FOLDER
"""

import sys
import time

from model2vec.distill import distill

started = time.time()
model = distill(sys.argv[1], device="cpu", quantize_to="float32")
print(f"{time.time() - started:.1f} s, {model.embedding.shape}")
model.save_pretrained(sys.argv[2])
