"""The pages and files of the Splunk Web stand-in: how an app starts, what a view becomes, what of an app is served.

Must not need a browser: what scripts do is seen in tests/browser.
"""

from __future__ import annotations

import http.client
import json
import re

import pytest

from tests.standins.splunk_web_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    home_fixture,
    make_web_fixture,
    visit_fixture,
    web_fixture,
)

APP = "app/parapet_security/"
PANEL = "<dashboard version='1.1'><label>x</label><row><panel><html>{}</html></panel></row></dashboard>"


def write_view(home, text, name="fake"):
    """Put a view into the app."""
    (home.app / "default/data/ui/views" / (name + ".xml")).write_text(text, encoding="utf-8")


def set_app(home, stanza, **settings):
    """Change app.conf as apps/local does."""
    home.conf.update("app", "parapet_security", stanza, settings)


def test_an_app_that_is_not_configured_asks_who_may_configure_it(visit):
    """There is a page in between, whose link leads to the setup view."""
    visitor = visit()
    page = visitor.go(APP)
    assert page.status_code == 200
    assert "The &quot;A &lt;tiny&gt; app&quot; app has not" in page.text.replace('"', "&quot;")
    (link,) = re.findall('<p><a href="([^"]*)"', page.text)
    assert link == "/en-US/app/parapet_security/?setup=1"
    assert visitor.go(APP + "?setup=1").headers["Location"] == "/en-US/app/parapet_security/setup"


@pytest.mark.parametrize("user", ["admin", "power"])
def test_everybody_else_and_everybody_later_gets_the_default_view(home, visit, user):
    """Who may not set it up is not asked to; a view's own URL is never redirected."""
    assert visit(user).go(APP + "home").status_code == 200
    if user == "admin":
        set_app(home, "install", is_configured="1")
    assert visit(user).go(APP).headers["Location"] == "/en-US/app/parapet_security/home"


def test_an_app_that_is_not_visible_has_no_user_interface(home, visit):
    """Its start is 404, in Splunk's words; an app that is not installed is 404 too."""
    set_app(home, "ui", is_visible="0")
    answer = visit().go(APP)
    assert answer.status_code == 404
    assert 'Trying to reach the "parapet_security" app which does not have a User Interface.' in answer.text
    assert visit().go("app/absent/home").status_code == 404
    assert visit().go("app/../home").status_code == 404


def test_the_navigation_shows_views_that_are_there_and_visible(visit):
    """By their labels, in menus too; views of the search app are there for all."""
    text = visit().go(APP + "home").text
    assert re.findall("<li>(?:<a[^>]*>|<span>)([^<]*)", text) == ["Set up", "At home", "More", "Search", "Help"]
    assert '<a href="/en-US/app/parapet_security/search">Search</a>' in text
    assert "A &lt;tiny&gt; app" in text
    assert '<p class="description">5 &gt; 4</p>' in text


def test_config_is_what_scripts_find_as_dollar_c(web, visit):
    """Its names are those that Splunk's own library reads; it is there before any other script."""
    text = visit("power").go("config?autoload=1").text
    found = json.loads(text[len("window.$C = ") :].rstrip(";\n"))
    assert found == {
        "BUILD_NUMBER": "0123456789ab",
        "BUILD_PUSH_NUMBER": 0,
        "LOCALE": "en-US",
        "MRSPARKLE_PORT_NUMBER": 8000,
        "MRSPARKLE_ROOT_PATH": "",
        "SPLUNKD_PATH": "/en-US/splunkd/__raw",
        "USERNAME": "power",
        "VERSION_LABEL": web.splunkd.info.version,
    }
    assert re.findall('<script src="([^"]*)"', visit().go(APP + "setup").text)[0] == "/en-US/config?autoload=1"


def test_a_view_names_its_files_and_holds_its_panels_back(visit):
    """The loader gets the scripts, the head the style sheets; panels are in a template until it renders them."""
    text = visit().go(APP + "setup").text
    (scripts,) = re.findall("data-scripts='([^']*)'", text)
    base = "/en-US/static/@0123456789ab/app/"
    assert json.loads(scripts.replace("&quot;", '"')) == [base + "parapet_security/a.js", base + "search/b.js"]
    sheets = re.findall('<link rel="stylesheet" href="([^"]*)"', text)
    assert sheets[1:] == ["/en-US/static/splunk-dark.css", base + "parapet_security/a.css"]
    (panels,) = re.findall("<template.*</template>", text, re.DOTALL)
    assert 'id="one"' in panels
    assert '<h2 class="panel-title">First</h2>' in panels


def test_what_could_run_is_taken_out_of_a_panel(visit):
    """Scripts, frames, handlers, script links however they are written; the rest stays."""
    (panel,) = re.findall('<div class="panel-body html">(.*?)</div>', visit().go(APP + "setup").text, re.DOTALL)
    assert "x()" not in panel
    assert "iframe" not in panel
    assert re.findall("<[^/][^>]*>", panel) == [
        '<p class="x">',
        "<b>",
        "<a>",
        '<img alt="x" src="data:image/png;base64,eA==">',
        '<a href="setup?x=1">',
        "<style>",
    ]
    assert "kept<a>a</a>after" in panel


def test_a_view_that_somebody_edited_wins_over_the_apps(visit):
    """As `local` does everywhere."""
    assert '<h1 class="dashboard-title">Local</h1>' in visit().go(APP + "over").text


def test_a_view_that_is_not_readable_or_not_there_is_404(home, visit):
    """An access list may close it; a name is never a path."""
    meta = home.app / "metadata" / "default.meta"
    meta.write_text(meta.read_text(encoding="utf-8") + "[views/home]\naccess = read : [ power ]\n", encoding="utf-8")
    assert visit("power").go(APP + "home").status_code == 200
    assert visit("user").go(APP + "home").status_code == 404
    assert visit().go(APP + "absent").status_code == 404
    assert visit().go(APP + "..%2Fnav%2Fdefault").status_code == 404
    assert visit().go(APP + "home", "POST").status_code == 405


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<dashboard>", "XML syntax error"),
        ("<view version='1.1'/>", "the root is"),
        ("<dashboard><label>x</label></dashboard>", "version is"),
        ("<dashboard version='2'><label>x</label></dashboard>", "version is"),
        ("<dashboard version='1.1'/>", "no &lt;label&gt;"),
        ("<dashboard version='1.1' scripts='a.js'><label>x</label></dashboard>", "no attribute"),
        ("<dashboard version='1.1'><label>x</label><panel/></dashboard>", "no place"),
        ("<dashboard version='1.1'><label>x</label><row><html/></row></dashboard>", "no place"),
        ("<dashboard version='1.1'><label>x</label><row>y<panel/></row></dashboard>", "holds text"),
        ("<dashboard version='1.1'><label a='b'>x</label></dashboard>", "no attribute"),
        (PANEL.format("<img src='https://elsewhere.example/x.png'/>"), "asks for consent"),
        (PANEL.format("<form action='https://elsewhere.example/'/>"), "asks for consent"),
        (PANEL.format("<style>p { background: url('https://elsewhere.example/x.png') }</style>"), "asks for consent"),
    ],
)
def test_what_is_no_simple_xml_is_no_view(home, visit, text, reason):
    """The page says what is wrong instead of showing the half of it."""
    write_view(home, text)
    answer = visit().go(APP + "fake")
    assert answer.status_code == 500
    assert reason in answer.text.replace("<", "&lt;")


def test_a_link_to_elsewhere_is_only_a_link(home, visit):
    """Splunk asks for consent for what a panel fetches, not for where it leads."""
    write_view(home, PANEL.format("<a href='https://docs.example/'>docs</a>"))
    assert '<a href="https://docs.example/">docs</a>' in visit().go(APP + "fake").text


@pytest.mark.parametrize(
    "text", ["<nav", "<menu/>", "<nav colour='x'/>", "<nav><label/></nav>", "<nav><view nam='home'/></nav>"]
)
def test_a_broken_navigation_breaks_every_page_of_the_app(home, visit, text):
    """It is on all of them."""
    (home.app / "default/data/ui/nav/default.xml").write_text(text, encoding="utf-8")
    assert visit().go(APP + "home").status_code == 500


@pytest.mark.parametrize("prefix", ["static/", "static/@0123456789ab/", "static/@AB12.3:0/"])
def test_static_files_need_no_login_and_only_a_build_makes_them_last(web, visit, prefix):
    """With and without the locale; another build is another URL."""
    visitor = visit(None)
    for start in (web.origin + "/", web.origin + "/en-US/"):
        answer = visitor.get(start + prefix + "app/parapet_security/a.js", timeout=10)
        assert (answer.status_code, answer.content) == (200, b"'a';")
        assert answer.headers["Content-Type"] == "application/javascript"
        assert ("max-age=31536000" in answer.headers["Cache-Control"]) == ("@" in prefix)
    assert visitor.go(prefix + "app/parapet_security/deep/icon.png").headers["Content-Type"] == "image/png"
    assert visitor.go(prefix + "app/parapet_security/a.css").headers["Content-Type"] == "text/css"
    assert visitor.go(prefix + "app/parapet_security/a.css", "POST").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "absent.js",
        "",
        "deep",
        "../templates/a.html",
        "..%2Ftemplates%2Fa.html",
        "deep/../../../default/app.conf",
        "deep/..%5C..%5C../default/app.conf",
        "../../../../auth/splunk.secret",
        "link.js",
        "linked/app.conf",
        "a.js%00",
    ],
)
def test_nothing_but_appserver_static_is_served(home, web, visit, path):
    """No way leads out of it: not dots, however they are written, nor a link on the disk."""
    static = home.app / "appserver" / "static"
    (static / "link.js").symlink_to(home.app / "default" / "app.conf")
    (static / "linked").symlink_to(home.app / "default")
    # Clients take the dots out of a path before they send it.
    connection = http.client.HTTPConnection(web.origin[len("http://") :], timeout=10)
    connection.putrequest("GET", "/en-US/static/app/parapet_security/" + path)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (404, b"404 Not Found")
    connection.close()
