"""Tests of the stand-in's `| rest`: rows for what the user may read, and a refusal of everything that is not modelled."""

from __future__ import annotations

import pytest
import requests

REST = "| rest /servicesNS/nobody/parapet_security/configs/conf-parapet_security splunk_server=local"


@pytest.fixture
def rows(scene):
    """A function that runs a search as a user, and returns its rows."""

    def run(search, user="user"):
        form = {"search": search, "exec_mode": "oneshot", "count": "0"}
        return scene.call("POST", f"/servicesNS/{user}/search/search/jobs", user, **form)["results"]

    return run


def test_an_entity_is_a_row_with_its_name_in_title(rows, scene):
    """What REST answers is in the fields, as text."""
    found = {row["title"]: row for row in rows(REST)}
    assert set(found) == {"delivery", "tenant:main"}
    assert found["tenant:main"]["webhook_url"] == scene.tenant.url
    assert found["tenant:main"]["disabled"] == "0"
    assert found["delivery"]["splunk_server"] == "stand-in"


def test_the_apps_own_search_lists_the_tenants_in_order(rows, scene):
    """The name of a stanza, cut, sorted, and nothing else."""
    scene.add_tenant("emea", scene.tenant.url, None)
    search = (
        REST
        + ' count=0 | search title="tenant:*" | eval tenant=substr(title, 8) | sort tenant | table tenant | head 1000'
    )
    assert rows(search) == [{"tenant": "emea"}, {"tenant": "main"}]


def test_no_more_entities_come_than_splunkd_gives_on_a_page(rows, scene):
    """Thirty, unless the command asks for all."""
    for number in range(30):
        scene.add_tenant(f"t{number}", scene.tenant.url, None)
    assert len(rows(REST)) == 30
    assert len(rows(REST + " count=0")) == 32


def test_what_a_user_may_not_read_gives_no_rows(rows):
    """The search runs with the user's own rights."""
    passwords = "| rest /servicesNS/nobody/parapet_security/storage/passwords splunk_server=local"
    assert rows(passwords) == []
    assert rows("| rest /services/nosuch splunk_server=local") == []
    assert [row["title"] for row in rows(passwords, "admin")] == ["parapet_security:main:"]


@pytest.mark.parametrize(
    "search",
    [
        "| rest /services/server/info",
        "| rest /services/server/info splunk_server=*",
        "| rest /services/server/info splunk_server=local timeout=1",
        "| rest server/info splunk_server=local",
        "| rest",
        REST + " | rest /services/server/info splunk_server=local",
        REST + " | eval x=md5(title)",
        REST + " | eval tenant=substr(title)",
    ],
)
def test_what_is_not_modelled_is_refused(rows, search):
    """Nothing is guessed."""
    with pytest.raises(requests.HTTPError):
        rows(search)
