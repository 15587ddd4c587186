"""The alert dialog of the Splunk Web stand-in, without a browser: which form it serves, to whom, and what it refuses."""

from __future__ import annotations

import html
import json
import re

import pytest
import requests

from tests.standins.splunk_web import SplunkWeb

PREFIX = "action.parapet_security.param."
FORM = f"""<form>
<splunk-control-group label="A"><splunk-text-input name="{PREFIX}a"></splunk-text-input></splunk-control-group>
<a href="{{{{SPLUNKWEB_URL_PREFIX}}}}/help">help</a></form>"""


@pytest.fixture
def web(bare_scene):
    """A Splunk Web under a root path; the app's form is a small one."""
    _write(bare_scene, FORM)
    with SplunkWeb(bare_scene.splunkd, root_path="/splunk", locale="de-DE") as found:
        yield found


@pytest.fixture
def get(web):
    """A function that gets a page as a user, and returns the answer."""
    with requests.Session() as http:
        http.trust_env = False
        yield lambda path, user="power": http.get(web.url(path), cookies=web.login(user), allow_redirects=False)


def _write(scene, text):
    (scene.home.app / "default/data/ui/alerts/parapet_security.html").write_text(text, encoding="utf-8")


def page(answer):
    """What the page tells its script."""
    return json.loads(html.unescape(re.search(r'data-page="([^"]*)"', answer.text).group(1)))


def test_the_form_is_served_with_root_path_and_locale_in_its_links(get):
    """In every app, as the action and its form are exported."""
    answer = get("app/search/alert")
    assert answer.status_code == 200
    assert 'href="/splunk/de-DE/help"' in page(answer)["form"]
    assert "SPLUNKWEB_URL_PREFIX" not in page(answer)["form"]


def test_a_saved_search_is_named_by_its_path(get):
    """As a link from the list of alerts has it."""
    path = "/servicesNS/nobody/search/saved/searches/My%20alert"
    assert page(get("app/search/alert?s=" + path.replace("%", "%25")))["saved"] == path
    assert get("app/search/alert?s=My%20alert").status_code == 404


@pytest.mark.parametrize("section", ["alerts", "alert_actions"])
def test_what_is_not_exported_or_not_readable_is_not_shown_in_other_apps(get, web, section):
    """The action is missing in the dialog, as in slack-alerts#37."""
    meta = web.home.app / "metadata" / "local.meta"
    meta.write_text(f"[{section}]\nexport = none\n", encoding="utf-8")
    assert page(get("app/search/alert"))["form"] == ""
    meta.write_text(f"[{section}]\naccess = read : [ admin ]\n", encoding="utf-8")
    assert page(get("app/search/alert"))["form"] == ""
    assert page(get("app/search/alert", "admin"))["form"]


@pytest.mark.parametrize(
    "text",
    [
        FORM.replace("</form>", "<script>x()</script></form>"),
        FORM.replace("</form>", '<input name="x"></input></form>'),
        FORM.replace("</form>", ""),
        FORM.replace('label="A"', ""),
        FORM.replace(PREFIX, "param."),
    ],
)
def test_a_form_that_would_not_be_shown_whole_is_refused(get, bare_scene, text):
    """Not shown in part, so that no test passes with it."""
    _write(bare_scene, text)
    answer = get("app/search/alert")
    assert answer.status_code == 500
    assert "Malformed alert action HTML" in answer.text


def test_nobody_gets_the_dialog_without_a_login(web):
    """Splunk Web sends to its login page."""
    answer = requests.get(web.url("app/search/alert"), allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    assert "account/login" in answer.headers["Location"]
