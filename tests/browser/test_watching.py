"""What watches pages in the other tests of this folder sees what it should. Must not test the app."""

from __future__ import annotations

import pytest

SECRET = "pst_" + "canary"
READERS = {
    "text": "await (await fetch(url)).text()",
    "json": "await (await fetch(url)).json()",
    "arrayBuffer": "await (await fetch(url)).arrayBuffer()",
    "blob": "await (await fetch(url)).blob()",
    "stream": "await (await fetch(url)).body.getReader().read()",
    "XMLHttpRequest": """await new Promise((done) => {
        const request = new XMLHttpRequest();
        request.onload = () => done(request.responseText);
        request.open('GET', url);
        request.send();
    })""",
}
KEEPERS = {
    "localStorage": "localStorage.setItem('a', secret)",
    "sessionStorage": "sessionStorage.setItem('a', secret)",
    "indexedDB": "new Promise((done) => { indexedDB.open(secret).onsuccess = done; })",
    "cookies": "document.cookie = 'a=' + secret",
    "window.name": "window.name = secret",
    "history": "history.replaceState(secret, '')",
    "URL: http": "fetch('/en-US/static/splunk.css?a=' + secret)",
    "console": "console.info(secret)",
    "page": "document.body.setAttribute('title', secret)",
}


@pytest.fixture
def page(site, page_for):
    """A page of the site whose static file holds a secret."""
    (site.scene.home.app / "appserver" / "static" / "a.json").write_text(f'"{SECRET}"', encoding="utf-8")
    page = page_for(site)
    page.goto(site.url("search"))
    return page


@pytest.mark.parametrize("reader", READERS)
def test_what_a_script_reads_is_known_however_it_reads_it(page, site, traffic, reader):
    """Also when it throws it away."""
    url = site.web.path("static/app/parapet_security/a.json")
    page.evaluate(f"async (url) => {{ {READERS[reader]}; }}", url)
    assert traffic(page).places(SECRET) == [f'read body: "{SECRET}"']


def test_what_a_script_does_not_read_is_known_as_an_answer_only(page, site, traffic):
    """As the page must treat what splunkd says to a new password."""
    url = site.web.path("static/app/parapet_security/a.json")
    page.evaluate("async (url) => { const answer = await fetch(url); return answer.status; }", url)
    assert traffic(page).places(SECRET) == []
    assert traffic(page).requests("GET", "/a.json") == [200]


@pytest.mark.parametrize("place", KEEPERS)
def test_what_a_page_keeps_or_shows_is_found(page, traffic, place):
    """In each of the places where a page can put it."""
    page.evaluate(f"async (secret) => {{ await ({KEEPERS[place]}); }}", SECRET)
    found = traffic(page).places(SECRET)
    assert len(found) == 1
    assert found[0].startswith(place)


def test_what_is_typed_is_on_the_page(page, traffic):
    """A field's value is no attribute."""
    page.evaluate("document.body.append(document.createElement('input'))")
    page.locator("input").fill(SECRET)
    assert traffic(page).places(SECRET) == ["page"]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("setTimeout(() => { throw new Error('broken'); }, 0)", "uncaught: broken"),
        ("console.error('odd')", "console: odd"),
        ("fetch('http://elsewhere.example/').catch(() => 0)", "a request to elsewhere.example"),
        ("fetch('/en-US/static/absent.js')", "404"),
    ],
)
def test_a_page_with_a_problem_fails_its_test(page, traffic, script, problem):
    """Unless the test says that it is meant."""
    page.evaluate(f"async () => {{ await ({script}); }}")
    page.evaluate("() => new Promise((done) => setTimeout(done, 0))")
    assert any(problem in text for text in traffic(page).unexpected())
    traffic(page).allow(".")
    assert traffic(page).unexpected() == []


def test_what_splunkd_refuses_is_the_pages_business(page, site, traffic):
    """The browser's own line about it is no problem; the page shows what it makes of it."""
    url = site.web.path("splunkd/__raw/services/absent")
    assert page.evaluate("async (url) => (await fetch(url)).status", url) == 404
    assert traffic(page).unexpected() == []


def test_axe_finds_what_is_wrong(page, axe):
    """A picture without a text, for one."""
    assert axe(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [line.split(":")[0] for line in axe(page)] == ["image-alt"]


def test_somebody_logs_in_by_the_form(site, page_for):
    """And gets to where they wanted to go; the session is for no script."""
    page = page_for(site, user=None)
    page.goto(site.url("search"))
    page.get_by_label("Username").fill("power")
    page.get_by_label("Password").fill(site.scene.splunkd.access.users["power"].password)
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url(site.url("search"))
    assert page.get_by_text("power", exact=True).is_visible()
    assert "splunkweb_csrf_token_8000" in page.evaluate("document.cookie")
    assert "splunkd_8000" not in page.evaluate("document.cookie")
