"""The dashboard Delivery health as far as a browser shows it without Splunk's charts: inputs, headings, texts, and the way to it.

Must not judge its searches; that is done elsewhere.
"""

from __future__ import annotations

import pytest

PANELS = [
    "Delivered",
    "Lost",
    "Waiting now",
    "Oldest alert has waited",
    "Dead letters now",
    "Tenants not called now",
    "Hosts without a deliverer",
    "Hosts",
    "Seconds from trigger to delivery",
    "Delivered by tenant",
    "Delivered by host",
    "Delivered by search",
    "Last errors and warnings",
    "Recent alerts",
    "Response actions in Enterprise Security",
]


def titles(page):
    """The headings of the panels, once they are there."""
    page.get_by_role("heading", name="Recent alerts").wait_for()
    return page.locator("h2").all_inner_texts()


@pytest.mark.parametrize(
    "site",
    [{}, {"root_path": "/splunk", "locale": "de-DE", "theme": "dark"}],
    indirect=True,
    ids=["plain", "elsewhere"],
)
def test_the_dashboard_is_one_click_away_and_says_what_it_shows(site, page_for, screenshot, axe):
    """By the navigation; its headings come in order, and every input has its label."""
    page = page_for(site)
    page.goto(site.url("home"))
    page.get_by_role("navigation").get_by_role("link", name="Delivery health").click()
    assert titles(page) == PANELS
    assert page.locator("h1").all_inner_texts() == ["Delivery health"]
    for label in ("Time range", "Host", "Tenant", "Alert id"):
        assert page.get_by_label(label, exact=True).is_visible()
    page.get_by_role("link", name="Setup page").wait_for()
    assert axe(page) == []
    screenshot(page, "delivery-health-" + site.web.theme)


def test_a_link_leads_to_the_lines_of_one_alert(site, page_for):
    """The id in the URL is what the input holds, and opens the panel that is otherwise not there."""
    page = page_for(site)
    page.goto(site.url("delivery_health") + "?form.id=75634c09ed0b49925052")
    found = titles(page)
    assert found[found.index("Recent alerts") + 1] == "Lines of alert 75634c09ed0b49925052"
    assert len(found) == len(PANELS) + 1
    assert page.get_by_label("Alert id").input_value() == "75634c09ed0b49925052"
