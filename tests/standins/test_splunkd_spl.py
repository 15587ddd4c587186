"""The strict little SPL of the splunkd stand-in: the app's log, terms, and the commands of a pipeline.

Must not test what a command of the product does.
"""

from __future__ import annotations

import pytest

from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    call_fixture,
    splunkd_fixture,
    texts,
)
from tests.standins.splunkd_search_fixtures import JOBS, LINES, home_fixture, search_fixture  # noqa: F401  # the same

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def events(search, text, **more):
    """The event names that a search of the log finds, in their order."""
    return [row["event"].split(".")[1] for row in search(text, **more).json()["results"]]


def test_a_search_finds_the_apps_log_newest_first(search, home):
    """Fields of props.conf, escapes undone; the host is the server's name; rotated files count."""
    (home.log / "parapet_security.log.1").write_text("2026-01-27T00:00:00.000Z INFO event=delivery.old\n")
    assert events(search, "search index=_internal") == ["dead", "deferred", "done", "old"]
    (row,) = search("search index=_internal sourcetype=parapet_security:log a").json()["results"][2:3]
    assert row == {
        "event": "delivery.done",
        "tenant": "main",
        "ms": "5",
        "text": 'a "b" c',
        "log_level": "INFO",
        "_time": "2026-01-28T15:30:00.000+00:00",
        "_raw": LINES[0],
        "host": "stand-in",
        "index": "_internal",
        "source": str(home.log / "parapet_security.log"),
        "sourcetype": "parapet_security:log",
    }


def test_terms_and_times_narrow_a_search(search):
    """Field values ignore case and take wildcards; modifiers in the search go before the request's arguments."""
    assert events(search, 'search `parapet_index` tenant=MAIN text="a \\"b\\" c"') == ["done"]
    assert events(search, "search index=_internal event=delivery.de* AND log_level=WARN") == ["deferred"]
    assert events(search, 'search index=_internal "tenant=EU"') == ["deferred"]
    assert events(search, "search index=_internal earliest=1769614260 latest=1769614261") == ["deferred"]
    assert events(search, "search index=_internal", earliest_time="-15m") == []
    assert events(search, "search index=_internal earliest=0", earliest_time="-15m", latest_time="now")
    assert events(search, "search sourcetype=parapet_security:log") == []
    assert events(search, "search index=main") == []
    assert events(search, "search index=*") == []


def test_only_a_role_that_may_search_internal_finds_anything(search, splunkd):
    """It is no error not to be allowed: there is just nothing."""
    assert events(search, "search index=_internal", user="power") == []
    assert events(search, "search index=_internal", user="user") == []
    assert len(events(search, "search index=_internal", user="sc_admin")) == 3
    splunkd.access.add_role("watcher", [], ["user"], ["_internal"])
    splunkd.access.add_user("eve", ["watcher"])
    assert len(events(search, "search index=_internal", user="eve")) == 3
    assert "macro 'hidden'" in texts(search("search `hidden`", user="eve"))[0]
    assert texts(search("search `parapet_index`", "/services/search/jobs")) != []


def test_a_macro_is_that_of_the_app_whose_namespace_was_called(search, home):
    """Its own one, else one that another app exports; without a namespace that is the app `search`."""
    macros = {"search": "delivery.done", "parapet_security": "delivery.dead", "zzz": "delivery.deferred"}
    for app, event in macros.items():
        folder = home.apps / app / "local"
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("macros.conf").write_text(
            f"[both]\ndefinition = index=_internal event={event}\n[in_{app}]\ndefinition = `both`\n"
        )
        metadata = home.apps / app / "metadata"
        metadata.mkdir(exist_ok=True)
        metadata.joinpath("local.meta").write_text("[macros]\nexport = system\n")
    for path, event in (
        (JOBS, "dead"),
        ("/services/search/jobs", "done"),
        ("/servicesNS/admin/zzz/search/jobs", "deferred"),
    ):
        for text in ("search `both`", "search `in_zzz`"):
            assert events(search, text, path=path) == [event]
    # Who shares nothing has it alone, and a macro that is gone here is the one that is shared.
    (home.apps / "zzz/metadata/local.meta").unlink()
    (home.app / "local/macros.conf").unlink()
    assert events(search, "search `both`") == ["done"]
    assert "macro 'in_zzz'" in texts(search("search `in_zzz`"))[0]


def test_the_logs_of_other_hosts_are_found_too(search, splunkd, tmp_path):
    """As a cluster's members forward their _internal."""
    other = tmp_path / "parapet_security.log"
    other.write_text("2026-01-28T15:40:00.000Z INFO event=delivery.done tenant=main\n")
    splunkd.add_peer("sh2", other)
    (row,) = search("search index=_internal host=sh2").json()["results"]
    assert (row["host"], row["sourcetype"]) == ("sh2", "parapet_security:log")


@pytest.mark.parametrize(
    ("pipeline", "wanted"),
    [
        ("dedup tenant | table tenant, ms", [{"tenant": "main", "ms": "300"}, {"tenant": "eu", "ms": "40"}]),
        ("sort ms | head 1 | table ms", [{"ms": "5"}]),
        ("sort - tenant, ms | table ms", [{"ms": "5"}, {"ms": "300"}, {"ms": "40"}]),
        ('where tenant="eu" | table ms', [{"ms": "40"}]),
        ('where tenant!="eu" | head | table ms none', [{"ms": "300"}, {"ms": "5"}]),
        ("search tenant=eu | fields ms | fields - _raw", [{"ms": "40", "_time": "2026-01-28T15:31:00.000+00:00"}]),
        (
            "stats latest(ms) as ms latest(text) by tenant | sort tenant",
            [{"tenant": "eu", "ms": "40"}, {"tenant": "main", "ms": "300", "latest(text)": 'a "b" c'}],
        ),
        ("stats latest(event) AS e", [{"e": "delivery.dead"}]),
    ],
)
def test_the_pipeline_does_what_spl_does(search, pipeline, wanted):
    """Each command of the subset."""
    assert search("search index=_internal | " + pipeline).json()["results"] == wanted


def test_a_table_names_its_fields_even_without_rows(search):
    """`fields` has the columns of `table`."""
    answer = search("search index=main | table a b").json()
    assert answer["fields"] == [{"name": "a"}, {"name": "b"}]
