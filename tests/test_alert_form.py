"""Tests of the form in which somebody sets up the action for an alert, as it is shipped.

They must not need a browser: what the form does in one is tested in tests/browser.

The form consists of Splunk's own elements. Splunk Web registers all of them in `webcomponents/forminputs`; of the two generations of
that registry that are published, the older one, with the elements of 6.5's Formatter API and no more, has the searched list and its
`allow-custom-value` already. So Splunk 8.0 knows them, and nothing stands beside them for versions that do not. (That an 8.0 shows
the list was not seen: where it did not, alerts would go to the tenant main, or to what savedsearches.conf says.) Newer dialogs show
nothing but these elements ("Migrate custom alert action HTML for ITSI", ITSI 5.0).
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.conf import APP, CONFS, SPECS
from tests.standins.splunk_web_alert import FormError, shown

TEXT = (APP / "default/data/ui/alerts/parapet_security.html").read_text(encoding="utf-8")
FORM = ET.fromstring(TEXT)  # noqa: S314  # our own file
PREFIX = "action.parapet_security.param."
DEFAULTS = CONFS["alert_actions.conf"]["parapet_security"]
INPUTS = [node for node in FORM.iter() if (node.get("name") or "").startswith(PREFIX)]


def test_the_form_offers_what_an_alert_may_choose() -> None:
    """Every field is a parameter of an alert; tokens, URLs and what Splunk fills in are not offered."""
    names = [node.get("name") for node in INPUTS]
    chosen = ("tenant", "send", "severity", "severity_fields", "fields", "exclude_fields")
    assert names == [PREFIX + name for name in chosen]


def test_the_forms_lists_hold_exactly_the_values_that_the_spec_allows() -> None:
    """Nothing can be chosen that would be refused later."""
    entries = SPECS["alert_actions.conf"]["parapet_security"]
    selects = [node for node in INPUTS if node.tag == "splunk-select"]
    assert [node.get("name") for node in selects] == [PREFIX + "send", PREFIX + "severity"]
    for node in selects:
        form = entries["param." + str(node.get("name"))[len(PREFIX) :]].form
        assert [option.get("value") for option in node] == form.strip("[]").split("|")


def test_what_a_field_shows_at_first_is_the_default() -> None:
    """A dialog that does not fill the form shows what would count."""
    shown_first = {node.get("name"): node.get("value", "") for node in INPUTS}
    names = [str(name)[len(PREFIX) :] for name in shown_first]
    assert list(shown_first.values()) == [DEFAULTS["param." + name] for name in names]


def test_every_field_has_a_label_and_help() -> None:
    """A group of Splunk's own ties the three together; older versions show the help as HTML."""
    groups = list(FORM.iter("splunk-control-group"))
    assert [group[0] for group in groups] == INPUTS
    labels = [group.get("label") for group in groups]
    assert len(set(labels)) == len(labels) == len(INPUTS)
    assert not [
        group for group in groups if len(str(group.get("help"))) < 40 or set("<>&") & set(str(group.get("help")))
    ]


def test_the_tenants_come_from_the_apps_own_conf_and_another_one_can_be_typed() -> None:
    """The list needs no right to secrets: the path names the app's conf, on this search head only."""
    tenant = INPUTS[0]
    assert tenant.tag == "splunk-search-dropdown"
    assert tenant.get("allow-custom-value") == "true"
    search = str(tenant.get("search"))
    path = "/servicesNS/nobody/parapet_security/configs/conf-parapet_security"
    assert search.startswith(f"| rest {path} splunk_server=local count=0 ")
    assert "passwords" not in TEXT
    # Without a time range Splunk's list does not search at all.
    assert tenant.get("earliest")
    assert tenant.get("latest")
    assert f"| table {tenant.get('value-field')}" in search
    assert tenant.get("value-field") == tenant.get("label-field")


def test_the_links_survive_every_root_path_and_locale() -> None:
    """Splunk puts both in for the prefix; a link opens beside the dialog, and nothing typed is lost."""
    links = list(FORM.iter("a"))
    prefix = "{{SPLUNKWEB_URL_PREFIX}}"
    targets = ["/help?location=learnmore.alert.action.tokens", "/app/parapet_security/setup"]
    assert [node.get("href") for node in links] == [prefix + target for target in targets]
    assert {node.get("target") for node in links} == {"_blank"}
    assert (APP / "default/data/ui/views/setup.xml").is_file()
    assert prefix not in shown(TEXT, "/splunk/de-DE")


def test_splunk_shows_the_whole_form() -> None:
    """Nothing in it is dropped by the sanitiser, or known to some versions only."""
    assert "splunk-search-dropdown" in shown(TEXT, "/en-US")


@pytest.mark.parametrize(
    ("change", "instead"),
    [
        ("</form>", "<script></script></form>"),
        ("</form>", '<input type="text" name="action.parapet_security.param.send"></input></form>'),
        ("</form>", "</form><p></p>"),
        ("</form>", "<br /></form>"),
        ('<div class="controls">', '<div class="controls" onclick="x()">'),
        ("Which tenant", "About: which tenant"),
        (PREFIX + "fields", "fields"),
        (PREFIX + "fields", PREFIX + "send"),
        ("</form>", ""),
        ('label="Tenant"', ""),
        ("user. A", "user & more. A"),
    ],
)
def test_a_form_that_splunk_would_not_show_whole_is_noticed(change, instead) -> None:
    """Scripts, native inputs, broken markup, and names that Splunk ignores."""
    assert change in TEXT
    with pytest.raises(FormError):
        shown(TEXT.replace(change, instead, 1), "/en-US")
