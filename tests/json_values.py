"""Any JSON value, for what must hold for all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text()
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def json_values(
    text: st.SearchStrategy[str] = TEXTS,
    keys: st.SearchStrategy[str] = TEXTS,
    floats: st.SearchStrategy[float] = FINITE,
    most: int | None = None,
    leaves: int = 100,
) -> st.SearchStrategy[Any]:
    """Values of every kind.

    Args:
        text, keys: the strings in them, and the names of objects.
        floats: `st.floats()` where what JSON lacks may come, `st.nothing()` for none.
        most: how many items a list or an object has.
        leaves: how many scalars there are in all.
    """
    return st.recursive(
        st.none() | st.booleans() | st.integers() | floats | text,
        lambda inner: st.lists(inner, max_size=most) | st.dictionaries(keys, inner, max_size=most),
        max_leaves=leaves,
    )
