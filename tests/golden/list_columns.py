"""Lists of documents as a Parquet file of `datasets` has them: a query, a list of texts, a list of labels.

Writes tests/golden/list_columns.parquet, and list_columns_whole.parquet with whole numbers (int64) as labels.
"""

from pathlib import Path

from datasets import Dataset

HERE = Path(__file__).with_suffix("")
rows = {
    "query": ["What are pandas?", "What is the capital of France?"],
    "docs": [
        ["Pandas are a kind of bear.", "Pandas are kind of like fish."],
        ["The capital of France is Paris.", "Paris is the capital of France.", "Paris is quite large."],
    ],
}
Dataset.from_dict({**rows, "labels": [[1.0, 0.0], [1.0, 0.5, 0.0]]}).to_parquet(f"{HERE}.parquet")
Dataset.from_dict({**rows, "labels": [[1, 0], [2, 1, 0]]}).to_parquet(f"{HERE}_whole.parquet")
