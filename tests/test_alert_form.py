"""Tests of the form in which somebody sets up the action for an alert.

They must not need a browser: the form is plain HTML.
"""

from __future__ import annotations

from html.parser import HTMLParser

from tests.conf import APP, SPECS


class Form(HTMLParser):
    """The elements of the alert form, as (tag, attributes), and the options of each select by its name."""

    def __init__(self) -> None:
        """Read the form of the app."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.options: dict[str, list[str | None]] = {}
        self.feed((APP / "default/data/ui/alerts/parapet_security.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element; the parser calls this for each."""
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "select":
            self.options[attributes["name"].rpartition(".")[2]] = self._values = []
        elif tag == "option":
            self._values.append(attributes["value"])

    def fields(self) -> list[dict[str, str | None]]:
        """Return the attributes of each element that a value is entered in."""
        return [attributes for tag, attributes in self.elements if tag in ("input", "select", "textarea")]


def test_the_form_offers_what_an_alert_may_choose() -> None:
    """Every field is a parameter of an alert; tokens, URLs and what Splunk fills in are not offered."""
    names = [field["name"] for field in Form().fields()]
    assert names == [
        "action.parapet_security.param." + name
        for name in ("tenant", "send", "severity", "severity_fields", "fields", "exclude_fields")
    ]


def test_the_forms_lists_hold_exactly_the_values_that_the_spec_allows() -> None:
    """Nothing can be chosen that would be refused later."""
    entries = SPECS["alert_actions.conf"]["parapet_security"]
    options = Form().options
    assert set(options) == {"send", "severity"}
    for name, values in options.items():
        assert values == entries["param." + name].form.strip("[]").split("|")


def test_every_field_of_the_form_has_a_label_and_nothing_in_it_runs() -> None:
    """A screen reader names each field; Splunk Web shows the form without scripts."""
    form = Form()
    labels = [attributes["for"] for tag, attributes in form.elements if tag == "label"]
    assert [field["id"] for field in form.fields()] == labels
    assert not {"script", "iframe", "style"} & {tag for tag, _ in form.elements}
    assert not [name for _, attributes in form.elements for name in attributes if name.startswith("on")]
