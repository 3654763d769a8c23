"""Records of random CSV texts as pandas reads them. Run: python separated.py > separated.json"""

import io
import json
import random
import re
import sys

import pandas


def read(text: str):
    """Rows of fields without the empty ones at their end, for which pandas does not tell whether they were there."""
    try:
        frame = pandas.read_csv(
            io.StringIO(text, newline=""), header=None, names=range(12), index_col=False,
            dtype=str, keep_default_na=False, na_values=[], engine="c",
        )
    except pandas.errors.ParserError as error:
        if "EOF inside string" not in str(error):
            raise
        return None
    rows = frame.to_numpy(dtype=object).tolist()
    return [row[: max([0] + [i + 1 for i, cell in enumerate(row) if cell != ""])] for row in rows]


random.seed(7)
cases = []
while len(cases) < 500:
    letters = random.choice(['ab,"\n', 'a,""\r\n', 'a, "\n', 'ab,"\r'])
    text = "".join(random.choice(letters) for _ in range(random.randint(3, 24)))
    if not re.search("(^|[\\r\\n])\\r(?!\\n)", text):  # pandas loses a row behind a blank line that ends with a lone CR
        cases.append([text, read(text)])
json.dump({"pandas": pandas.__version__, "cases": cases}, sys.stdout)
