"""The Transformer decoder: a layer like the others, equal to PyTorch's blocks; a cached step equals the full pass."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.attention import (
    Block,
    CausalTransformer,
    LearnedPositions,
    SelfAttention,
    SinusoidalPositions,
    causal_mask,
)
from rnncourse.models import LanguageModel, generate
from rnncourse.shapes import map_state
from tests.oracles import TOLERANCE, assert_close, assert_same, leaf, tensors

IMPLEMENTATIONS = ["fused", "readable"]
POSITIONS = {"sinusoidal": {}, "learned": {"positions": "learned", "max_length": 20}}


def transformer(implementation="readable", positions="sinusoidal", num_layers=2, dtype=torch.float64):
    options = POSITIONS[positions] | {"implementation": implementation}
    return CausalTransformer(8, 2, num_layers=num_layers, dim_feedforward=12, **options).to(dtype)


def torchs_block(d_model=8, nhead=2, dim_feedforward=12):
    return nn.TransformerEncoderLayer(
        d_model, nhead, dim_feedforward, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("sizes", [(2, 5), (1, 1), (3, 1), (1, 4)])
def test_a_block_equals_torchs_under_a_causal_mask(implementation, dtype, sizes):
    theirs = torchs_block().to(dtype)
    ours = Block(8, 2, 12, implementation=implementation).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    x = leaf(*sizes, 8, dtype=dtype)
    later = torch.ones(sizes[1], sizes[1], dtype=torch.bool).triu(1)
    leaves = {"x": (x, x)}
    mine = dict(ours.named_parameters())
    leaves |= {name: (mine[name], value) for name, value in theirs.named_parameters() if "in_proj_bias" not in name}
    assert_same([ours(x, ours.initial_state(sizes[0]))[0]], [theirs(x, src_mask=later)], leaves, implementation)
    # The keys' share has no gradient (it shifts all scores of a query alike) but rounding: compared beside the others.
    outputs = ours(x, ours.initial_state(sizes[0]))[0], theirs(x, src_mask=later)
    biases = mine["self_attn.in_proj_bias"], theirs.self_attn.in_proj_bias
    grads = [torch.autograd.grad((o**2).sum(), bias)[0] for o, bias in zip(outputs, biases, strict=True)]
    assert_close(*grads, "the gradient of in_proj_bias")


def test_the_same_seed_gives_the_weights_of_torchs_block():
    torch.manual_seed(3)
    ours = Block(8, 2, 12)
    torch.manual_seed(3)
    theirs = torchs_block()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_fused_attention_equals_the_readable_one(positions):
    fused, readable = transformer("fused", positions), transformer("readable", positions)
    readable.load_state_dict(fused.state_dict())
    x = leaf(3, 6, 8)
    for lengths in (None, torch.tensor([2, 6, 1])):
        leaves = {"x": (x, x)}
        mine = dict(readable.named_parameters())
        leaves |= {n: (p, mine[n]) for n, p in fused.named_parameters() if "in_proj_bias" not in n}
        first, second = fused(x, lengths=lengths), readable(x, lengths=lengths)
        assert_same(
            [first[0], *tensors(first[1])[:-1]],
            [second[0], *tensors(second[1])[:-1]],
            leaves,
            f"{lengths}",
            unused=True,
        )


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    batch=st.integers(1, 3),
    implementation=st.sampled_from(IMPLEMENTATIONS),
    positions=st.sampled_from(sorted(POSITIONS)),
)
def test_cached_steps_equal_the_full_pass(cuts, batch, implementation, positions):
    """In value and gradient, however the sequence is cut."""
    layer = transformer(implementation, positions)
    x = leaf(batch, sum(cuts), 8)
    full, end = layer(x)
    state, parts = layer.initial_state(batch), []
    for piece in x.split(cuts, 1):
        outputs, state = layer(piece, state)
        parts.append(outputs)
    leaves = {"x": (x, x)} | {n: (p, p) for n, p in layer.named_parameters() if "in_proj_bias" not in n}
    values = [torch.cat(parts, 1), *tensors(state)[:-1]]
    assert_same(values, [full, *tensors(end)[:-1]], leaves, f"{cuts}", unused=True)
    assert torch.equal(state.real, end.real)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_step_sees_nothing_of_what_comes_later(implementation):
    layer, x = transformer(implementation), torch.randn(2, 6, 8).double()
    before, _ = layer(x)
    x[:, 4:] = torch.randn(2, 2, 8).double()
    after, _ = layer(x)
    assert_close(after[:, :4], before[:, :4], "earlier outputs")
    assert not torch.allclose(after[:, 4:], before[:, 4:])


@pytest.mark.parametrize("filling", [0.0, 5.0, math.nan])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_padding_has_no_say_whatever_it_holds_and_however_much_there_is(implementation, filling):
    """Each sequence is as if it were alone, also when it is continued from a padded state."""
    layer = transformer(implementation)
    lengths, more = torch.tensor([3, 5, 1]), torch.randn(3, 2, 8).double()
    x = torch.randn(3, 5, 8).double()
    padded = torch.cat([x, torch.zeros(3, 2, 8).double()], 1)
    padded[torch.arange(7) >= lengths[:, None]] = filling
    outputs, state = layer(padded, lengths=lengths)
    continued, _ = layer(more, state)
    for row, length in enumerate(lengths.tolist()):
        alone, own = layer(x[row : row + 1, :length])
        assert_close(outputs[row, :length], alone[0], f"row {row}")
        assert outputs[row, length:].eq(0).all()
        assert_close(continued[row], layer(more[row : row + 1], own)[0][0], f"row {row} continued")


@pytest.mark.parametrize("positions", POSITIONS)
def test_in_a_language_model_a_token_at_a_time_equals_all_at_once(positions):
    model = LanguageModel(transformer("fused", positions), 7).double()
    tokens = torch.randint(7, (2, 9))
    full, _ = model(tokens)
    state, parts = None, []
    for token in tokens.split(1, 1):
        logits, state = model(token, state)
        parts.append(logits)
    assert_close(torch.cat(parts, 1), full, "logits")
    assert generate(model, tokens[:, :3], 5, temperature=0).shape == (2, 5)


def test_a_state_can_be_gathered_by_rows():
    layer, x, more = transformer(), torch.randn(3, 4, 8).double(), torch.randn(2, 1, 8).double()
    _, state = layer(x)
    rows = torch.tensor([2, 0])
    outputs, _ = layer(more, map_state(lambda part: part.index_select(0, rows), state))
    expected, _ = layer(more, layer(x[rows])[1])
    assert_close(outputs, expected, "gathered")


def test_the_weights_are_those_the_outputs_are_made_with():
    layer = transformer(num_layers=1)
    x, lengths = torch.randn(2, 4, 8).double(), torch.tensor([4, 2])
    (weights,) = layer.weights(x, lengths=lengths)
    assert weights.shape == (2, 2, 4, 4)
    assert weights[1, :, :, 2:].eq(0).all()
    assert_close(weights.sum(-1), torch.ones(2, 2, 4).double(), "sum")
    block = layer.layers[0]
    z = x + layer.positions(torch.arange(4).expand(2, 4))
    values = nn.functional.linear(block.norm1(z), *(part[16:] for part in (block.self_attn.in_proj_weight,
                                                                          block.self_attn.in_proj_bias)))  # fmt: skip
    heads = weights[:1] @ values[:1].unflatten(2, (2, 4)).transpose(1, 2)
    looked_up = block.self_attn.out_proj(heads.transpose(1, 2).flatten(2))
    assert_close(looked_up, block.self_attn(block.norm1(z[:1]), block.initial_state(1))[0], "context")


def test_the_readable_attention_differentiates_twice_and_the_fused_one_refuses():
    inputs = leaf(1, 3, 8)
    readable, fused = SelfAttention(8, 2, implementation="readable").double(), SelfAttention(8, 2).double()
    assert torch.autograd.gradgradcheck(lambda x: readable(x, readable.initial_state(1))[0], inputs)
    (grad,) = torch.autograd.grad(fused(inputs, fused.initial_state(1))[0].sum(), inputs, create_graph=True)
    with pytest.raises(RuntimeError, match="build it with implementation='readable'"):
        grad.sum().backward()
    layer = transformer("fused")
    (grad,) = torch.autograd.grad(layer(inputs)[0].sum(), layer.layers[0].linear1.weight, create_graph=True)
    with pytest.raises(RuntimeError, match="implementation='readable'"):
        torch.autograd.grad(grad.sum(), layer.layers[0].self_attn.in_proj_weight)


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # PyTorch's own, about its fused attention
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_gradients_of_each_sequence_under_torch_func_equal_those_of_one_at_a_time(implementation):
    layer, x = SelfAttention(8, 2, implementation=implementation).double(), torch.randn(3, 4, 8).double()

    def loss(weight, one):
        outputs, _ = torch.func.functional_call(layer, {"in_proj_weight": weight}, (one[None], layer.initial_state(1)))
        return outputs.pow(2).sum()

    weight = layer.in_proj_weight
    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(weight.detach(), x)
    for row, one in zip(found, x, strict=True):
        assert_close(row, torch.autograd.grad(loss(weight, one), weight)[0], "per-sample gradient")


def test_dropout_acts_in_training_only():
    layer = CausalTransformer(8, 2, dropout=0.5)
    x = torch.randn(1, 4, 8)
    assert not layer(x)[0].equal(layer(x)[0])
    layer.eval()
    assert layer(x)[0].equal(layer(x)[0])


def test_sinusoids_are_the_papers():
    vectors = SinusoidalPositions(6).double()(torch.tensor([[0, 1, 50]]))[0]
    for row, place in zip(vectors, (0, 1, 50), strict=True):
        for i in range(3):
            angle = place / 10000 ** (2 * i / 6)
            assert row[2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert row[2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_a_shift_of_the_place_is_a_rotation_of_the_sinusoids():
    """So the inner product of two places hangs on their distance alone."""
    p = SinusoidalPositions(8).double()(torch.arange(40)[None])[0]
    products = p @ p.T
    for distance in range(5):
        line = products.diagonal(distance)
        assert_close(line, line[0].expand_as(line), f"distance {distance}")


def test_a_causal_mask_leaves_the_past_and_the_real():
    real = torch.tensor([[True, False, True, True]])
    assert causal_mask(real, 2).int().tolist() == [[[1, 0, 1, 0], [1, 0, 1, 1]]]


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CausalTransformer(8, 3), "num_heads is 3; it should divide embed_dim = 8"),
        (lambda: CausalTransformer(7, 1), "size is 7; it should be even"),
        (lambda: CausalTransformer(8, 2, num_layers=0), "num_layers is 0"),
        (lambda: CausalTransformer(8, 2, positions="rotary"), "positions is 'rotary'"),
        (lambda: CausalTransformer(8, 2, positions="learned"), "max_length is None with positions='learned'"),
        (lambda: CausalTransformer(8, 2, max_length=5), "max_length is 5 with positions='sinusoidal'"),
        (lambda: CausalTransformer(8, 2, implementation="fast"), "implementation is 'fast'"),
        (lambda: CausalTransformer(8, 2, dropout=2), "dropout is 2"),
        (lambda: CausalTransformer(8, 2, dim_feedforward=-4), "dim_feedforward is -4"),
        (lambda: CausalTransformer(8, 2)(torch.zeros(2, 8)), "inputs has 2 axes"),
        (lambda: CausalTransformer(8, 2)(torch.zeros(2, 3, 4)), "its axis 'input' should be 8"),
        (lambda: CausalTransformer(8, 2)(torch.zeros(2, 3, 8), torch.zeros(2, 8)), "state is a Tensor"),
        (
            lambda: CausalTransformer(8, 2)(torch.zeros(2, 3, 8), CausalTransformer(8, 2).initial_state(3)),
            "state is of 3 sequences and 1 blocks; it should be of 2",
        ),
        (lambda: CausalTransformer(8, 2)(torch.zeros(2, 3, 8), None, torch.tensor([0, 3])), "lengths runs from 0"),
        (
            lambda: CausalTransformer(8, 2, positions="learned", max_length=4)(torch.zeros(1, 5, 8)),
            "places holds 4; learned positions end at 3",
        ),
        (lambda: LearnedPositions(4, max_length=3)(torch.tensor([[-1]])), "at least 0"),
        (lambda: SinusoidalPositions(4)(torch.zeros(1, 2)), "should hold whole numbers"),
        (lambda: causal_mask(torch.ones(1, 2).bool(), 3), "queries is 3; it should be at most 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
