"""Values and slopes of transformers' activations: writes activations.json beside this file."""
import json
import pathlib

import torch
from transformers.activations import ACT2FN

NAMES = [
    "gelu", "gelu_python", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python_tanh", "gelu_pytorch_tanh",
    "leaky_relu", "quick_gelu", "relu", "relu2", "sigmoid", "silu", "swish", "tanh",
]
x = torch.cat([torch.linspace(-9, 9, 38), torch.tensor([-30.0, -1e-4, 1e-4, 30.0])]).double()
out = {"x": [round(value, 6) for value in x.tolist()]}
x = torch.tensor(out["x"], dtype=torch.float64, requires_grad=True)
for name in NAMES:
    y = ACT2FN[name](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    out[name] = {"y": [float(f"{v:.8g}") for v in y.tolist()], "slope": [float(f"{v:.8g}") for v in slope.tolist()]}
path = pathlib.Path(__file__).with_name("activations.json")
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
