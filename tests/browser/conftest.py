"""Chromium, a Splunk Web to visit, and what looks at a page: for tests that use the app as a person does.

Must not hold a test. Needs Playwright, which the environment .venv/browser has (`python3 build.py test`); elsewhere
nothing in this folder is collected.
"""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import pytest

from build_tools import browser as chromium
from tests.scene import Scene
from tests.standins.splunk_web import SplunkWeb

if importlib.util.find_spec("playwright"):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    from tests.browser.traffic import Traffic
else:
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).resolve().parent.parent.parent
# What Playwright turns off by itself: Chromium heeds the last list only, so ours repeats it.
OFF = (
    "AutoDeElevate",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "BoundaryEventDispatchTracksNodeRemoval",
    "DestroyProfileOnBrowserClose",
    "DialMediaRouteProvider",
    "GlobalMediaControls",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "RenderDocument",
    "ThirdPartyStoragePartitioning",
    "Translate",
    # Suggestions below the address bar are a page of Chromium's own, loaded for every new window. It takes half a second of a
    # processor, which is more than a test does.
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)
FLAGS = (
    # What a page asks of another host fails here, and is not sent.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={','.join(OFF)}",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")


def pytest_addoption(parser):
    """`--update-pictures` renews the pictures of the documentation."""
    parser.addoption("--update-pictures", action="store_true", help="write chosen screenshots to docs/pictures/ too")


class Site(contextlib.ExitStack):
    """A Splunk with the app and its Splunk Web; nobody has configured the app unless a tenant is asked for.

    Attributes:
        scene: the installation (`tests.scene.Scene`): splunkd, home, tenant, the forwarder.
        web: Splunk Web.
    """

    def __init__(self, folder, app, certs, *, tenant=False, splunkd=None, **web):
        """Start both; further arguments are SplunkWeb's."""
        super().__init__()
        self.scene = self.enter_context(Scene(folder, app, certs, tenant=tenant, splunkd=splunkd))
        self.web = self.enter_context(SplunkWeb(self.scene.splunkd, **web))

    def url(self, view="setup"):
        """The URL of a view of the app."""
        return self.web.url("app/parapet_security/" + view)


@pytest.fixture
def make_site(tmp_path, app_tree, certs):
    """A function that makes a Site: `make_site(root_path=…, locale=…, theme=…, panels=…, tenant=…, splunkd={…})`."""
    with contextlib.ExitStack() as stack:
        folders = (tmp_path / f"splunk{number}" for number in range(100))
        yield lambda **options: stack.enter_context(Site(next(folders), app_tree, certs, **options))


@pytest.fixture
def site(make_site, request):
    """A Site; its options by indirect parametrisation."""
    return make_site(**getattr(request, "param", {}))


@pytest.fixture(scope="session")
def browser():
    """Chromium, once for the run (and once in each process of pytest-xdist)."""
    program = chromium.find()
    assert program, "these tests need Chromium; python3 build.py test says how to get it"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(program), args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def watched():
    """{page: its Traffic}; after the test, none of them may have seen an error or a foreign host."""
    found = {}
    yield found
    problems = [text for traffic in found.values() for text in traffic.unexpected()]
    assert not problems, "\n".join(problems)


@pytest.fixture
def traffic(watched):
    """A function that returns the Traffic of a page."""
    return watched.__getitem__


@pytest.fixture
def page_for(browser, watched):
    """A function that returns a new page with its own storage, logged in to a site: `page_for(site, user="admin")`.

    Further arguments are those of a browser's context (`viewport=…`, `color_scheme=…`); user None is not logged in.
    """
    contexts = []

    def make(site, user="admin", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(15_000)
        secret = {site.web.sessions.cookie}
        cookies = site.web.login(user) if user else {}
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": site.web.origin, "httpOnly": name in secret}])
        page = context.new_page()
        watched[page] = Traffic(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def screenshot(request):
    """A function that writes the whole page to .screens/<name>.png; `picture=True` is one of the documentation's."""

    def write(page, name, *, picture=False):
        places = [ROOT / ".screens"]
        if picture and request.config.getoption("--update-pictures", default=False):
            places.append(ROOT / "docs" / "pictures")
        image = page.screenshot(full_page=True, animations="disabled")
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{name}.png").write_bytes(image)

    return write


@pytest.fixture
def axe():
    """A function that returns what axe-core finds wrong with a page, as lines; none is the wish."""

    def find(page):
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(WCAG)}})
        return [
            f"{violation['id']}: {violation['help']}: {' '.join(map(str, node['target']))}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]

    return find
