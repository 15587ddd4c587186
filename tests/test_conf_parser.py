"""Tests of the reader of confs and specs that the other tests stand on.

They must not depend on what the app ships.
"""

from __future__ import annotations

import pytest

from tests import conf


def test_the_parser_reads_stanzas_comments_and_continued_lines() -> None:
    """It reads what Splunk reads: the first = divides, white space around is not part of key or value."""
    text = "above = 1\n# no\n[a]\n x =  y = z \nempty =\nlong = one \\\ntwo\n\n[b]\n"
    assert conf.parse(text) == {"": {"above": "1"}, "a": {"x": "y = z", "empty": "", "long": "one two"}, "b": {}}


@pytest.mark.parametrize(
    "text", ["[a]\nx\n", "[a]\n= 1\n", "[a\nx = 1\n", "[a] # x = 1\n", "[a]\nx = 1\nx = 2\n", "[a]\n[a]\n"]
)
def test_the_parser_refuses_what_splunk_would_drop_or_override(text: str) -> None:
    """A typing error in a conf fails a test instead of being ignored."""
    with pytest.raises(conf.ConfError):
        conf.parse(text)


def test_the_spec_parser_finds_default_and_range() -> None:
    """Bullets belong to the setting above them, over several lines, with or without an upper bound."""
    text = "[s:<n>]\n* Of s.\n\nx = <number>\n* One\n  more.\n* Range: 0.1 to 60 seconds\n* Default: 5\n"
    text += "y = <integer>\n* Range: 4 bytes and up\n* Default: empty\nz = <url>\n* Required.\n"
    entries = conf.spec(text)["s:<n>"]
    assert entries["x"] == ("<number>", "* One\n  more.\n* Range: 0.1 to 60 seconds\n* Default: 5\n", "5", 0.1, 60)
    assert entries["y"][2:] == ("", 4, None)
    assert entries["z"][2:] == (None, None, None)


@pytest.mark.parametrize("text", ["[s]\nx = <url>\n", "[s]\nx =\n* One.\n", "[s]\nx = 1\n* a\nx = 1\n* b\n"])
def test_the_spec_parser_refuses_a_setting_that_nobody_described(text: str) -> None:
    """A setting has a form and a description, once."""
    with pytest.raises(conf.ConfError):
        conf.spec(text)
