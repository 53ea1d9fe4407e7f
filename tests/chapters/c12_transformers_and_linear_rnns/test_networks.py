"""The networks of chapter 12: a block that differs from a Transformer's only in what mixes the steps, and counts."""

import pytest
import torch
from torch import nn

from rnncourse.attention import Block, CausalTransformer
from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments.networks import (
    BLOCKS,
    NETWORKS,
    MixingBlock,
    bytes_kept,
    make_layer,
    state_bytes,
    width_within,
)
from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments.text import COMPARED, text_network
from rnncourse.models import LanguageModel
from rnncourse.scan import MinGRUCell

every_network = pytest.mark.parametrize("name", NETWORKS)


class Attending(nn.Module):
    """A block's attention in the words of a layer."""

    def __init__(self, attention):
        super().__init__()
        self.attention, self.input_size = attention, attention.embed_dim

    def forward(self, inputs, state, lengths):
        return self.attention(inputs, self.attention.initial_state(len(inputs)))


def test_with_attention_inside_the_block_is_the_transformers():
    block = Block(8, 2, 32).double()
    mixing = MixingBlock(Attending(block.self_attn)).double()
    mixing.load_state_dict(
        {name.replace("self_attn", "layer.attention"): value for name, value in block.state_dict().items()}
    )
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    assert torch.allclose(mixing(x, None, None)[0], block(x, block.initial_state(2))[0], atol=1e-12)


@every_network
def test_reading_on_from_the_state_is_reading_at_once(name):
    torch.manual_seed(0)
    layer = make_layer(name, 8).double()
    x = torch.randn(2, 9, 8, dtype=torch.float64)
    whole, _ = layer(x)
    first, state = layer(x[:, :4])
    second, _ = layer(x[:, 4:], state)
    assert torch.allclose(torch.cat([first, second], 1), whole, atol=1e-10)


@every_network
def test_no_output_hangs_on_a_later_input(name):
    torch.manual_seed(0)
    layer = make_layer(name, 8).double()
    x = torch.randn(1, 7, 8, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[0][0, 3].square().sum(), x)  # a plain sum, a norm's, hangs on nothing
    assert gradient[0, 4:].abs().max() == 0
    assert gradient[0, :4].abs().amax(1).min() > 0


@every_network
def test_the_last_output_is_each_sequences_own(name):
    torch.manual_seed(0)
    layer = make_layer(name, 8).double()
    x, lengths = torch.randn(2, 6, 8, dtype=torch.float64), torch.tensor([6, 3])
    outputs, _ = layer(x, lengths=lengths)
    last = layer.last_output(outputs, lengths)
    assert torch.allclose(last[1], layer(x[1:, :3])[0][0, -1], atol=1e-10)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_there_are_as_many_blocks_as_asked_for(name, depth):
    layer = make_layer(name, 8, depth=depth)
    assert len(layer.layers if isinstance(layer, CausalTransformer) else layer.blocks) == depth


def test_the_signed_network_differs_in_nothing_but_its_factors():
    plain, signed = make_layer("minGRU", 8), make_layer("signed", 8)
    assert {name: p.shape for name, p in plain.named_parameters()} == {n: p.shape for n, p in signed.named_parameters()}
    kinds = [{m.eigenvalues for m in one.modules() if isinstance(m, MinGRUCell)} for one in (plain, signed)]
    assert kinds == [{"positive"}, {"signed"}]


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("budget", [20_000, 60_000])
def test_character_models_come_near_their_budget(name, budget):
    count = sum(parameter.numel() for parameter in text_network(name, 65, budget=budget).parameters())
    assert abs(count / budget - 1) < 0.12  # a Transformer's width goes in steps of its heads


def test_a_width_is_the_nearest_multiple_that_a_budget_buys():
    assert width_within(1_000, lambda width: nn.Linear(width, width, bias=False), step=8) == 32
    assert width_within(1_000, lambda width: nn.Linear(width, width, bias=False)) in (31, 32)


def test_kept_bytes_are_counted_once_and_parameters_not_at_all():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4))

        def forward(self, x):
            product = x @ self.weight  # keeps x, which it shares with the square below
            return product.square() + x.square(), None

    x = torch.randn(3, 4, requires_grad=True)
    assert bytes_kept(Twice(), x) == (12 + 12) * 4  # x and the product


@pytest.mark.parametrize("name", ["LSTM", "minGRU", "Transformer"])
def test_only_a_transformers_state_grows(name):
    model = LanguageModel(make_layer(name, 8), 5)
    short, long = (state_bytes(model(torch.zeros(1, time, dtype=torch.long))[1]) for time in (10, 40))
    assert long == (4 * short if name == "Transformer" else short)


@pytest.mark.bad_input
def test_an_unknown_network_is_refused_by_name():
    with pytest.raises(ValueError, match="name is 'CNN'"):
        make_layer("CNN", 8)
