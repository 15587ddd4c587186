"""What a person does on the setup page, by what the page says and not by how it is made. Must not check anything but that it is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.standins.tenant import Tenant

CLOUD_URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
TOKEN = "pst_" + "an-admins-own"


def open_setup(page, site):
    """Open the setup page, and wait until it has read everything."""
    page.goto(site.url("setup"))
    wait_until_read(page)


def wait_until_read(page):
    """Wait until the page shows the settings, and what waits."""
    page.get_by_role("heading", name="Tenants").wait_for()
    page.get_by_text(re.compile(r"As of \d\d:|is not known")).first.wait_for()


def start_tenant(site, certs, **options):
    """A tenant that nobody has connected; splunkd trusts its authority."""
    tenant = site.enter_context(Tenant(certs, **options))
    site.scene.configure({"ca_file": certs.ca_file})
    return tenant


def fill_tenant(page, *, url=CLOUD_URL, token=TOKEN, name=None):
    """Open the form for a new tenant and fill it in, without saving."""
    page.get_by_role("button", name="Add a tenant").click()
    form = page.get_by_role("form", name="Add a tenant")
    if name is not None:
        form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Whole URL").check()
    form.get_by_label("Whole webhook URL").fill(url)
    form.get_by_label("Service token").fill(token)
    return form


def save(form):
    """Press Save in a form."""
    form.get_by_role("button", name="Save").click()


def row(page, name):
    """A tenant's row of the table."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile(rf"^{name}\b")))


def press(page, action, name):
    """Press one of a tenant's buttons."""
    page.get_by_role("button", name=f"{action} {name}", exact=True).click()


def hold_first(page, url):
    """Hold the first request to this URL back, from now on; gives the list in which it is then. The others go."""
    held = []

    def hold(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(url, hold)
    return held


def see(page, text):
    """Wait until a text can be seen."""
    page.locator("#parapet-setup").get_by_text(text).locator("visible=true").first.wait_for()


def stored(site, stanza):
    """A stanza of the app's own conf, as splunkd has it."""
    conf = site.scene.home.conf
    found = conf.stanzas("parapet_security", "parapet_security").get(stanza)
    return dict(found.settings) if found else None


def tokens(site):
    """The names under which secrets of this app are stored."""
    found = site.scene.home.conf.stanzas("passwords", "parapet_security")
    return sorted(name[len("credential:") :].rstrip(":") for name in found)


def password(site, realm, name):
    """A stored secret in clear, as the deliverer gets it."""
    path = f"/servicesNS/nobody/parapet_security/storage/passwords/{realm}%3A{name}%3A"
    return site.scene.call("GET", path)["entry"][0]["content"]["clear_password"]


def write_local(site, name, text):
    """A file in the app's local/, as somebody with a shell would write it."""
    path = Path(str(site.scene.home.app)) / "local" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def overflows(page):
    """Whether the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
