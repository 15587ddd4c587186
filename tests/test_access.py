"""Tests of who may see, run and change what of the app: metadata, and what is said about the commands.

They must not look into the Python code.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests

from tests.conf import APP, CONFS, META
from tests.scene import CONF, PASSWORDS

TOKEN = PASSWORDS + "/parapet_security%3Acloud%3A"
# What the setup page asks for, in its order: method, path, arguments.
SETUP = [
    ("POST", CONF, {"name": "tenant:cloud", "webhook_url": "https://localhost/webhook/acme"}),
    ("POST", CONF + "/delivery", {"read_timeout": "20"}),
    ("POST", PASSWORDS, {"name": "cloud", "realm": "parapet_security", "password": "pst_first"}),
    ("GET", TOKEN, {}),
    ("POST", TOKEN, {"password": "pst_second"}),
    ("POST", "/services/apps/local/parapet_security", {"configured": "1"}),
    ("DELETE", CONF + "/tenant%3Acloud", {}),
    ("DELETE", TOKEN, {}),
]
# Every kind of object that the app ships or stores: who may read it, and whether other apps see it. Nobody else may write any.
EVERYBODY, ADMINISTRATORS = "[ * ]", "[ admin, sc_admin ]"
RULES = {
    "alert_actions": (EVERYBODY, True),
    "alerts": (EVERYBODY, True),
    "app": (EVERYBODY, False),
    "commands": (ADMINISTRATORS, True),
    "inputs": (EVERYBODY, False),
    "lookups": (EVERYBODY, True),
    "macros": (EVERYBODY, True),
    "nav": (EVERYBODY, False),
    "parapet_security": (EVERYBODY, False),
    "passwords": (ADMINISTRATORS, False),
    "props": (EVERYBODY, True),
    "restmap": (EVERYBODY, True),
    "savedsearches": (EVERYBODY, False),
    "searchbnf": (EVERYBODY, True),
    "server": (EVERYBODY, False),
    "times": (EVERYBODY, False),
    "transforms": (EVERYBODY, True),
    "views": (EVERYBODY, False),
}
COMMANDS = ("| parapettest tenant=main", "| parapetoutbox summary=true", "| parapetoutboxedit action=drop id=all")


def test_every_kind_of_object_has_its_rule() -> None:
    """Its own or the app's. Whoever could write here could send alerts and tokens elsewhere."""
    shipped = {name[: -len(".conf")] for name in CONFS} | {path.name for path in (APP / "default/data/ui").iterdir()}
    assert set(RULES) == shipped | {"lookups", "passwords"}
    assert set(META) - {""} <= set(RULES)
    for kind, (read, exported) in RULES.items():
        rule = META.get(kind, {})
        assert rule.get("access", META[""]["access"]) == f"read : {read}, write : {ADMINISTRATORS}", kind
        assert rule.get("export", "none") == ("system" if exported else "none"), kind


def test_the_commands_are_for_administrators_and_the_one_that_changes_something_asks_first() -> None:
    """They show and change what all alerts share; a link must not run the dangerous one unasked."""
    assert META["commands"]["access"].startswith("read : [ admin, sc_admin ],")
    commands = CONFS["commands.conf"]
    assert set(commands) == {"parapettest", "parapetoutbox", "parapetoutboxedit"}
    for name, settings in commands.items():
        assert settings["chunked"] == "true"
        assert (APP / "bin" / settings["filename"]).is_file()
        assert settings.get("is_risky", "false") == ("true" if name == "parapetoutboxedit" else "false")


def test_every_command_has_help_with_examples_that_run_it() -> None:
    """The search assistant shows it while somebody types."""
    assert {name[: -len("-command")] for name in CONFS["searchbnf.conf"]} == set(CONFS["commands.conf"])
    for stanza, help_text in CONFS["searchbnf.conf"].items():
        name = stanza[: -len("-command")]
        assert help_text["syntax"].startswith(name)
        assert help_text["usage"] == "public"
        assert {"shortdesc", "description", "comment1", "example1"} <= set(help_text)
        assert all(value.startswith("| " + name) for key, value in help_text.items() if key.startswith("example"))


def search(scene, text, app):
    """Run a search in an app as Splunk Cloud's administrator."""
    path = f"/servicesNS/nobody/{app}/search/jobs"
    return scene.call("POST", path, "sc_admin", exec_mode="oneshot", search=text)["results"]


def status(scene, method, path, args, user="sc_admin"):
    """The status of a call as Splunk Cloud's administrator, or as somebody else."""
    try:
        scene.call(method, path, user, **args)
    except requests.HTTPError as error:
        return error.response.status_code
    return 200


def test_splunk_clouds_administrator_sets_the_app_up_and_runs_its_commands(scene):
    """Without admin_all_objects: by its capabilities, and because the metadata names it."""
    (context,) = scene.call("GET", "/services/authentication/current-context", "sc_admin")["entry"]
    assert "admin_all_objects" not in context["content"]["capabilities"]
    assert [status(scene, *request) for request in SETUP] == [200] * len(SETUP)
    (row,) = search(scene, COMMANDS[0], "parapet_security")
    assert row["outcome"] == "ok"
    for text in COMMANDS:
        search(scene, text, "search")


def test_it_is_the_metadata_that_lets_splunk_clouds_administrator_in(scene):
    """Where the app's lists do not name the role, its capabilities get it nowhere but to the mark of the app."""
    file = scene.home.app / "metadata/default.meta"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(", sc_admin", ""), encoding="utf-8")
    assert text.count(", sc_admin") == 6
    scene.add_tenant("cloud", "https://localhost/webhook/acme", "pst_first")
    allowed = [request[1] for request in SETUP if status(scene, *request) != 403]
    assert allowed == ["/services/apps/local/parapet_security"]
    for text in COMMANDS:
        with pytest.raises(requests.HTTPError, match="400"):
            search(scene, text, "parapet_security")


@pytest.mark.parametrize("user", ["user", "power"])
def test_who_is_no_administrator_reads_where_alerts_go_and_changes_nothing(scene, user):
    """Neither settings nor tokens, and nothing of what the app ships."""
    app = "/servicesNS/nobody/parapet_security"
    saved = "/saved/searches/" + quote(next(iter(CONFS["savedsearches.conf"])))
    assert status(scene, "GET", CONF + "/tenant%3Amain", {}, user) == 200
    assert status(scene, "GET", PASSWORDS + "/parapet_security%3Amain%3A", {}, user) == 403
    writes = [*SETUP[:3], ("POST", CONF + "/tenant%3Amain", {"webhook_url": "https://localhost/webhook/other"})]
    writes += [("POST", app + saved, {"disabled": "0"})]
    for conf in ("alert_actions/parapet_security", "macros/parapet_security_index", "props/parapet_security%3Alog"):
        writes.append(("POST", f"{app}/configs/conf-{conf}", {"description": "changed"}))
    assert [status(scene, *request, user=user) for request in writes] == [403] * len(writes)
    for text in COMMANDS:
        with pytest.raises(requests.HTTPError, match="400"):
            scene.call("POST", f"{app}/search/jobs", user, exec_mode="oneshot", search=text)


def test_alerts_of_every_app_can_use_the_action_and_see_nothing_of_its_settings(scene):
    """It is the metadata that shares the one and keeps the other."""
    action = "/servicesNS/nobody/search/configs/conf-alert_actions/parapet_security"
    settings = "/servicesNS/nobody/search/configs/conf-parapet_security/delivery"
    assert [status(scene, "GET", path, {}, "user") for path in (action, settings)] == [200, 404]
    file = scene.home.app / "metadata/default.meta"
    file.write_text(file.read_text(encoding="utf-8").replace("export = system", "export = none"), encoding="utf-8")
    assert status(scene, "GET", action, {}, "user") == 404


@pytest.mark.parametrize("forwarder", [True, False], ids=["forwarder", "handler"])
def test_alert_of_an_owner_who_can_do_nothing_at_all_is_delivered(scene, forwarder):
    """An alert owner needs no capability for this app: not even one that every user has."""
    scene.splunkd.access.add_role("nothing", [])
    scene.splunkd.access.add_user("owner", ["nothing"])
    if forwarder:
        scene.start_forwarder()
    fired = scene.fire(user="owner")
    assert (fired.exit_code, "ERROR" in fired.stderr) == (0, False), fired.stderr
    scene.tenant.wait_for(1)
    scene.wait_until_empty()
    assert scene.tenant.refusals == []
