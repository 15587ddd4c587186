"""Kibana's lambdas, where they can be had here."""

from __future__ import annotations

import pytest
from parapet_elastic.rendering import moment
from parapet_elastic.rendering.javascript import Unsupported
from parapet_elastic.rendering.moment import format_date
from parapet_elastic.rendering.renderer import render

_DATE = "2026-01-08T00:05:09.045Z"


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("YYYY YY Y YYYYY YYYYYY", "2026 26 2026 02026 +002026"),
        ("M Mo MM MMM MMMM Q Qo", "1 1st 01 Jan January 1 1st"),
        ("D Do DD DDD DDDo DDDD", "8 8th 08 8 8th 008"),
        ("d do dd ddd dddd E", "4 4th Th Thu Thursday 4"),
        ("W Wo WW GG GGGG", "2 2nd 02 26 2026"),
        ("H HH h hh k kk a A", "0 00 12 12 24 24 am AM"),
        ("m mm s ss S SS SSS SSSS", "5 05 9 09 0 04 045 0450"),
        ("Z ZZ X x", "+00:00 +0000 1767830709 1767830709045"),
        ("Hmm Hmmss hmm hmmss", "005 00509 1205 120509"),
        ("[YYYY] \\Y [", "YYYY Y ["),
        ("LTS|LT|L|l", "12:05:09 AM|12:05 AM|01/08/2026|1/8/2026"),
        ("T ü of 日", "T ü of 日"),
    ],
)
def test_a_token_of_moments_gives_moments_text(token, text):
    """Recorded from moment 2.30."""
    assert format_date(_DATE, "UTC", token) == text


@pytest.mark.parametrize("token", ["w", "ww", "e", "gg", "z", "N", "y", "GGGGG"])
def test_a_token_that_depends_on_more_is_not_guessed(token):
    """The week's first day is the locale's, for one."""
    with pytest.raises(Unsupported, match="token"):
        format_date(_DATE, "UTC", token)


@pytest.mark.parametrize(
    "date", ["2026-01-08", "2026-01-08T00:05:09", "1767830709045", "Jan 8 2026", "2026-01-08T24:00:00Z"]
)
def test_a_date_that_depends_on_the_servers_clock_is_not_guessed(date):
    """Without an offset it is in Kibana's own time zone."""
    with pytest.raises(Unsupported, match="FormatDate of"):
        format_date(date, "UTC", "YYYY")


def test_a_computer_without_time_zones_says_so(monkeypatch):
    """As Windows without the package tzdata; UTC works all the same."""
    monkeypatch.setattr(moment, "available_timezones", set)

    assert format_date(_DATE, "UTC", "HH") == "00"
    with pytest.raises(Unsupported, match="no time zone data"):
        format_date(_DATE, "Europe/Berlin", "HH")


def test_hjson_that_cannot_be_read_gives_kibanas_text():
    """All but its end, which is the Hjson library's."""
    assert render("{{#ParseHjson}}[1{{/ParseHjson}}", {}).startswith('error parsing Hjson "[1": ')


def test_hjson_that_is_nested_too_deeply_is_one_clear_line():
    """Not a RecursionError."""
    with pytest.raises(Unsupported, match="nested"):
        render("{{#ParseHjson}}" + "[" * 100_000 + "{{/ParseHjson}}", {})


@pytest.mark.parametrize("text", ["a: 1", "[1.]", "{a: '''x'''}", "[\x00]"])
def test_hjson_that_its_libraries_read_in_two_ways_is_not_guessed(text):
    """Python's and JavaScript's were compared; these are where they part."""
    with pytest.raises(Unsupported, match="not read alike"):
        render("{{#ParseHjson}}{{{text}}}{{/ParseHjson}}", {"text": text})


@pytest.mark.parametrize("text", ["# a: 1\n{a: 1}", "/* a */ // b\n[1]", '["\'\'\'", "1.", "a: 1"]'])
def test_hjson_that_its_libraries_read_alike_is_read(text):
    """Comments before it, and anything in quotes."""
    assert "error" not in render("{{#ParseHjson}}{{{text}}}{{/ParseHjson}}", {"text": text})


def test_comments_of_hjson_are_read_in_one_pass():
    """Whatever stands behind them; each one more doubled the time."""
    assert render("{{#ParseHjson}}" + "/**/" * 40 + "{}{{/ParseHjson}}", {}) == "{}"


def test_hjson_that_ends_in_the_middle_is_no_traceback():
    """The library that reads it trips over some of it."""
    with pytest.raises(Unsupported, match="the Hjson ends"):
        render("{{#ParseHjson}}/* {}{{/ParseHjson}}", {})
