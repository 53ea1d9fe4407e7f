"""What crosses the pipe between the grader and the learner's process, and nothing else.

A frame is a prefix (the number of the request that it answers, two big-endian lengths), a JSON header and a block of
safetensors. JSON carries the shape of a value, safetensors its tensors; neither can name a class, run code or refer to
a file. Everything that the other side sends is a value to compare, never an instruction.

Whatever a frame makes the reader do is bounded before it is done: the lengths before a byte is read, the number and
the axes of the tensors before one of them is made, the values before they are built. A tensor can be named once only,
so that no answer is larger than the frame that brought it.

This file is also copied into the sandbox on its own, so it imports nothing of the package.
"""

import json
import struct
from collections import deque
from collections.abc import Iterator, KeysView, ValuesView

import numpy as np
import torch
from safetensors.torch import load, save

__all__ = ["BLOB_LIMIT", "HEADER_LIMIT", "WireError", "decode", "encode", "pack", "plain", "sizes", "unpack"]

PREFIX = struct.Struct(">16sII")  # the request's nonce, the header's length, the tensors' length
NO_NONCE = bytes(16)
HEADER_LIMIT = 1 << 20  # 1 MiB of JSON
BLOB_LIMIT = 32 << 20  # 32 MiB of tensors
NODE_LIMIT = 10_000  # values in one answer, however nested
DEPTH_LIMIT = 20
TENSOR_LIMIT = 2_000  # tensors in one answer
AXES_LIMIT = 16  # of one tensor; beyond 64 PyTorch itself fails in places
LIST_LIMIT = 1 << 19  # bytes of safetensors' own list of tensors
TEXT_LIMIT = 200_000  # characters of one string
INTEGER_LIMIT = 4096  # bits of one Python integer


class WireError(ValueError):
    """What arrived is not a frame of this protocol, or what should leave cannot be put into one."""


def plain(value):
    """The same value, made of exact built-in types and plain tensors only.

    Subclasses are not passed along: an object whose ``__eq__`` says yes to everything has no place in an answer. What
    yields values one after another (a generator, ``map``, ``zip``) becomes the list of them.

    Args:
        value: What the learner's function returned.

    Raises:
        WireError: If the value, or something inside it, is of another kind (the message names it), or too much.

    Example:
        >>> plain((1, np.float64(2.5), [True, None]))
        (1, 2.5, [True, None])
        >>> plain(x * x for x in range(3))
        [0, 1, 4]
        >>> plain(object())
        Traceback (most recent call last):
        rnncourse.grading.wire.WireError: a value of type object, not tensors, numbers, strings or tuples of them
    """
    count = 0

    def node(value, depth):
        nonlocal count
        count += 1
        if count > NODE_LIMIT:
            raise WireError(f"more than {NODE_LIMIT} values")
        if depth > DEPTH_LIMIT:
            raise WireError(f"a value nested more than {DEPTH_LIMIT} deep")
        if value is None or type(value) in (bool, int, float, str):
            return _plain_builtin(value)
        if isinstance(value, torch.Tensor):
            return _plain_tensor(value)
        if isinstance(value, np.ndarray | np.generic):
            return _plain_array(value)
        if isinstance(value, tuple):  # a NamedTuple is a tuple here
            return tuple([node(item, depth + 1) for item in tuple.__iter__(value)])
        if isinstance(value, list):
            return [node(item, depth + 1) for item in list.__iter__(value)]
        if isinstance(value, dict):  # an OrderedDict is a dictionary here
            if not all(type(key) is str for key in dict.keys(value)):
                raise WireError("a dictionary whose keys are not all strings")
            return {key: node(item, depth + 1) for key, item in dict.items(value)}
        if isinstance(value, Iterator | range | deque | KeysView | ValuesView):
            return [node(item, depth + 1) for item in value]
        raise WireError(f"a value of type {type(value).__name__}, not tensors, numbers, strings or tuples of them")

    return node(value, 0)


def _plain_builtin(value):
    if type(value) is int and value.bit_length() > INTEGER_LIMIT:
        raise WireError(f"an integer of more than {INTEGER_LIMIT} bits")
    if type(value) is str and len(value) > TEXT_LIMIT:
        raise WireError(f"a string of more than {TEXT_LIMIT} characters")
    return value


def _plain_tensor(value):
    value = value.detach()
    if value.layout != torch.strided or value.is_complex() or value.is_quantized:
        raise WireError("a tensor that is sparse, complex or quantised, not an ordinary one")
    if value.device.type == "meta":
        raise WireError("a tensor on the meta device, which has a shape and no numbers")
    if value.dim() > AXES_LIMIT:
        raise WireError(f"a tensor of {value.dim()} axes; at most {AXES_LIMIT} are read")
    if value.numel() * value.element_size() > BLOB_LIMIT:  # an expanded view costs nothing, its copy does
        raise WireError(f"a tensor of {value.numel()} numbers; at most {BLOB_LIMIT / 1e6:.0f} MB are read")
    try:
        return value.to("cpu").as_subclass(torch.Tensor).clone().contiguous()
    except (RuntimeError, NotImplementedError) as error:
        raise WireError(f"a tensor that cannot be copied ({type(error).__name__})") from None


def _plain_array(value):
    """A NumPy array or number, of whatever strides, byte order and width."""
    if value.dtype.kind not in "biuf":
        raise WireError(f"a NumPy value of type {value.dtype.name}, not numbers")
    if isinstance(value, np.generic):
        return value.item() if value.dtype.itemsize <= 8 else float(value)
    if value.ndim > AXES_LIMIT:
        raise WireError(f"an array of {value.ndim} axes; at most {AXES_LIMIT} are read")
    if value.size * value.dtype.itemsize > BLOB_LIMIT:
        raise WireError(f"an array of {value.size} numbers; at most {BLOB_LIMIT / 1e6:.0f} MB are read")
    kind = value.dtype.newbyteorder("=") if value.dtype.itemsize <= 8 else np.dtype(np.float64)
    return torch.tensor(np.array(value, dtype=kind, order="C", subok=False))  # a copy knows no negative strides


def encode(value):
    """A plain value as (a JSON tree, the tensors it refers to by number)."""
    tensors = {}

    def node(item):
        if isinstance(item, torch.Tensor):
            tensors[str(len(tensors))] = item
            return {"tensor": str(len(tensors) - 1)}
        if type(item) is tuple:
            return {"tuple": [node(x) for x in item]}
        if type(item) is list:
            return {"list": [node(x) for x in item]}
        if type(item) is dict:
            return {"dict": {key: node(x) for key, x in item.items()}}
        return {"value": item}

    return node(value), tensors


def decode(tree, tensors):
    """The value that :func:`encode` wrote; anything else is a :class:`WireError`.

    Example:
        >>> decode(*encode((1, [torch.ones(2)], {"a": None})))
        (1, [tensor([1., 1.])], {'a': None})
        >>> decode({"list": [{"tensor": "0"}, {"tensor": "0"}]}, {"0": torch.ones(2)})
        Traceback (most recent call last):
        rnncourse.grading.wire.WireError: not an encoded value
    """
    count = 0
    left = dict(tensors)  # each can be taken once

    def node(item, depth):
        nonlocal count
        count += 1
        if count > NODE_LIMIT or depth > DEPTH_LIMIT:
            raise WireError("an answer with too many or too deeply nested values")
        if type(item) is not dict or len(item) != 1:
            raise WireError("not an encoded value")
        (kind, content), *_ = item.items()
        if kind == "value" and (content is None or type(content) in (bool, int, float, str)):
            return _plain_builtin(content)
        if kind == "tensor" and type(content) is str and content in left:
            return left.pop(content)
        if kind in ("tuple", "list") and type(content) is list:
            items = [node(x, depth + 1) for x in content]
            return tuple(items) if kind == "tuple" else items
        if kind == "dict" and type(content) is dict:
            return {key: node(x, depth + 1) for key, x in content.items()}
        raise WireError("not an encoded value")

    return node(tree, 0)


def pack(header, tensors=None, nonce=NO_NONCE):
    """One frame: the nonce, the lengths, the header as JSON, the tensors as safetensors.

    Raises:
        WireError: If it would be larger than the other side accepts.
    """
    if tensors and len(tensors) > TENSOR_LIMIT:
        raise WireError(f"an answer of {len(tensors)} tensors; at most {TENSOR_LIMIT} are read")
    head = json.dumps(header).encode()
    size = sum(tensor.numel() * tensor.element_size() for tensor in (tensors or {}).values())
    if len(head) > HEADER_LIMIT or size > BLOB_LIMIT - LIST_LIMIT:
        raise WireError(f"an answer of {(len(head) + size) / 1e6:.0f} MB; at most {BLOB_LIMIT / 1e6:.0f} MB is read")
    blob = save(tensors) if tensors else b""
    return PREFIX.pack(nonce, len(head), len(blob)) + head + blob


def sizes(prefix):
    """The lengths of header and tensors that a frame's prefix announces, refused when over the cap."""
    _, head, blob = PREFIX.unpack(prefix)
    if head > HEADER_LIMIT or blob > BLOB_LIMIT:
        raise WireError(
            f"a frame of {(head + blob) / 1e6:.0f} MB was announced; at most {BLOB_LIMIT / 1e6:.0f} MB is read"
        )
    return head, blob


def unpack(head, blob):
    """The header (a dictionary) and the tensors of one frame.

    Raises:
        WireError: For anything that is not exactly that. The parsers see bytes of a stranger, so whatever they raise
            (a bad length, a deep nesting, an unknown dtype) means the same here.
    """
    try:
        header = json.loads(head)
        _look_at_the_list(blob)
        tensors = load(blob) if blob else {}
    except WireError:
        raise
    except Exception as error:  # the widest net on purpose: no input may break the grader
        raise WireError(f"an unreadable frame ({type(error).__name__})") from None
    if type(header) is not dict:
        raise WireError("an unreadable frame (not a JSON object)")
    return header, tensors


def _look_at_the_list(blob):
    """Refuses tensors by number and by axes while they are lines in safetensors' list, before one of them is made."""
    if not blob:
        return
    length = int.from_bytes(blob[:8], "little")
    if length > LIST_LIMIT:
        raise WireError("an unreadable frame (its list of tensors is too long)")
    entries = json.loads(blob[8 : 8 + length])
    if type(entries) is not dict or len(entries) > TENSOR_LIMIT:
        raise WireError(f"an answer of {len(entries)} tensors; at most {TENSOR_LIMIT} are read")
    if any(len(entry["shape"]) > AXES_LIMIT for entry in entries.values()):
        raise WireError(f"a tensor of more than {AXES_LIMIT} axes")
