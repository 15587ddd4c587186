"""The splunkd stand-in says who asks, what that session may do, what apps there are, and who marks one configured.

Must not test searches.
"""

from __future__ import annotations

import pytest
import requests

from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    APP,
    CONF,
    DELIVER,
    MAIN,
    PASSWORDS,
    SECRET,
    call_fixture,
    home_fixture,
    splunkd_fixture,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
CONTEXT = "/services/authentication/current-context"
LOCAL = "/services/apps/local/parapet_security"
OURS = "/servicesNS/nobody/parapet_security/apps/local/parapet_security"


def content(answer):
    """The content of the only entry."""
    (entry,) = answer.json()["entry"]
    return entry["content"]


def rights(answer):
    """What the only entry says that the session may do."""
    (entry,) = answer.json()["entry"]
    acl = entry["acl"]
    return acl["can_write"], acl["modifiable"], acl["removable"]


def test_the_context_is_who_asks(splunkd, call):
    """Own roles, every capability of these and of the imported ones."""
    admin = content(call("GET", CONTEXT))
    assert (admin["username"], admin["realname"], admin["roles"]) == ("admin", "Administrator", ["admin"])
    assert {"admin_all_objects", "search", "schedule_search"} <= set(admin["capabilities"])
    splunkd.access.add_user("eve", ["user", "power"], "Eve Example")
    eve = content(call("GET", CONTEXT, user="eve"))
    assert (eve["realname"], eve["roles"]) == ("Eve Example", ["power", "user"])
    assert eve["capabilities"] == [
        "rest_apps_view",
        "rest_properties_get",
        "run_sendalert",
        "schedule_search",
        "search",
    ]
    assert content(call("GET", CONTEXT, user="system"))["username"] == "splunk-system-user"
    assert call("GET", CONTEXT, key="x").status_code == 401
    assert call("POST", CONTEXT).status_code == 405
    assert call("GET", CONTEXT + "/x").status_code == 404


def test_a_password_is_as_good_as_a_session(splunkd):
    """`curl -u` works for the right password only; a handler gets a session that works."""
    url = splunkd.uri + DELIVER
    with requests.Session() as http:
        http.trust_env = False
        right = ("user", splunkd.access.users["user"].password)
        got = http.post(url, auth=right, verify=False, timeout=10).json()
        assert got["session"]["user"] == "user"
        assert splunkd.access.session("Splunk " + got["session"]["authtoken"]).user == "user"
        for wrong in (("user", "wrong"), ("nobody", ""), ("splunk-system-user", "")):
            assert http.post(url, auth=wrong, verify=False, timeout=10).status_code == 401
        headers = {"Authorization": "Basic not!base64"}
        assert http.post(url, headers=headers, verify=False, timeout=10).status_code == 401


@pytest.mark.parametrize("path", [LOCAL, OURS])
def test_an_app_tells_what_its_app_conf_says(home, call, path):
    """Booleans are booleans; what app.conf does not say has the spec's default."""
    assert content(call("GET", path, user="user"))["label"] == "parapet_security"
    (home.app / "default/app.conf").write_text(
        "[install]\nis_configured = 0\n[ui]\nlabel = Example\nis_visible = 0\n[launcher]\nversion = 1.2.3\n"
    )
    told = content(call("GET", path, user="user"))
    wanted = {"label": "Example", "version": "1.2.3", "configured": False, "visible": False, "disabled": False}
    assert {key: told[key] for key in wanted} == wanted
    assert told["check_for_updates"] is True
    names = [entry["name"] for entry in call("GET", "/services/apps/local").json()["entry"]]
    assert names == ["parapet_security", "search"]


@pytest.mark.parametrize("value", ["1", "true"])
def test_an_app_is_marked_configured_in_its_local_file(home, call, value):
    """[install] is_configured = 1, and the answer says so at once."""
    assert content(call("POST", OURS, {"configured": value}))["configured"] is True
    assert (home.app / "local/app.conf").read_text() == "[install]\nis_configured = 1\n"
    assert content(call("GET", LOCAL))["configured"] is True


def test_only_who_may_edit_apps_marks_one(splunkd, call):
    """edit_local_apps is enough, admin_all_objects too."""
    refused = call("POST", OURS, {"configured": "1"}, user="power")
    assert refused.status_code == 403
    assert "requires capability: admin_all_objects or edit_local_apps" in texts(refused)[0]
    assert rights(call("GET", OURS, user="power")) == (False, False, False)
    splunkd.access.add_role("installer", ["edit_local_apps"], ["user"])
    splunkd.access.add_user("bob", ["installer"])
    assert call("POST", OURS, {"configured": "1"}, user="bob").status_code == 200


def test_other_calls_for_apps_are_refused(call):
    """Unknown arguments, values, apps and methods; a reload is a right too."""
    assert texts(call("POST", OURS, {"colour": "1"})) == ['Argument "colour" is not supported by this handler.']
    assert call("POST", OURS, {"configured": "maybe"}).status_code == 400
    assert call("POST", "/services/apps/local/none", {"configured": "1"}).status_code == 404
    assert call("GET", "/services/apps/local/none").status_code == 404
    assert call("DELETE", OURS).status_code == 405
    assert call("POST", "/services/apps/local", {"name": "x"}).status_code == 405
    assert call("POST", OURS + "/_reload").status_code == 200
    assert call("GET", LOCAL + "/_reload").status_code == 200
    assert call("POST", OURS + "/_reload", user="user").status_code == 403
    assert call("POST", OURS + "/_other").status_code == 404


def test_an_app_that_hides_itself_is_not_listed(home, call):
    """The [] of its metadata decides."""
    (home.app / "metadata/default.meta").write_text("[]\naccess = read : [ admin ], write : [ admin ]\n")
    assert call("GET", LOCAL, user="user").status_code == 403
    assert len(call("GET", "/services/apps/local", user="user").json()["entry"]) == 1


@pytest.mark.parametrize("path", [CONF + "/delivery", APP + "/alerts/alert_actions/parapet_security"])
def test_an_entity_says_what_this_session_may_do(call, path):
    """`perms` are everybody's; a shipped stanza cannot be removed, one's own can."""
    assert rights(call("GET", path)) == (True, True, False)
    assert rights(call("GET", path, user="sc_admin")) == (True, True, False)
    assert rights(call("GET", path, user="power")) == (False, False, False)
    call("POST", CONF, {"name": "tenant:eu"})
    assert rights(call("GET", CONF + "/tenant%3Aeu")) == (True, True, True)
    assert rights(call("GET", CONF + "/tenant%3Aeu", user="user")) == (False, False, False)
    call("POST", CONF + "/tenant%3Amain", {"disabled": "1"})
    assert rights(call("GET", CONF + "/tenant%3Amain")) == (True, True, False)
    entry = call("GET", path, user="power").json()["entry"][0]
    assert entry["acl"]["perms"] == {"read": ["*"], "write": ["admin", "sc_admin"]}


def test_rights_come_from_the_role_list_or_admin_all_objects(splunkd, call):
    """A role that the list names may write; one that it does not name may with admin_all_objects."""
    splunkd.access.add_role("sc_admin", ["search"])
    splunkd.access.add_role("chief", ["admin_all_objects"])
    splunkd.access.add_user("carl", ["chief"])
    assert rights(call("GET", CONF + "/delivery", user="sc_admin"))[0] is True
    assert rights(call("GET", CONF + "/delivery", user="carl"))[0] is True


def test_a_users_own_namespace_is_writable(call):
    """There a write is the user's own."""
    mine = "/servicesNS/user/parapet_security/configs/conf-parapet_security/delivery"
    assert rights(call("GET", mine, user="user")) == (True, True, False)


def test_a_password_is_writable_with_the_capability_and_the_list(splunkd, call):
    """Who may only read secrets is told so."""
    call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET})
    assert rights(call("GET", MAIN)) == (True, True, True)
    splunkd.access.add_role("reader", ["list_storage_passwords"], ["sc_admin"])
    splunkd.access.roles["sc_admin"] = splunkd.access.roles["user"]
    splunkd.access.add_user("bob", ["reader"])
    assert rights(call("GET", MAIN, user="bob")) == (False, False, False)


def test_properties_tell_which_secrets_there_are_and_none_of_them(splunkd, call):
    """Names only, no value; whom [passwords] does not name, and who lacks rest_properties_get, sees none."""
    names = APP + "/properties/passwords"
    assert call("GET", names).status_code == 404
    call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET})
    answer = call("GET", names)
    assert [entry["name"] for entry in answer.json()["entry"]] == ["credential:parapet_security:main:"]
    assert SECRET not in answer.text
    assert "$7$" not in answer.text
    assert call("GET", names, user="power").status_code == 404
    splunkd.access.add_role("bare", ["admin_all_objects"])
    splunkd.access.add_user("bob", ["bare"])
    assert call("GET", names, user="bob").status_code == 403
