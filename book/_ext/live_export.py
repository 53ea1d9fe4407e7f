"""Write the numbers that the live figures compute with: ``python -m book._ext.live_export``; a name writes one file.

Three files in ``book/_static/js/live``: the weights of a small letter model (a minute of training), the draws of the
gradient lab, and the beam's table. They are committed: a browser loads them as they are.
"""

import json
import math
import string
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from rnncourse.cells import LSTMCell, RNNCell
from rnncourse.data import prose
from rnncourse.diagnostics import spectral_radius
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.training import cosine, fit

FOLDER = Path(__file__).resolve().parents[1] / "_static" / "js" / "live"
COMMAND = "python -m book._ext.live_export"
ALPHABET = string.ascii_lowercase + " "
HIDDEN, STEPS, BATCH, WINDOW = 24, 8_000, 64, 40
UNITS, FEATURES, LAGS = 16, 4, 60
BEAM = {
    "symbols": "·ABC",  # the end and three letters
    "table": {"": [0, 0.36, 0.30, 0.34], "A": [0, 0.40, 0.30, 0.30], "C": [0, 0.50, 0.50, 0], "AA": [1, 0, 0, 0]},
    "otherwise": [0.25, 0.25, 0.25, 0.25],
    "begun": {"lord": "and the lord said ", "she": "and she "},
    "steps": {"table": 3, "letters": 6},
}


def letters(text: str) -> Tensor:
    """Text as numbers of letters: capitals are small, whatever is no letter is a space, and one space is enough."""
    plain = "".join(letter if letter in ALPHABET else " " for letter in text.lower())
    return torch.tensor([ALPHABET.index(letter) for letter in " ".join(plain.split())])


def windows(stream: Tensor, generator: torch.Generator):
    """Random windows of the stream, without end."""
    while True:
        starts = torch.randint(len(stream) - WINDOW - 1, (BATCH,), generator=generator)
        yield stream[starts[:, None] + torch.arange(WINDOW + 1)]


def surprise(model: nn.Module, batch: Tensor) -> Tensor:
    """Cross-entropy of every letter after the first."""
    logits, _ = model(batch[:, :-1])
    return nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())


def letter_model(steps: int = STEPS, seed: int = 0) -> dict:
    """Train the RNN that reads what a visitor types; its weights as lists, and how well it does on unseen prose."""
    torch.manual_seed(seed)
    data = prose.load(max_chars=1_000_000, max_eval_chars=100_000)
    train, valid = (letters(split.text) for split in (data.train, data.valid))
    model = LanguageModel(Recurrent(RNNCell(len(ALPHABET), HIDDEN)), len(ALPHABET), one_hot=True)
    batches = windows(train, torch.Generator().manual_seed(seed))
    fit(model, batches, loss=surprise, steps=steps, lr=1e-2, schedule=cosine(steps, warmup=100), seed=seed)
    starts = torch.arange(0, len(valid) - WINDOW - 1, WINDOW)
    with torch.no_grad():
        nats = surprise(model.eval(), valid[starts[:, None] + torch.arange(WINDOW + 1)])
    cell, readout = model.layer.cell, model.readout
    weights = {
        "U": cell.weight_ih,
        "W": cell.weight_hh,
        "b": cell.bias_ih + (0 if cell.bias_hh is None else cell.bias_hh),
    }
    weights |= {"V": readout.weight, "c": readout.bias}
    return {"alphabet": ALPHABET, "bits": round(float(nats) / math.log(2), 3), "weights": listed(weights)}


def lab_draws(seed: int = 0) -> dict:
    """An RNN with spectral radius one, an LSTM as PyTorch draws it, and the inputs of the gradient lab."""
    torch.manual_seed(seed)
    recurrent = torch.randn(UNITS, UNITS)
    rnn = {"U": torch.randn(UNITS, FEATURES) / FEATURES**0.5, "W": recurrent / spectral_radius(recurrent)}
    cell = LSTMCell(FEATURES, UNITS)
    lstm = {"U": cell.weight_ih, "W": cell.weight_hh, "b": torch.zeros(4 * UNITS)}
    return {
        "inputs": torch.randn(LAGS, FEATURES).tolist(),
        "rnn": listed(rnn | {"b": torch.zeros(UNITS)}),
        "lstm": listed(lstm),
    }


def listed(weights: dict[str, Tensor]) -> dict[str, list]:
    """Tensors as nested lists, of six significant digits: what a browser loads should be small."""
    return {name: rounded(weight.detach().tolist()) for name, weight in weights.items()}


def rounded(numbers):
    """Six significant digits of every number in a nested list."""
    return [rounded(number) for number in numbers] if isinstance(numbers, list) else float(f"{numbers:.6g}")


def write(name: str, variable: str, value: dict, about: str) -> None:
    """One data file: a script, since a page opened from the disk may not fetch."""
    text = json.dumps(value, separators=(",", ":"))
    path = FOLDER / f"{name}-data.js"
    path.write_text(
        f"// {about}\n// Written by `{COMMAND}`.\nglobalThis.rnncourse.{variable} = {text};\n", encoding="utf-8"
    )
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB", flush=True)


def gradients() -> None:
    """The gradient lab's file."""
    draws = lab_draws()
    draws["inputs"] = rounded(draws["inputs"])
    write("gradients", "draws", draws, f"An RNN of {UNITS} units (radius one), an LSTM, and inputs; seed 0.")


def unrolled() -> None:
    """The letter model's file."""
    model = letter_model()
    about = (
        f"An RNN of {HIDDEN} units on the King James Bible; {model['bits']} bits a letter on unseen chapters; seed 0."
    )
    write("unrolled", "letters", model, about)


def beam() -> None:
    """The beam's file: what its two models begin with and how far they go; the letter model is the one above."""
    write("beam", "beam", BEAM, "Chapter 10's table of probabilities, and what the letter model has read.")


if __name__ == "__main__":
    torch.set_num_threads(1)
    files = {export.__name__: export for export in (gradients, unrolled, beam)}
    for name in sys.argv[1:] or files:
        files[name]()
