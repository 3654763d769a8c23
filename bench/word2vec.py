"""Nearest words of gensim's vectors and of Kindred's, on one corpus with two seeds each.

    deno run -A bench/word2vec.ts --texts FILE --python PYTHON
"""
import string
import sys
import time

import numpy as np
from gensim.models import KeyedVectors, Word2Vec

texts, *files = sys.argv[1:]


def words(text):
    return [word for word in (part.strip(string.punctuation) for part in text.lower().split()) if word]


with open(texts) as lines:
    sentences = [words(line) for line in lines if line.strip()]
vectors = {}
for seed in (1, 2):
    begin = time.time()
    vectors[f"gensim {seed}"] = Word2Vec(sentences, sg=1, seed=seed, workers=1).wv
    print(f"gensim, seed {seed}: {time.time() - begin:.1f} s")
for seed, file in enumerate(files, 1):
    vectors[f"Kindred {seed}"] = KeyedVectors.load_word2vec_format(file)
common = [word for word in vectors["gensim 1"].index_to_key if all(word in each for each in vectors.values())]
asked = np.arange(min(2000, len(common)))


def nearest(keyed, count=10):
    rows = np.stack([keyed[word] for word in common])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows[asked] @ rows.T
    cosines[asked, asked] = -2
    return np.argsort(-cosines, axis=1)[:, :count]


found = {name: nearest(keyed) for name, keyed in vectors.items()}
print(f"{len(common)} words; of the {len(asked)} most frequent the share of ten nearest that both have:")
names = list(found)
for i, first in enumerate(names):
    for second in names[i + 1 :]:
        share = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found[first], found[second])])
        print(f"{first} and {second}: {share:.4f}")
