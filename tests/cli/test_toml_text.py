"""What is written as TOML reads back as it was."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libra_ray.cli.toml_text import toml_text

texts = st.text(st.characters(codec="utf-8"), max_size=10)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), texts, st.dates(), st.datetimes()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_a_document_reads_back_as_it_was(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(document)) == document


def test_tables_stand_under_headers() -> None:
    document = {"run": {"name": "a"}, "venue": [{"name": "S", "fees": {"maker": "0"}}, {"name": "T"}]}

    assert toml_text(document) == (
        '[run]\nname = "a"\n\n[[venue]]\nname = "S"\n\n[venue.fees]\nmaker = "0"\n\n[[venue]]\nname = "T"\n'
    )
