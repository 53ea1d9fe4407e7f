"""Cross references: ours must resolve (also under the short name a package re-exports), others may."""

import importlib
import re

from docutils import nodes

from course.api import left_out

PLANNED = """
01_feedforward_to_recurrent 02_vanilla_rnn 03_backpropagation_through_time 04_tanh_and_gradients 05_lstm 06_gru
07_bidirectional 08_deep 09_recursive 10_encoder_decoder 11_attention 12_transformers_and_linear_rnns
"""
CHAPTERS = PLANNED.split()
TORCH = "https://docs.pytorch.org/docs/stable/generated/{}.html"
DOCUMENTED = re.compile(r"torch\.(nn|optim)(\.utils|\.functional)?(\.rnn)?\.\w+$")


def canonical(target: str) -> str | None:
    """The name under which a re-exported object is documented.

    >>> canonical("collections.OrderedDict.items") is None
    True
    """
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
            owner = value
            for name in parts[cut:]:
                owner, value = value, getattr(value, name)
        except (ImportError, AttributeError):
            continue
        module = getattr(value, "__module__", None) or getattr(owner, "__module__", None)
        name = getattr(value, "__qualname__", None)
        found = f"{module}.{name}" if module and name else None
        return found if found != target else None
    return None


def constant(target: str) -> str | None:
    """The module of a constant that exists but has no entry of its own.

    >>> constant("math.pi")
    'math'
    >>> constant("math.no_such_thing") is None
    True
    """
    module, _, name = target.rpartition(".")
    try:
        return module if hasattr(importlib.import_module(module), name) else None
    except (ImportError, ValueError):
        return None


def ours(app, env, node, contnode, name: str | None):
    """A link to an object of this package under the name that documents it; None when there is none."""
    if not (name or "").startswith("rnncourse"):
        return None
    return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)


def planned(env, node, contnode):
    """A link to a chapter that is not written yet is words until its file is there."""
    stem = node.get("reftarget", "").rpartition("/")[2]
    if node.get("reftype") != "doc" or stem not in CHAPTERS:
        return None
    return contnode if node.get("refexplicit") else nodes.inline("", f"chapter {int(stem[:2])}")


def resolve(app, env, node, contnode):
    """Called for a reference that Sphinx could not resolve; None lets it warn."""
    if node.get("refdomain") == "std":
        return planned(env, node, contnode)
    if node.get("refdomain") != "py":
        return None
    target = node.get("reftarget", "")
    home = node.get("py:module") or ""
    if any(part.startswith("_") for part in target.split(".")):
        return contnode  # a private base class is named, not linked
    if left_out(target) or (target.startswith("rnncourse") and left_out(canonical(target) or "")):
        return contnode  # named, not linked: the reference has no page of it
    if target.startswith("rnncourse"):
        return ours(app, env, node, contnode, canonical(target) or constant(target))
    if home.startswith("rnncourse") and "." not in target:
        other = canonical(f"{home}.{target}") or ""
        if left_out(other):
            return contnode
        return ours(app, env, node, contnode, other) or contnode
    if DOCUMENTED.match(target):
        return nodes.reference("", "", contnode, refuri=TORCH.format(target), internal=False)
    return contnode


def connect(app):
    """Ask here before a missing reference becomes a warning."""
    app.connect("missing-reference", resolve)
