"""What the documentation says of the setup page, the alert form and the search commands, held against all three.

Must not judge the prose; what it can compare, it compares in full.
"""

from __future__ import annotations

import re
from pathlib import Path

from parapet import commands, connection_test, listing, webhook
from parapet.settings import NUMBERS, TEXTS, Tenant
from parapet.verdict import Answer

from tests.conf import APP, CONFS
from tests.doc_pages import bare, read, table

# In one line, so that its format does not matter.
SCRIPT = " ".join((APP / "appserver/static/setup.js").read_text(encoding="utf-8").split())
VIEW = " ".join((APP / "default/data/ui/views/setup.xml").read_text(encoding="utf-8").split())
FORM = (APP / "default/data/ui/alerts/parapet_security.html").read_text(encoding="utf-8")
NAME_THE_PLACE = ("README.md", "CHANGELOG.md", "docs/configure.md", "docs/operate.md", "docs/troubleshoot.md")
# Besides those in the table of a tenant's buttons.
BUTTONS = ("Add a tenant", "Cut it off", "Finish", "Resume", "Save delivery settings", "Undo changes", "Clear it")
RETRY_ALL = "Retry all dead letters on every member"


def test_every_control_of_the_alert_form_has_its_label_on_the_page():
    """Who reads the page finds the field, and who sees the field finds the parameter."""
    form = re.findall(r'label="([^"]+)".*?name="action\.parapet_security\.param\.(\w+)"', FORM, re.DOTALL)
    rows = [row for row in table("docs/configure.md", "`param.`") if len(row) == 5]
    assert [(row[3], bare(row[0])) for row in rows if row[3] != "–"] == form


def test_the_settings_on_the_setup_page_are_listed_and_the_others_are_in_its_list():
    """The labels are the page's; retry_dead is a button there."""
    labels = dict(re.findall(r'key: "(\w+)", label: "([^"]+)"', SCRIPT))
    assert {bare(row[1]): row[0] for row in table("docs/configure.md", "on the page")} == labels
    (in_file,) = re.findall(r"const IN_FILE = \[(.*?) \];", SCRIPT)
    assert set(labels) | set(re.findall(r'\["(\w+)"', in_file)) | {"retry_dead"} == {*NUMBERS, *TEXTS}


def test_the_setup_page_is_where_the_pages_say():
    """Apps, the app's label, the view's label."""
    label = CONFS["app.conf"]["ui"]["label"]
    (view,) = re.findall("<label>(.+)</label>", VIEW)
    for name in NAME_THE_PLACE:
        assert f"Apps → {label} → {view}" in " ".join(read(name).split()), name


def test_every_button_that_the_pages_describe_is_on_the_setup_page():
    """A button of another name is not found."""
    for button, *_ in table("docs/configure.md", "button"):
        assert f'"{button}"' in SCRIPT, button
    for button in BUTTONS:
        assert button in " ".join(read("docs/configure.md").split())
        assert f'"{button}"' in SCRIPT, button
    assert f'"{RETRY_ALL}"' in read("docs/operate.md")
    assert f'"{RETRY_ALL}"' in SCRIPT


def test_what_the_setup_page_says_is_quoted_as_it_says_it():
    """A reader looks for the words that are on the screen."""
    quoted = [text for row in table("docs/troubleshoot.md", "what you see") for text in re.findall('"([^"]+)"', row[0])]
    assert len(quoted) > 10
    assert [text for text in quoted if text not in SCRIPT + VIEW] == []


def fields(page, command):
    """The names of a command's fields, in the order of its table."""
    return [name for row in table(page, f"`{command}`") for name in re.findall(r"`(\w+)`", row[0])]


class NothingHeld:
    """An outbox without an entry."""

    def names(self, folder):
        """None."""
        return []

    held = dict


def test_every_field_of_the_search_commands_is_explained():
    """In the tables, and in the help that Splunk shows beside the search bar."""
    found = {
        "parapettest": ["tenant", "outcome", *connection_test.Finding._fields[1:], "forwarder", "host"],
        "parapetoutbox": [*listing.Listing(None, None, 0)._unreadable("0" * 13 + "-id", ""), "host"],
        "parapetoutboxedit": ["id", "action", "outcome", "state"],
    }
    pages = {"parapettest": "docs/troubleshoot.md"}
    for command, names in found.items():
        assert sorted(fields(pages.get(command, "docs/operate.md"), command)) == sorted(names)
        help_text = CONFS["searchbnf.conf"][command + "-command"]["description"]
        assert [name for name in names if not re.search(rf"\b{name}\b", help_text)] == []
    source = Path(commands.__file__).read_text(encoding="utf-8")
    (own,) = re.findall(r"^def summary\(.*?^def ", source, re.MULTILINE | re.DOTALL)
    names = {*listing.Listing(NothingHeld(), None, 0).summary(), *re.findall(r'^        "(\w+)":', own, re.MULTILINE)}
    assert set(fields("docs/operate.md", "summary=true")) == names


def test_every_option_of_the_search_commands_is_in_their_help_and_on_a_page():
    """No option is secret, and none is invented."""
    source = (APP / "bin/parapet/search_command.py").read_text(encoding="utf-8")
    text = read("docs/operate.md") + read("docs/troubleshoot.md")
    found = {}
    for command, body in re.findall(r'"""`\| (\w+)[^`]*`\."""\n(.*?)def rows', source, re.DOTALL):
        found[command] = set(re.findall(r"^    (\w+) = Option\(", body, re.MULTILINE))
    assert set(found) == set(CONFS["commands.conf"])
    for command, options in found.items():
        assert set(re.findall(r"(\w+)=", CONFS["searchbnf.conf"][command + "-command"]["syntax"])) == options
        assert all(re.search(rf"\| {command}[^`\n]* {option}=", text) for option in options), command


def test_every_state_of_an_entry_is_explained():
    """The words are those of the command's help."""
    help_text = CONFS["searchbnf.conf"]["parapetoutbox-command"]["description"]
    (states,) = re.findall(r"state \(([^)]+)\)", help_text)
    assert [bare(row[0]) for row in table("docs/operate.md", "`state` of an alert")] == states.split(", ")


def test_every_role_that_can_hold_the_lock_is_explained():
    """As the setup page words each of them."""
    (deliverers,) = re.findall(r"const DELIVERERS = \{(.*?) \};", SCRIPT)
    known = set(re.findall(r"(\w+): \(host\)", deliverers)) - {"none", "unknown"}
    assert {bare(row[0]) for row in table("docs/operate.md", "role")} == known


def test_every_outcome_of_a_test_says_what_the_command_says():
    """The table has each reason, with what to do in the code's own words."""
    rows = {row[0]: row[1] for row in table("docs/troubleshoot.md", "`reason` of a test")}
    answers = {f"`{word}`": Answer(None, word) for word in webhook.ERRORS}
    for status in (401, 403, 404, 407, 413):
        answers[f"`status_{status}`"] = Answer(status)
    answers["`status_3xx`"] = Answer(302)
    answers["`status_429`, `status_503` with `Retry-After`"] = Answer(429)
    answers["`status_408`, `status_425`, `status_5xx`"] = Answer(500)
    answers["`status_4xx`, any other"] = Answer(400)
    assert set(rows) == {*answers, "`accepted`", "`configuration`"}
    for cell, answer in answers.items():
        found = connection_test.examine(Tenant("main"), lambda body, key, answer=answer: answer, lambda: 0.0)
        assert rows[cell] == found.todo
        assert found.reason in cell or "xx" in cell
