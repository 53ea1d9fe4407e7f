"""Pictures of graphs."""

from matplotlib import pyplot as plt

from rnncourse.chapters.c01_feedforward_to_recurrent.figures import networks


def test_only_the_recurrent_network_has_an_arrow_that_comes_back():
    texts = [text.get_text() for text in networks.feedforward_and_recurrent().axes[0].texts]
    plt.close("all")
    assert texts.count("$U$") == texts.count("$V$") == 2
    assert texts.count("$W$") == 1
