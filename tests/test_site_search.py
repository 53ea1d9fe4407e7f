"""Search, asked as readers ask: what they mean comes first, chapters before the reference, formulas readable."""

import pytest

from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT, site

pytestmark = [pytest.mark.site, pytest.mark.browser]

# What is typed, and the pages that answer it, best first; a chapter that is not written yet is passed over.
QUERIES = {
    "how to install": ["setup"],
    "install": ["setup"],
    "pip install": ["setup"],
    "how to submit": ["grading"],
    "self-check": ["grading"],
    "sandbox": ["grading"],
    "symbols": ["notation"],
    "datasets": ["data_cards"],
    "teaching": ["instructor"],
    "reproducibility": ["ledger"],
    "n-gram": ["01_"],
    "what is a recurrent neural network": ["01_"],
    "character level language model": ["02_"],
    "char-rnn": ["02_"],
    "perplexity": ["02_"],
    "teacher forcing": ["02_"],
    "hidden state": ["02_"],
    "backprop through time": ["03_"],
    "BPTT": ["03_"],
    "truncated backpropagation": ["03_"],
    "vanishing gradient": ["04_"],
    "exploding gradients": ["04_"],
    "gradient clipping": ["04_"],
    "orthogonal initialization": ["04_"],
    "LSTM": ["05_"],
    "forget gate": ["05_"],
    "long short-term memory": ["05_"],
    "cell state": ["05_"],
    "peephole": ["05_"],
    "GRU": ["06_"],
    "gru vs lstm": ["06_"],
    "gated recurrent unit": ["06_"],
    "bidirectional": ["07_", "data_cards"],
    "stacked lstm": ["08_", "05_"],
    "tree lstm": ["09_", "data_cards", "06_"],
    "seq2seq": ["10_", "api/rnncourse.seq2seq"],
    "beam search": ["10_", "api/rnncourse.seq2seq.beam"],
    "attention": ["11_", "12_", "data_cards"],
    "transformer": ["12_", "02_"],
}
ASK = "query => Search._performSearch(...Search._parseQuery(query)).reverse().map(found => found[0])"


@pytest.fixture(scope="module")
def asked(browser):  # noqa: F811
    """The names of the pages that each query finds, in the order in which they are shown."""
    page = browser.new_page()
    page.goto((site() / "search.html").as_uri())
    page.wait_for_function("Search._index !== null", timeout=60_000)
    yield {query: [name.removeprefix("book/") for name in page.evaluate(ASK, query)] for query in QUERIES}
    page.close()


def written(name: str) -> bool:
    """Whether the page that a name begins is part of the book."""
    return bool(list((ROOT / "book").glob(f"{name}*"))) if not name.startswith("api/") else True


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_what_a_learner_means(asked, query):
    best = next(name for name in QUERIES[query] if written(name))
    assert asked[query][0].startswith(best), asked[query][:4]


def test_chapters_come_before_the_reference_and_the_grader_is_not_in_it(asked):
    for query, found in asked.items():
        kinds = [name.startswith("api/") for name in found]
        assert kinds == sorted(kinds), query
        assert not [name for name in found if name.startswith(("api/rnncourse.grading", "api/rnncourse.chapters"))], (
            query
        )


def test_formulas_in_excerpts_are_readable(browser):  # noqa: F811
    page = browser.new_page()
    page.goto((site() / "search.html").as_uri())
    page.wait_for_function("Search._index !== null", timeout=60_000)
    chapter = next(site().glob("book/05_*.html")).read_text(encoding="utf-8")
    text = " ".join(page.evaluate("html => Search.htmlToText(html)", chapter).split())
    page.close()
    assert "c_t = f_t ⊙ c_t-1 + i_t ⊙ g_t" in text
    for trace in ("\\odot", "\\begin", "\\frac", "application/x-tex"):
        assert trace not in text, trace
