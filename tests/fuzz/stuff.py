"""What inputs are made of, whatever their target: texts, JSON, and samples with wounds. Must not know a target."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from tests.fuzz.pieces import BYTES, PIECES

texts = st.one_of(
    st.sampled_from(PIECES),
    st.text(alphabet=st.characters(), max_size=8),
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
)
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)

# JSON inside of JSON, as Enterprise Security has it.
inside = (anything | st.lists(anything, min_size=1, max_size=3)).map(json.dumps)


def objects(*keys):
    """An object with some of these keys, and with others."""
    return st.dictionaries(st.sampled_from(keys) | texts, anything | texts | inside, max_size=6)


def encoded(document):
    """JSON as bytes."""
    return json.dumps(document).encode("utf-8")


def utf8(text):
    """A text as bytes, half of a character too."""
    return text.encode("utf-8", "surrogatepass")


@st.composite
def wounded(draw, samples):
    """A sample with a few wounds: cut, doubled, with something put in, with bytes changed."""
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 4))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        kind = draw(st.sampled_from(("cut", "drop", "double", "put", "bytes")))
        if kind == "cut":
            data = data[:end]
        elif kind == "drop":
            data = data[:at] + data[min(end, at + 8) :]
        elif kind == "double":
            data = data[:end] + data[at:]
        elif kind == "put":
            data = data[:at] + utf8(draw(st.sampled_from(PIECES))) + data[at:]
        else:
            data = data[:at] + draw(st.sampled_from(BYTES) | st.binary(max_size=3)) + data[at:]
    return data
