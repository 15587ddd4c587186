"""The documentation, held against the code: tables, links, commands, and the hosts it names.

Must not judge the prose; what it can compare, it compares in full.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from parapet import alert, matters, webhook
from parapet.errors import Exit
from parapet.log import EVENTS
from parapet.settings import NUMBERS, TENANT_KEYS, TEXTS, Delivery

from build_tools import cli
from build_tools.project import ROOT
from tests.conf import APP, parse
from tests.doc_pages import PAGES, bare, read, table

PAGE_IDS = [str(page.relative_to(ROOT)) for page in PAGES]
# Words in a URL that stand for something of the reader's.
PLACEHOLDERS = {"localhost", "host", "MEMBER", "kibana.example.com"}
# Where Splunk's own interface for Splunk Cloud is (docs.splunk.com, Admin Config Service Manual).
SPLUNKS = {"admin.splunk.com"}
# An outbound "and up" where the code only has a number too large to matter.
NO_LIMIT = 9999999999
PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
HOST = re.compile(r"https?://([A-Za-z0-9.{}-]*)")
DOMAIN = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|cloud)\b")
MACHINE_PATH = re.compile(r"(?<![\w$}.])/(?:home|root|work|tmp|Users|usr|opt|mnt|srv)/")

SOURCE = (APP / "bin/parapet/chores.py").read_text(encoding="utf-8")

each_page = pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^    .*$", "", text, flags=re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_log_event_is_in_the_table_as_the_code_words_it():
    """Name, level, meaning, what to do, in the catalogue's order."""
    wanted = [[f"`{name}`", level, meaning, todo or "–"] for name, (level, meaning, todo, _) in EVENTS.items()]
    found = table("docs/operate.md", "event")
    assert found == wanted, "the table needs:\n" + "\n".join(
        "| " + " | ".join(row) + " |" for row in wanted if row not in found
    )
    assert f"\n{len(EVENTS)} events; the list is closed" in read("docs/operate.md")


def test_every_field_of_an_event_is_explained_once():
    """Whoever writes a search over the log need not read the code."""
    rows = [*table("docs/operate.md", "field"), *table("docs/operate.md", "field of an event")]
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(told) == sorted({field for _, _, _, fields in EVENTS.values() for field in fields.split()})


def test_every_event_that_a_page_names_exists():
    """A search for an event that is never written finds nothing, and seems to say that all is well."""
    named = {name for page in PAGES for name in re.findall(r"event=([a-z_]+\.[a-z_]+)", page.read_text("utf-8"))}
    assert named <= set(EVENTS)


def test_every_exit_code_is_in_the_table_and_in_the_troubleshooting():
    """Operators see the number only."""
    codes = [str(int(code)) for code in Exit]
    assert [row[0] for row in table("docs/operate.md", "exit code")] == codes
    assert re.findall(r"^### Exit code (\d+)$", read("docs/troubleshoot.md"), re.MULTILINE) == codes


def test_every_setting_of_delivery_has_its_default_range_and_unit():
    """The page, the code and, by test_confs, the spec say the same."""
    rows = {bare(row[0]): row[1:4] for row in table("docs/configure.md", "`[delivery]`")}
    assert list(rows) == [*NUMBERS, *TEXTS]
    for name, rule in NUMBERS.items():
        span = f"{rule.low:g} and up" if rule.high >= NO_LIMIT else f"{rule.low:g} to {rule.high:.15g}"
        wanted = [f"{rule.default:.15g}", f"{int(rule.low)} and up" if "up" in span else span, rule.unit]
        assert rows[name] == wanted, name
    for name in TEXTS:
        assert bare(rows[name][0]) == getattr(Delivery(), name), name


def test_every_setting_of_a_tenant_is_described():
    """Nothing that the code reads is missing, and nothing is invented."""
    assert tuple(bare(row[0]) for row in table("docs/configure.md", "`[tenant:<name>]`")) == TENANT_KEYS


def test_every_parameter_of_an_alert_has_its_default_and_its_values():
    """What the action's stanza says, and what the code accepts."""
    stanza = parse((APP / "default/alert_actions.conf").read_text(encoding="utf-8"))["parapet_security"]
    # param._cam is no parameter: it tells Enterprise Security of the action.
    defaults = {key[6:]: value for key, value in stanza.items() if key.startswith("param.") and key != "param._cam"}
    rows = table("docs/configure.md", "`param.`")
    assert {bare(row[0]): bare(row[1]) for row in rows} == defaults
    values = {bare(row[0]): tuple(re.findall(r"`(\w+)`", row[2])) for row in rows}
    assert {name: values[name] for name in alert.CHOICES} == alert.CHOICES


def test_every_reason_for_no_answer_is_explained():
    """The words of `reason` are those of the client."""
    assert table("docs/operate.md", "reason") == [[f"`{word}`", text] for word, text in webhook.ERRORS.items()]


def test_every_field_of_the_state_line_is_explained():
    """The line is what dashboards are made of."""
    (call,) = re.findall(r'^( +)[\w.]+\(\n +"outbox\.state",\n(.*?)^\1\)', SOURCE, re.MULTILINE | re.DOTALL)
    fields = re.findall(r"^ +(\w+)=", call[1], re.MULTILINE)
    described = [name for row in table("docs/operate.md", "field") for name in re.findall(r"`(\w+)`", row[0])]
    assert described == fields


def test_every_message_on_the_bulletin_board_is_explained():
    """An administrator meets them in Splunk Web, without a link."""
    names = {*re.findall(r'found\["(\w+)"\] = ', SOURCE), matters.held("<tenant>")}
    described = {bare(row[0]) for row in table("docs/operate.md", "message")}
    assert described == {"parapet_security_" + name for name in names}
    assert len(names) == len(re.findall(r"found\[.*\] = ", SOURCE))


def test_the_troubleshooting_covers_the_guide():
    """Each entry of the vendor guide's own list is a heading, in its order."""
    heads = re.findall(r"^## (.+)$", read("docs/troubleshoot.md"), re.MULTILINE)
    guide = [
        "Webhook Not Firing",
        "Authentication Errors",
        "Script Errors",
        "Rate Limiting",
        "Splunk Cloud considerations",
    ]
    assert heads[: len(guide)] == guide


def test_every_advisory_is_about_a_package_that_is_vendored():
    """The versions on the page are those that are pinned."""
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", read("requirements/vendored.txt"), re.MULTILINE))
    page = " ".join(read("docs/security.md").split())
    for name, version in pins.items():
        assert f"{name} {version}" in page
    assert {row[0] for row in table("docs/security.md", "package")} <= set(pins)


@each_page
def test_every_relative_link_leads_somewhere(page):
    """To a file, and to a heading in it."""
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_picture_that_a_page_shows_is_there_and_every_one_that_is_there_is_shown():
    """With a text for whoever does not see it. `build.py test tests/browser -- --update-pictures` makes them."""
    found = {page: PICTURE.findall(page.read_text(encoding="utf-8")) for page in PAGES}
    shown = {(page.parent / path).resolve() for page, pictures in found.items() for _, path in pictures}
    assert shown == {path.resolve() for path in (ROOT / "docs/pictures").glob("*")}
    assert all(len(text.split()) > 3 for pictures in found.values() for text, _ in pictures)


@each_page
def test_no_host_but_the_vendors_and_splunks_is_named(page):
    """A page sends nobody to a host that is not the vendor's or Splunk's, and shows no address that is not a placeholder."""
    text = page.read_text(encoding="utf-8")
    named = (set(HOST.findall(text)) | set(DOMAIN.findall(text))) - SPLUNKS
    strange = {host for host in named if host and host not in PLACEHOLDERS and not host.endswith("parapetsecurity.com")}
    assert strange == set()


@each_page
def test_no_path_of_somebodys_machine_is_named(page):
    """$SPLUNK_HOME is where a reader's Splunk is; the rest is relative."""
    assert MACHINE_PATH.findall(page.read_text(encoding="utf-8")) == []


@each_page
def test_every_command_of_build_py_exists(page):
    """Each `python3 build.py <command>` is one that build.py knows."""
    for command in re.findall(r"python3 build\.py(?: (\w+))?", page.read_text(encoding="utf-8")):
        if command != "elastic":  # has a parser of its own, and tests of its own
            cli._parser().parse_args([command] if command else [])


def test_the_readme_names_the_package_that_is_built():
    """The version is in the file's name."""
    version = parse((APP / "default/app.conf").read_text(encoding="utf-8"))["launcher"]["version"]
    for name in ("README.md", "docs/install.md"):
        assert set(re.findall(r"parapet_security-([\d.]+)\.spl", read(name))) == {version}
    assert f"## [{version}]" in read("CHANGELOG.md")


def test_every_folder_that_the_readme_shows_is_there():
    """The tree in the README is the tree."""
    tree = read("README.md").split("## The tree", 1)[1]
    names = re.findall(r"^    (?:  )?((?:[\w.]+/?(?:, |  )?)+?)  ", tree, re.MULTILINE)
    shown = [name for group in names for name in re.split(r"[,\s]+", group) if name]
    assert len(shown) > 5
    for name in shown:
        assert any((folder / name).exists() for folder in (ROOT, APP, ROOT / "elastic")), name


def test_pages_are_there_for_whoever_installs_configures_and_operates():
    """The README leads to each page of docs/."""
    linked = {Path(link.partition("#")[0]).name for link in LINK.findall(read("README.md"))}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= linked
