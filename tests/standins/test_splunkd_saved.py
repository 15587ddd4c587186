"""The splunkd stand-in keeps saved searches in savedsearches.conf, and lets nobody write what splunkd would refuse.

Must not run a search.
"""

from __future__ import annotations

import pytest

from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    call_fixture,
    home_fixture,
    splunkd_fixture,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
SHARED = "/servicesNS/nobody/search/saved/searches"
MINE = "/servicesNS/power/search/saved/searches"
ALERT = {
    "name": "My rule",
    "search": "index=main\n| stats count",
    "is_scheduled": "1",
    "cron_schedule": "*/5 * * * *",
    "alert_type": "number of events",
    "alert_comparator": "greater than",
    "alert_threshold": "0",
    "alert.severity": "4",
    "actions": "parapet_security,webhook",
    "action.parapet_security": "1",
    "action.parapet_security.param.tenant": "main",
}


def content(answer):
    """The content of the only entry."""
    (entry,) = answer.json()["entry"]
    return entry["content"]


def names(answer):
    """The entries' names."""
    return [entry["name"] for entry in answer.json()["entry"]]


def test_an_alert_is_written_as_splunk_writes_it(home, call):
    """REST's names become the file's, the list of actions a line for each; the answer has REST's again."""
    created = call("POST", SHARED, ALERT)
    assert created.status_code == 201
    assert (home.apps / "search/local/savedsearches.conf").read_text() == (
        "[My rule]\nsearch = index=main\\\n| stats count\nenableSched = 1\ncron_schedule = */5 * * * *\n"
        "counttype = number of events\nrelation = greater than\nquantity = 0\nalert.severity = 4\n"
        "action.parapet_security = 1\naction.parapet_security.param.tenant = main\naction.webhook = 1\n"
    )
    for answer in (created, call("GET", SHARED + "/My+rule")):
        told = content(answer)
        wanted = {**ALERT, "is_scheduled": True, "action.webhook": "1", "disabled": False}
        del wanted["name"]
        assert {key: told[key] for key in wanted} == wanted


def test_an_action_that_is_not_listed_any_more_is_off(call):
    """`actions` says which are on; other settings stay."""
    call("POST", SHARED, ALERT)
    told = content(call("POST", SHARED + "/My%20rule", {"actions": "webhook"}))
    assert (told["actions"], told["action.parapet_security"]) == ("webhook", "0")
    assert told["action.parapet_security.param.tenant"] == "main"
    assert content(call("POST", SHARED + "/My%20rule", {"actions": ""}))["actions"] == ""


def test_a_search_is_made_once_and_deleted(home, call):
    """409, 404 and 400 come where splunkd has them; a shipped search cannot be deleted."""
    assert call("POST", SHARED, ALERT).status_code == 201
    again = call("POST", SHARED, ALERT)
    words = "Unable to create saved search with name 'My rule'. A saved search with that name already exists."
    assert (again.status_code, texts(again)) == (409, ["In handler 'savedsearch': " + words])
    assert texts(call("POST", SHARED, {"name": "x"})) == ["The following required arguments are missing: search."]
    assert call("POST", SHARED + "/none", {"search": "x"}).status_code == 404
    assert call("DELETE", SHARED + "/My+rule").status_code == 200
    assert call("GET", SHARED + "/My+rule").status_code == 404
    (home.app / "default/savedsearches.conf").write_text("[Shipped]\nsearch = index=main\n")
    ours = SHARED.replace("/search/", "/parapet_security/") + "/Shipped"
    assert call("POST", ours, {"disabled": "1"}).json()["entry"][0]["acl"]["removable"] is False
    assert call("DELETE", ours).status_code == 403
    assert content(call("GET", ours))["disabled"] is True


@pytest.mark.parametrize("name", ["colour", "action", "param.tenant", "counttype", "parapet_security.param.tenant"])
def test_an_unknown_argument_is_refused_and_nothing_is_written(home, call, name):
    """In splunkd's words."""
    answer = call("POST", SHARED, {**ALERT, name: "x"})
    assert (answer.status_code, texts(answer)) == (400, [f'Argument "{name}" is not supported by this handler.'])
    assert not (home.apps / "search/local").exists()


def test_other_paths_and_methods_are_refused(call):
    """404 for an app that is not there and what the stand-in has not, 405, and no write to a wildcard."""
    assert call("GET", "/servicesNS/nobody/none/saved/searches").status_code == 404
    assert call("GET", SHARED + "/x/history").status_code == 404
    assert call("DELETE", SHARED).status_code == 405
    assert call("POST", "/servicesNS/-/search/saved/searches", ALERT).status_code == 400


def test_a_private_search_is_its_owners(home, call):
    """It lies below etc/users; others see none of it, but an administrator does."""
    assert call("POST", MINE, ALERT, user="power").status_code == 201
    assert (home.etc / "users/power/search/local/savedsearches.conf").exists()
    acl = call("GET", MINE + "/My+rule", user="power").json()["entry"][0]["acl"]
    assert (acl["owner"], acl["sharing"], acl["can_write"]) == ("power", "user", True)
    for other in ("user", "sc_admin"):
        assert call("GET", MINE + "/My+rule", user=other).status_code == 404
        assert names(call("GET", "/servicesNS/-/-/saved/searches", user=other)) == []
    assert names(call("GET", "/servicesNS/-/-/saved/searches")) == ["My rule"]
    assert names(call("GET", SHARED)) == []
    assert call("POST", MINE, {**ALERT, "name": "x"}, user="user").status_code == 403
    assert call("POST", MINE + "/My+rule", {"alert.severity": "5"}).status_code == 200
    assert call("DELETE", MINE + "/My+rule", user="power").status_code == 200


def test_only_who_may_schedule_saves_an_alert(home, call):
    """A search without a schedule is everybody's to save; schedule_search is power's and above."""
    mine = MINE.replace("power", "user")
    refused = call("POST", mine, ALERT, user="user")
    assert (refused.status_code, "requires capability: schedule_search" in texts(refused)[0]) == (403, True)
    assert not (home.etc / "users/user").exists()
    assert call("POST", mine, {**ALERT, "is_scheduled": "0"}, user="user").status_code == 201
    assert call("POST", mine + "/My+rule", {"is_scheduled": "1"}, user="user").status_code == 403
    assert content(call("GET", mine + "/My+rule", user="user"))["is_scheduled"] is False


def test_a_path_without_a_namespace_makes_a_search_of_ones_own(home, call):
    """In the app `search`."""
    assert call("POST", "/services/saved/searches", ALERT, user="power").status_code == 201
    assert (home.etc / "users/power/search/local/savedsearches.conf").exists()
    assert names(call("GET", "/services/saved/searches", user="power")) == ["My rule"]


def test_a_shared_search_is_written_by_whom_the_app_names(call):
    """The search app lets power users write, ours does not; everybody reads."""
    assert call("POST", SHARED, ALERT, user="power").status_code == 201
    refused = call("POST", SHARED + "/My+rule", {"alert.severity": "5"}, user="user")
    assert refused.status_code == 403
    assert "cannot write" in texts(refused)[0]
    acl = call("GET", SHARED + "/My+rule", user="user").json()["entry"][0]["acl"]
    assert (acl["can_write"], acl["removable"], acl["sharing"]) == (False, False, "global")
    assert call("DELETE", SHARED + "/My+rule", user="user").status_code == 403
    ours = SHARED.replace("/search/", "/parapet_security/")
    assert call("POST", ours, ALERT, user="power").status_code == 403


def test_what_an_apps_validation_objects_to_is_not_written(home, call):
    """400 with the rule's sentence, for what is made and for what is changed, as it would be after the change."""
    (home.app / "default/restmap.conf").write_text(
        "[validation:savedsearch]\n"
        "action.parapet_security = case('action.parapet_security' != \"1\", null(), "
        '\'action.parapet_security.param.tenant\' == "bad", "No such tenant.")\n'
    )
    (home.app / "metadata/default.meta").write_text("[restmap]\nexport = system\n")
    refused = call("POST", SHARED, {**ALERT, "action.parapet_security.param.tenant": "bad"})
    assert (refused.status_code, texts(refused)) == (400, ["No such tenant."])
    assert call("GET", SHARED + "/My+rule").status_code == 404
    assert call("POST", SHARED, ALERT).status_code == 201
    changed = call(
        "POST", SHARED + "/My+rule", {"action.parapet_security": "1", "action.parapet_security.param.tenant": "bad"}
    )
    assert (changed.status_code, texts(changed)) == (400, ["No such tenant."])
    assert content(call("GET", SHARED + "/My+rule"))["action.parapet_security.param.tenant"] == "main"
    off = {"actions": "", "action.parapet_security.param.tenant": "bad"}
    assert call("POST", SHARED + "/My+rule", off).status_code == 200


def test_a_search_that_a_test_put_there_is_read_beside_those_of_the_file(splunkd, call):
    """`splunkd.saved_searches` goes on working."""
    splunkd.saved_searches["search", "Put"] = {"search": "x", "alert.severity": 5}
    call("POST", SHARED, ALERT)
    assert names(call("GET", SHARED)) == ["Put", "My rule"]
    assert content(call("GET", SHARED + "/Put"))["alert.severity"] == 5
