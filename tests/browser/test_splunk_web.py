"""The Splunk Web stand-in seen by a browser, with a view of the tests' own. Must not test the app."""

from __future__ import annotations

import pytest

VIEW = """<dashboard version="1.1" script="fake.js" stylesheet="fake.css">
  <label>A fake</label>
  <row><panel><html><div id="fake" onclick="alert(1)">empty<script>alert(2)</script></div>
  <a href="/app/search/alerts">alerts</a></html></panel></row>
</dashboard>
"""
SCRIPT = """
(function () {
  function start() {
    const place = document.getElementById('fake');
    if (!place) { setTimeout(start, 20); return; }
    place.textContent = window.$C.USERNAME + ' reads ' + window.$C.SPLUNKD_PATH;
  }
  start();
})();
"""


@pytest.fixture
def fake(site):
    """The site, with a view `fake` in the app."""
    static = site.scene.home.app / "appserver" / "static"
    views = site.scene.home.app / "default" / "data" / "ui" / "views"
    views.mkdir(parents=True, exist_ok=True)
    (views / "fake.xml").write_text(VIEW, encoding="utf-8")
    (static / "fake.js").write_text(SCRIPT, encoding="utf-8")
    (static / "fake.css").write_text("#fake { font-weight: bold; }", encoding="utf-8")
    return site


@pytest.mark.parametrize(
    "site",
    [
        {},
        {"panels": "after"},
        {"root_path": "/splunk", "locale": "de-DE", "theme": "dark"},
    ],
    indirect=True,
    ids=["panels first", "script first", "root path, locale, dark"],
)
def test_a_view_is_shown_and_its_script_runs(fake, page_for, traffic, screenshot, axe):
    """The script finds the panel and $C, whichever comes first; what could run in the panel's HTML is gone."""
    page = page_for(fake)
    page.goto(fake.url("fake"))
    page.get_by_text("admin reads " + fake.web.path("splunkd/__raw")).wait_for()
    assert page.locator("#fake").get_attribute("onclick") is None
    assert page.evaluate("getComputedStyle(document.getElementById('fake')).fontWeight") == "700"
    assert page.get_by_role("link", name="alerts").get_attribute("href") == fake.web.path("app/search/alerts")
    screenshot(page, "stand-in-" + fake.web.theme + fake.web.panels)
    assert axe(page) == []
    assert traffic(page).places("alert(") == []
