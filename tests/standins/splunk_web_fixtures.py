"""What the tests of the Splunk Web stand-in share: a Splunk with a tiny app that has pages, and a visitor.

Must not be used by the product's tests.
"""

from __future__ import annotations

import contextlib

import pytest
import requests

from tests.standins.fake_app import write_app
from tests.standins.splunk_home import SplunkHome
from tests.standins.splunk_web import SplunkWeb
from tests.standins.splunkd import Splunkd

RAW = "splunkd/__raw"
NOBODY = RAW + "/servicesNS/nobody/parapet_security"
FILES = {
    "default/app.conf": "[install]\nis_configured = 0\n[ui]\nis_visible = 1\nlabel = A <tiny> app\nsetup_view = setup\n",
    "default/data/ui/nav/default.xml": """<nav search_view="search">
        <view name="secret"/><view name="absent"/><view name="setup"/><view name="home" default="true"/>
        <collection label="More"><view name="search"/><a href="https://docs.example/">Help</a></collection></nav>""",
    "default/data/ui/views/home.xml": """<dashboard version="1.1"><label>At home</label>
        <description>5 &gt; 4</description></dashboard>""",
    "default/data/ui/views/secret.xml": '<dashboard version="1.1" isVisible="false"><label>Unseen</label></dashboard>',
    "default/data/ui/views/setup.xml": """<form version="1.1" script="a.js, search:b.js" stylesheet="a.css" theme="dark">
        <label>Set up</label><row><panel id="one"><title>First</title><html><p class="x">Hello
        <b onclick="x()" ONMOUSEOVER="x()">you</b><script>x()</script><iframe src="a"/>kept<a href=" java&#9;script:x()"
        title="About: x()">a</a>after<img alt="x" src="data:image/png;base64,eA=="/>
        <a href="setup?x=1">b</a><style>p {}</style></p></html></panel></row></form>""",
    "appserver/static/a.js": "'a';",
    "appserver/static/a.css": "p {}",
    "appserver/static/deep/icon.png": "png",
    "appserver/templates/a.html": "not for the web",
    "local/data/ui/views/over.xml": '<dashboard version="1.1"><label>Local</label></dashboard>',
    "default/data/ui/views/over.xml": '<dashboard version="1.1"><label>Default</label></dashboard>',
}


@pytest.fixture(name="home")
def home_fixture(tmp_path):
    """A Splunk home with the tiny app and its pages."""
    home = SplunkHome(tmp_path / "splunk")
    home.install(write_app(tmp_path / "source"))
    for name, text in FILES.items():
        path = home.app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


@pytest.fixture(name="make_web")
def make_web_fixture(home):
    """A function that starts a Splunk Web on that home with its own splunkd."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            splunkd = stack.enter_context(Splunkd(home))
            return stack.enter_context(SplunkWeb(splunkd, **options))

        yield make


@pytest.fixture(name="web")
def web_fixture(make_web):
    """A Splunk Web as it is after the installation."""
    return make_web()


class Visitor(requests.Session):
    """A browser without scripts; `user` is logged in, None is not."""

    def __init__(self, web, user):
        """Have no proxy, and the cookies of the user."""
        super().__init__()
        self.web, self.trust_env = web, False
        if user:
            self.cookies.update(web.login(user))

    def go(self, path, method="GET", *, follow=False, **options):
        """Ask for a path below root path and locale."""
        return self.request(method, self.web.url(path), allow_redirects=follow, timeout=10, **options)

    def change(self, path, method="POST", data=None, **headers):
        """Ask as a script of our pages does; a header that is None is left out."""
        key = self.cookies.get(self.web.sessions.form_cookie)
        sent = {"X-Splunk-Form-Key": key, "X-Requested-With": "XMLHttpRequest", **headers}
        return self.go(path + "?output_mode=json", method, data=data, headers=sent)


@pytest.fixture(name="visit")
def visit_fixture(web):
    """A function that returns a visitor of `web`: `visit("power")`, and `visit(None)` who is not logged in."""
    with contextlib.ExitStack() as stack:
        yield lambda user="admin", where=None: stack.enter_context(Visitor(where or web, user))
