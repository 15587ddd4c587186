"""Tests of who may see, run and change what of the app: metadata, and what is said about the commands.

They must not look into the Python code.
"""

from __future__ import annotations

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
COMMANDS = ("| parapettest tenant=main", "| parapetoutbox summary=true", "| parapetoutboxedit action=drop id=all")


def test_only_administrators_may_write() -> None:
    """Whoever could write here could send alerts and tokens elsewhere."""
    rules = [settings["access"] for settings in META.values() if "access" in settings]
    assert {rule.partition("write :")[2].strip() for rule in rules} == {"[ admin, sc_admin ]"}
    assert "access" in META[""]


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


def test_everybody_may_read_where_alerts_go_but_not_the_tokens() -> None:
    """Alert owners read parapet_security.conf; stored passwords are for administrators."""
    assert META[""]["access"].startswith("read : [ * ],")
    assert META["parapet_security"]["access"].startswith("read : [ * ],")
    assert META["passwords"]["access"].startswith("read : [ admin, sc_admin ],")


def test_other_apps_see_the_action_its_form_and_the_logs_and_no_more() -> None:
    """An alert lives in any app; settings and passwords stay in this one."""
    exported = {name for name, settings in META.items() if settings.get("export") == "system"}
    assert exported == {"alert_actions", "alerts", "restmap", "props", "macros", "commands", "searchbnf"}
    assert META["parapet_security"]["export"] == META["passwords"]["export"] == "none"


def search(scene, text, app):
    """Run a search in an app as Splunk Cloud's administrator."""
    path = f"/servicesNS/nobody/{app}/search/jobs"
    return scene.call("POST", path, "sc_admin", exec_mode="oneshot", search=text)["results"]


def status(scene, method, path, args):
    """The status of a call as Splunk Cloud's administrator."""
    try:
        scene.call(method, path, "sc_admin", **args)
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
