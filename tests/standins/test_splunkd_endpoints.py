"""The splunkd stand-in's endpoints answer and refuse as splunkd's do.

Must not use the SDK, which hides statuses.
"""

from __future__ import annotations

import pytest
import requests

from tests.standins.splunkd import Splunkd
from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    APP,
    CONF,
    MAIN,
    PASSWORDS,
    SECRET,
    Caller,
    call_fixture,
    home_fixture,
    splunkd_fixture,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


@pytest.mark.parametrize(
    ("user", "status"), [("admin", 200), ("sc_admin", 200), ("system", 200), ("power", 403), ("user", 403)]
)
def test_only_admins_and_the_system_read_passwords(call, user, status):
    """list_storage_passwords decides, in splunkd's words."""
    call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET})
    answer = call("GET", MAIN, user=user)
    assert answer.status_code == status
    if status == 403:
        assert texts(answer) == [
            (
                f"You (user={user}) do not have permission to perform this operation "
                "(requires capability: list_storage_passwords)."
            )
        ]


def test_sc_admin_may_do_what_lists_and_capabilities_say_and_no_more(splunkd, home, call):
    """Splunk Cloud's administrator has no admin_all_objects: a list that does not name it keeps it out."""
    assert call("POST", CONF + "/delivery", {"workers": "9"}, user="sc_admin").status_code == 200
    assert "admin_all_objects" not in splunkd.access.session("Splunk " + call.keys["sc_admin"]).capabilities
    (home.app / "metadata/local.meta").write_text("[parapet_security]\naccess = read : [ * ], write : [ admin ]\n")
    assert call("POST", CONF + "/delivery", {"workers": "9"}, user="sc_admin").status_code == 403
    assert call("POST", CONF + "/delivery", {"workers": "9"}).status_code == 200
    somebodys = "/servicesNS/power/parapet_security/configs/conf-parapet_security/delivery"
    assert call("POST", somebodys, {"workers": "9"}, user="sc_admin").status_code == 403


def test_reading_is_not_writing(splunkd, call):
    """A role with list_storage_passwords alone cannot write."""
    splunkd.access.add_role("reader", ["list_storage_passwords"], ["user"])
    splunkd.access.add_user("bob", ["reader"])
    answer = call("POST", PASSWORDS, {"name": "main", "password": SECRET}, user="bob")
    assert (answer.status_code, "edit_storage_passwords" in texts(answer)[0]) == (403, True)


def test_the_capability_is_not_enough_without_the_apps_acl(splunkd, call):
    """[passwords] in default.meta hides the entries from a role that it does not name."""
    call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET})
    splunkd.access.add_role("reader", ["list_storage_passwords", "edit_storage_passwords"], ["user"])
    splunkd.access.add_user("bob", ["reader"])
    assert call("GET", MAIN, user="bob").status_code == 403
    assert call("GET", PASSWORDS, user="bob").json()["entry"] == []
    assert call("POST", MAIN, {"password": "x"}, user="bob").status_code == 403


def test_a_password_lies_encrypted_in_the_apps_local_file(home, call):
    """passwords.conf never holds the clear text, and a restart can still read it."""
    assert call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET}).status_code == 201
    text = (home.app / "local/passwords.conf").read_text()
    assert "[credential:parapet_security:main:]" in text
    assert "password = $7$" in text
    assert SECRET not in text
    with Splunkd(home) as again, requests.Session() as http:
        content = Caller(again, http)("GET", MAIN).json()["entry"][0]["content"]
    assert content["clear_password"] == SECRET
    assert (content["realm"], content["username"], content["encr_password"][:3]) == ("parapet_security", "main", "$7$")


def test_a_masking_splunkd_shows_stars(home):
    """With mask=True the secret is not answered to anybody."""
    with Splunkd(home, mask=True) as splunkd, requests.Session() as http:
        call = Caller(splunkd, http)
        call("POST", PASSWORDS, {"name": "main", "realm": "parapet_security", "password": SECRET})
        answer = call("GET", MAIN)
    assert answer.json()["entry"][0]["content"]["clear_password"] == "******"
    assert SECRET not in answer.text


def test_passwords_are_created_once_updated_and_deleted(call):
    """409, 404 and 400 come where splunkd has them."""
    given = {"name": "ma:in", "realm": "parapet_security", "password": SECRET}
    created = call("POST", PASSWORDS, given)
    assert created.json()["entry"][0]["name"] == "parapet_security:ma\\:in:"
    assert created.json()["entry"][0]["content"]["username"] == "ma:in"
    assert call("POST", PASSWORDS, given).status_code == 409
    assert call("POST", PASSWORDS, {"name": "x"}).status_code == 400
    assert call("POST", PASSWORDS, {**given, "colour": "red"}).status_code == 400
    assert call("POST", MAIN, {"password": "x"}).status_code == 404
    entry = created.json()["entry"][0]["links"]["alternate"]
    assert call("POST", entry, {"password": "pst_new"}).status_code == 200
    assert call("GET", entry).json()["entry"][0]["content"]["clear_password"] == "pst_new"
    assert call("DELETE", entry).status_code == 200
    assert call("GET", entry).status_code == 404


def test_a_password_of_another_app_says_whose_it_is(home, call):
    """An app that exports everything shows its secrets in our namespace too, as its own; no app is 404."""
    call("POST", "/servicesNS/nobody/search/storage/passwords", {"name": "main", "password": SECRET})
    assert call("GET", PASSWORDS + "/%3Amain%3A").json()["entry"][0]["acl"]["app"] == "search"
    assert not (home.app / "local/passwords.conf").exists()
    assert call("GET", "/servicesNS/nobody/none/storage/passwords").status_code == 404


def test_lists_end_after_thirty_entries_unless_told(call):
    """Splunkd's default for count is 30; 0 is all."""
    for number in range(31):
        call("POST", CONF, {"name": f"tenant:t{number}"})
    assert len(call("GET", CONF).json()["entry"]) == 30
    everything = call("GET", CONF, count=0).json()
    assert len(everything["entry"]) == everything["paging"]["total"] > 31
    assert len(call("GET", CONF, count=5, offset=2).json()["entry"]) == 5


def test_a_stanza_is_layered_default_then_local(home, call):
    """Local wins over default, [default] fills in, values are strings and `disabled` is a boolean."""
    (home.app / "local").mkdir()
    (home.app / "local/parapet_security.conf").write_text("[tenant:main]\ndisabled = 1\nretry = 0\n")
    entry = call("GET", CONF + "/tenant%3Amain").json()["entry"][0]
    assert entry["acl"]["app"] == "parapet_security"
    assert entry["acl"]["perms"] == {"read": ["*"], "write": ["admin", "sc_admin"]}
    content = entry["content"]
    assert (content["disabled"], content["retry"], content["color"]) == (True, "0", "blue")
    assert call("GET", CONF + "/delivery").json()["entry"][0]["content"]["equals"] == "a=b"


def test_stanzas_are_created_updated_and_deleted_in_local(home, call):
    """201, 409, 200, 404, and a shipped stanza cannot be removed."""
    assert call("POST", CONF, {"name": "tenant:eu", "disabled": "0"}).status_code == 201
    assert call("POST", CONF, {"name": "tenant:eu"}).status_code == 409
    assert call("POST", CONF, {"name": "tenant:main"}).status_code == 409
    assert call("POST", CONF + "/tenant%3Aeu", {"webhook_url": "https://e.invalid"}).status_code == 200
    assert call("POST", CONF + "/tenant%3Ano", {"a": "b"}).status_code == 404
    text = (home.app / "local/parapet_security.conf").read_text()
    assert text == "[tenant:eu]\ndisabled = 0\nwebhook_url = https://e.invalid\n"
    assert call("DELETE", CONF + "/tenant%3Aeu").status_code == 200
    assert call("GET", CONF + "/tenant%3Aeu").status_code == 404
    assert call("DELETE", CONF + "/delivery").status_code == 403


def test_only_admins_write_the_conf_and_all_read_it(call):
    """default.meta decides."""
    assert call("GET", CONF + "/delivery", user="user").status_code == 200
    refused = call("POST", CONF + "/delivery", {"workers": "9"}, user="power")
    assert refused.status_code == 403
    assert "cannot write" in texts(refused)[0]
    assert call("POST", CONF + "/delivery", {"workers": "9"}, user="sc_admin").status_code == 200


def test_an_unknown_stanza_conf_app_and_endpoint_are_not_there(call):
    """404, except for the list of an unknown conf: that one is empty, as the SDK's source knows."""
    assert call("GET", CONF + "/nothing").status_code == 404
    assert call("GET", APP + "/configs/conf-nothing/x").status_code == 404
    assert call("GET", APP + "/properties/nothing").status_code == 404
    assert call("GET", APP + "/configs/conf-nothing").json()["entry"] == []
    assert call("GET", "/servicesNS/nobody/none/configs/conf-web").status_code == 404
    assert call("GET", "/services/nothing").status_code == 404
    assert call("GET", "/elsewhere").status_code == 404
    assert call("PUT", CONF + "/delivery").status_code == 405
    assert call("DELETE", CONF).status_code == 405


def test_a_write_without_a_namespace_lands_in_search(home, call):
    """The trap of contract section 2.1: an empty stanza appears in search/local and takes the action over."""
    before = call("GET", "/servicesNS/nobody/search/configs/conf-alert_actions/parapet_security").json()
    assert before["entry"][0]["acl"]["app"] == "parapet_security"
    assert before["entry"][0]["content"]["maxresults"] == "10000"
    assert call("POST", "/services/alerts/alert_actions/parapet_security").status_code == 200
    assert (home.apps / "search/local/alert_actions.conf").read_text() == "[parapet_security]\n"
    after = call("GET", "/servicesNS/nobody/search/configs/conf-alert_actions/parapet_security").json()
    assert after["entry"][0]["acl"]["app"] == "search"


def test_a_users_own_write_stays_with_that_user(home, call):
    """A namespace with an owner writes below etc/users, where nobody else sees it."""
    mine = "/servicesNS/user/parapet_security/configs/conf-parapet_security"
    assert call("POST", mine + "/delivery", {"workers": "1"}, user="user").status_code == 200
    assert call("POST", mine + "/delivery", {"workers": "1"}, user="power").status_code == 403
    assert (home.etc / "users/user/parapet_security/local/parapet_security.conf").exists()
    assert call("GET", mine + "/delivery").json()["entry"][0]["content"]["workers"] == "1"
    assert call("GET", CONF + "/delivery").json()["entry"][0]["content"]["workers"] == "4"


def test_a_message_of_the_same_name_replaces(splunkd, call):
    """One message a name; a wrong severity and a user without the right are refused."""
    assert call("POST", "/services/messages", {"name": "p", "value": "one", "severity": "warn"}).status_code == 201
    assert call("POST", "/services/messages", {"name": "p", "value": "two", "severity": "error"}).status_code == 201
    assert splunkd.messages == {"p": ("two", "error")}
    (entry,) = call("GET", "/services/messages").json()["entry"]
    content = entry["content"]
    assert (entry["name"], content["message"], content["p"], content["severity"]) == ("p", "two", "two", "error")
    assert content["timeCreated_epochSecs"] == splunkd.message_times["p"]
    assert call("POST", "/services/messages", {"value": "x"}).status_code == 400
    assert call("POST", "/services/messages", {"name": "p"}).status_code == 400
    assert call("POST", "/services/messages", {"name": "p", "value": "x", "severity": "bad"}).status_code == 400
    assert call("POST", "/services/messages", {"name": "p", "value": "x"}, user="user").status_code == 403
    assert call("DELETE", "/services/messages/p", user="system").status_code == 200
    assert call("DELETE", "/services/messages/p").status_code == 404


def test_a_saved_search_answers_under_its_search_uri(splunkd, call):
    """A name with spaces comes with plus signs; another app does not see it."""
    splunkd.saved_searches["search", "My rule"] = {"search": "index=main", "dispatch.earliest_time": "-5m"}
    answer = call("GET", "/servicesNS/admin/search/saved/searches/My+rule")
    assert answer.json()["entry"][0]["content"]["dispatch.earliest_time"] == "-5m"
    assert call("GET", APP + "/saved/searches/My+rule").status_code == 404


@pytest.mark.parametrize(("version", "status"), [("8.2.12", 404), ("9.0.0", 404), ("9.0.1", 200), ("10.0.2", 200)])
def test_second_version_of_jobs_came_with_9_0_1(home, version, status):
    """Splunk's REST API reference names it as new there."""
    with Splunkd(home, version=version) as splunkd, requests.Session() as http:
        http.trust_env = False
        splunkd.jobs["1.2"] = {"search": "search x", "resultCount": 3}
        call = Caller(splunkd, http)
        assert call("GET", "/services/search/v2/jobs/1.2").status_code == status
        assert call("GET", "/services/search/jobs/1.2").status_code == 200


@pytest.mark.parametrize("path", ["/services/search/jobs/", "/services/search/v2/jobs/"])
def test_a_job_is_there_until_it_expires(splunkd, call, path):
    """404 with splunkd's words once it is gone."""
    splunkd.jobs["1.2"] = {"search": "search x", "resultCount": 3}
    assert call("GET", path + "1.2").json()["entry"][0]["content"]["resultCount"] == 3
    del splunkd.jobs["1.2"]
    gone = call("GET", path + "1.2")
    assert (gone.status_code, texts(gone)) == (404, ["Unknown sid."])
