"""Made-up sentence pairs with links, for the tests of word alignments."""

from hypothesis import strategies as st

from pipeline_lib.alignment.links import Link
from pipeline_lib.evaluation.word_links import LinkedPair

TOKEN = st.text("abc'-.é", min_size=1, max_size=4)


@st.composite
def linked_pairs(draw: st.DrawFn) -> LinkedPair:
    source, target = (tuple(draw(st.lists(TOKEN, min_size=1, max_size=5))) for _ in range(2))
    sure, possible = draw(link_sets(len(source), len(target))), draw(link_sets(len(source), len(target)))
    return LinkedPair(source, target, sure, possible)


def link_sets(rows: int, columns: int) -> st.SearchStrategy[frozenset[Link]]:
    """Sets of links of sentences with so many tokens."""
    return st.frozensets(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
