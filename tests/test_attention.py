"""Attention: equal to its equations and to PyTorch, on masks too; padding has no say, and a masked row is defined."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from rnncourse.attention import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    UniformAttention,
    masked_softmax,
    weighted_mean,
)
from tests.oracles import assert_close, assert_same, leaf, random_lengths

KINDS = {
    "additive": lambda: AdditiveAttention(4, 4, 5),
    "dot": lambda: DotAttention(4),
    "scaled": lambda: DotAttention(4, scaled=True),
    "general": lambda: GeneralAttention(4, 4),
    "uniform": lambda: UniformAttention(4, 4),
}


@pytest.fixture(params=KINDS)
def attention(request):
    return KINDS[request.param]().double()


def score_by_hand(attention, query, value):
    """The score of one query and one value, as the papers write it."""
    if isinstance(attention, AdditiveAttention):
        W, U, v = attention.query.weight, attention.key.weight, attention.energy.weight[0]
        return v @ torch.tanh(W @ query + U @ value)
    if isinstance(attention, GeneralAttention):
        return query @ attention.key.weight @ value
    if isinstance(attention, UniformAttention):
        return query.new_zeros(())
    return query @ value / (math.sqrt(len(query)) if attention.scaled else 1)


def by_hand(attention, query, values, lengths):
    """Contexts and weights, one number after the other."""
    contexts, weights = [], []
    for q, v, length in zip(query, values, lengths.tolist(), strict=True):
        for q_i in q:
            scores = torch.stack([score_by_hand(attention, q_i, v_j) for v_j in v[:length]])
            alpha = scores.exp() / scores.exp().sum()
            contexts.append(sum(a * v_j for a, v_j in zip(alpha, v[:length], strict=True)))
            weights.append(torch.cat([alpha, alpha.new_zeros(len(v) - length)]))
    shape = query.shape[:2]
    return torch.stack(contexts).unflatten(0, shape), torch.stack(weights).unflatten(0, shape)


@pytest.mark.parametrize("sizes", [(3, 2, 5), (1, 1, 1), (2, 1, 4)])
def test_attention_is_its_equation(attention, sizes):
    batch, queries, source = sizes
    query, values = leaf(batch, queries, 4), leaf(batch, source, 4)
    lengths = random_lengths(batch, source)
    leaves = {"query": (query, query), "values": (values, values)}
    leaves |= {name: (value, value) for name, value in attention.named_parameters()}
    ours = attention(query, attention.memory(values, lengths))
    assert_same(ours, by_hand(attention, query, values, lengths), leaves, unused=True)


def test_uniform_attention_is_the_mean_whatever_is_asked():
    attention, values = UniformAttention(3, 4), leaf(2, 5, 4)
    context, weights = attention(leaf(2, 7, 3), attention.memory(values, torch.tensor([5, 2])))
    assert_close(context[0], values[0].mean(0).expand(7, 4), "all real")
    assert_close(context[1], values[1, :2].mean(0).expand(7, 4), "padded")
    assert weights[1, :, 2:].eq(0).all()
    assert not list(attention.parameters())


def check_scaled_dot_equals_torch(dtype, batch, queries, source, size, masked):
    query, values = leaf(batch, queries, size, dtype=dtype), leaf(batch, source, size, dtype=dtype)
    attention = DotAttention(size, scaled=True)
    memory = attention.memory(values)
    if masked:
        mask = torch.rand(batch, source, generator=torch.Generator().manual_seed(source)) < 0.5
        mask[0] = False  # nothing at all to look at
        memory = memory._replace(mask=mask)
    context, _ = attention(query, memory)
    theirs = F.scaled_dot_product_attention(query, values, values, attn_mask=memory.mask[:, None] if masked else None)
    assert_same([context], [theirs], {"query": (query, query), "values": (values, values)})


@settings(max_examples=30, deadline=None)
@given(
    dtype=st.sampled_from([torch.float64, torch.float32]),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 8)),
    masked=st.booleans(),
)
def test_scaled_dot_attention_equals_torch(dtype, sizes, masked):
    check_scaled_dot_equals_torch(dtype, *sizes, masked)


def test_general_attention_is_torchs_bilinear_form():
    attention, bilinear = GeneralAttention(3, 5).double(), nn.Bilinear(3, 5, 1, bias=False).double()
    with torch.no_grad():
        bilinear.weight.copy_(attention.key.weight[None])
    query, values = leaf(2, 4, 3), leaf(2, 6, 5)
    ours = attention.scores(query, attention.project(values))
    pairs = query[:, :, None].expand(-1, -1, 6, -1).contiguous(), values[:, None].expand(-1, 4, -1, -1).contiguous()
    leaves = {"query": (query, query), "values": (values, values)}
    assert_same([ours], [bilinear(*pairs).squeeze(-1)], leaves)


def test_the_softmax_runs_over_the_source():
    """Each query's weights sum to one over the source, also where there are as many queries as places."""
    attention = DotAttention(4).double()
    _, weights = attention(torch.randn(2, 6, 4).double(), attention.memory(torch.randn(2, 6, 4).double()))
    assert_close(weights.sum(-1), torch.ones(2, 6, dtype=torch.float64), "sum over the source")


def test_a_fully_masked_row_looks_up_zero_and_sends_no_gradient(attention):
    check_a_fully_masked_row(attention)


def check_a_fully_masked_row(attention):
    query, values = leaf(2, 3, 4), leaf(2, 5, 4)
    memory = attention.memory(values)
    mask = memory.mask.clone()
    mask[0] = False
    context, weights = attention(query, memory._replace(mask=mask))
    assert weights[0].eq(0).all()
    assert context[0].eq(0).all()
    leaves = [query, values, *attention.parameters()]
    blind = isinstance(attention, UniformAttention)  # the query is not looked at
    total = (context + weights.sum(-1, keepdim=True)).sum()
    grads = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=blind, materialize_grads=blind)
    assert all(torch.isfinite(grad).all() for grad in grads)
    assert grads[0][0].eq(0).all()
    assert grads[1][0].eq(0).all()
    again = torch.autograd.grad(sum((grad**2).sum() for grad in grads), leaves, materialize_grads=True)
    assert all(torch.isfinite(grad).all() for grad in again)
    alone, _ = attention(query[1:], attention.memory(values[1:]))
    assert_close(context[1:], alone, "the row beside it")


@pytest.mark.parametrize("filling", [0.0, 7.0, math.nan, math.inf])
def test_padding_has_no_say_whatever_it_holds_and_however_much_there_is(attention, filling):
    check_padding_has_no_say(attention, filling)


def check_padding_has_no_say(attention, filling):
    lengths = torch.tensor([4, 1, 3])
    query, values = leaf(3, 2, 4), leaf(3, 4, 4)
    parameters = dict(attention.named_parameters())
    leaves = {"query": (query, query), "values": (values, values)} | {n: (p, p) for n, p in parameters.items()}
    context, weights = attention(query, attention.memory(values, lengths))
    inside = torch.arange(4) < lengths[:, None]
    padded = torch.where(inside[..., None], values, filling)
    padded = torch.cat([padded, torch.full((3, 3, 4), filling, dtype=torch.float64)], 1)
    same, longer = attention(query, attention.memory(padded, lengths))
    assert longer[..., 4:].eq(0).all()
    assert_same([same, longer[..., :4]], [context, weights], leaves, unused=True)


def test_what_a_masked_score_holds_has_no_influence():
    scores, mask = leaf(2, 3), torch.tensor([[True, True, False], [False, False, False]])
    spoiled = torch.where(mask, scores, math.nan)
    assert_same([masked_softmax(spoiled, mask)], [masked_softmax(scores, mask)], {"scores": (scores, scores)})


def test_the_keys_are_projected_once_and_reused():
    for kind in ("additive", "general"):
        attention, calls = KINDS[kind]().double(), []
        attention.key.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        memory = attention.memory(torch.randn(2, 5, 4).double())
        queries = torch.randn(2, 6, 4).double()
        together, _ = attention(queries, memory)
        one_by_one = torch.cat([attention(query[:, None], memory)[0] for query in queries.unbind(1)], 1)
        assert len(calls) == 1
        assert_close(one_by_one, together, "queries one by one")


def test_gradients_are_those_of_finite_differences_twice(attention):
    lengths = torch.tensor([3, 2])

    def context(query, values):
        return attention(query, attention.memory(values, lengths))[0]

    inputs = leaf(2, 2, 4), leaf(2, 3, 4)
    assert torch.autograd.gradcheck(context, inputs)
    assert torch.autograd.gradgradcheck(context, inputs)


def dot(size=4):
    return DotAttention(size)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DotAttention(0), "^size is 0"),
        (lambda: DotAttention(4, scaled="False"), "scaled is 'False'"),
        (lambda: AdditiveAttention(4, 4, -1), "hidden_size is -1"),
        (lambda: GeneralAttention(4, 2.0), "value_size is 2.0"),
        (lambda: dot().memory(torch.zeros(2, 3, 5)), r"values has shape \(2, 3, 5\); its axis 'features' should be 4"),
        (lambda: dot().memory(torch.zeros(2, 0, 4)), "its axis 'source' is empty"),
        (lambda: dot().memory(torch.zeros(2, 3, 4), torch.tensor([3, 0])), "lengths runs from 0 to 3"),
        (lambda: dot().memory(torch.zeros(2, 3, 4), torch.tensor([3])), r"lengths has shape \(1,\)"),
        (lambda: dot()(torch.zeros(2, 1, 4), torch.zeros(2, 3, 4)), "memory is a Tensor; it should be of type Memory"),
        (lambda: dot()(torch.zeros(2, 1, 3), dot().memory(torch.zeros(2, 3, 4))), "its axis 'features' should be 4"),
        (lambda: dot()(torch.zeros(3, 1, 4), dot().memory(torch.zeros(2, 3, 4))), "its axis 'batch' should be 2"),
        (lambda: dot()(torch.zeros(2, 4), dot().memory(torch.zeros(2, 3, 4))), "query has 2 axes"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(2, 3)), "mask has dtype torch.float32"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(2, 4).bool()), r"mask has shape \(2, 4\)"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(5, 2, 3).bool()), r"mask has shape \(5, 2, 3\)"),
        (lambda: masked_softmax(torch.zeros(2, 0)), "at least one place"),
        (lambda: masked_softmax(torch.zeros(2, 3).long()), "scores has dtype torch.int64"),
        (lambda: weighted_mean(torch.zeros(2, 1, 3), torch.zeros(2, 4, 3)), "they should be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
