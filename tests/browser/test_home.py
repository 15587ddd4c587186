"""The home page: its three steps and its links, under every address. Must not test where the links lead to outside the app."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "site",
    [{}, {"root_path": "/splunk", "locale": "de-DE", "theme": "dark"}],
    indirect=True,
    ids=["plain", "elsewhere"],
)
def test_home_tells_the_three_steps_with_links_that_work(site, page_for, screenshot, axe):
    """It is what the app opens with once it is configured; each link stays below root path and locale."""
    site.scene.call("POST", "/services/apps/local/parapet_security", configured="true")
    page = page_for(site)
    page.goto(site.web.url("app/parapet_security"))
    for step in ("Connect a tenant", "Add the action to an alert", "See that it arrives"):
        page.get_by_role("heading", name=step).wait_for()
    assert axe(page) == []
    screenshot(page, "home-" + site.web.theme, picture=True)
    links = page.locator("#parapet-home a").evaluate_all("all => all.map((one) => one.href)")
    assert [link.partition("?")[0] for link in links] == [
        site.web.url(path)
        for path in (
            "app/parapet_security/setup",
            "app/search/alerts",
            "app/parapet_security/search",
            "app/parapet_security/search",
            "app/parapet_security/setup",
            "app/parapet_security/delivery_health",
        )
    ]
    page.get_by_role("link", name="setup page").first.click()
    page.get_by_role("heading", name="Tenants").wait_for()
    page.get_by_role("link", name="The three steps to the first alert").click()
    page.get_by_role("heading", name="Connect a tenant").wait_for()
