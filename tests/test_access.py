"""Tests of who may see, run and change what of the app: metadata, and what is said about the commands.

They must not look into the Python code.
"""

from __future__ import annotations

from tests.conf import APP, CONFS, META


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
