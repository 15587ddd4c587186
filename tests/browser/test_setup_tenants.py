"""Tenants on the setup page, as an administrator sees to them. Must not test what splunkd refuses: that is test_setup_refused."""

from __future__ import annotations

import pytest

from tests.browser import steps

WRONG = "pst_" + "of-last-year"


def test_the_first_tenant_fails_with_a_wrong_token_and_passes_with_the_right_one(site, certs, page_for, screenshot):
    """Add, test, read why it fails, replace the token, test again."""
    tenant = steps.start_tenant(site, certs)
    page = page_for(site)
    steps.open_setup(page, site)
    screenshot(page, "setup-nothing-yet-light")
    form = steps.fill_tenant(page, url=tenant.url, token=WRONG)
    assert form.get_by_label("Name", exact=True).input_value() == "main"
    screenshot(page, "setup-add-light")
    steps.save(form)
    steps.see(page, "Tenant main is saved. Press Test to see whether it works.")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Test main"
    page.keyboard.press("Enter")
    steps.see(page, "The test of main failed.")
    result = steps.row(page, "main").locator("xpath=following-sibling::tr[1]")
    assert "What to do:" in result.inner_text()
    assert "HTTP status 401" in " ".join(result.inner_text().split())
    screenshot(page, "setup-first-test-failed-light")
    steps.press(page, "Replace token", "main")
    form = page.get_by_role("form", name="Replace the token of main")
    form.get_by_label("Service token").fill(tenant.token)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    screenshot(page, "setup-first-test-passed-light")
    text = " ".join(result.inner_text().split())
    for fact in ("HTTP status 200", " ms", "TLS", "Forwarder not running", "From host"):
        assert fact in text
    assert steps.stored(site, "tenant:main") == {"webhook_url": tenant.url, "disabled": "0"}
    assert steps.password(site, "parapet_security", "main") == tenant.token


@pytest.mark.parametrize("name", ["constructor", "tostring"])
def test_a_tenant_may_be_called_what_javascript_has_a_word_for(site, page_for, name):
    """Without a stored token it has none, whatever an object inherits."""
    site.scene.add_tenant(name, "https://localhost/webhook/acme", None)
    page = page_for(site)
    steps.open_setup(page, site)
    assert "Missing" in steps.row(page, name).inner_text()


def test_the_app_is_marked_as_configured_by_the_first_save_only(site, page_for, traffic):
    """Splunk sends nobody to the page any more; later saves leave that alone."""
    page = page_for(site)
    steps.open_setup(page, site)
    steps.save(steps.fill_tenant(page))
    steps.see(page, "Tenant main is saved.")
    app = site.scene.call("GET", "/services/apps/local/parapet_security")["entry"][0]
    assert app["content"]["configured"] is True
    steps.press(page, "Pause", "main")
    steps.see(page, "Tenant main is paused")
    assert len(traffic(page).requests("POST", "/services/apps/local/parapet_security")) == 1


def test_the_url_is_shown_as_it_forms(site, page_for):
    """Region and tenant id make it; another region can be typed."""
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name="Add a tenant").click()
    form = page.get_by_role("form", name="Add a tenant")
    form.get_by_label("Region", exact=True).select_option("eu")
    form.get_by_label("Tenant id", exact=True).type("acme-7")
    steps.see(page, "https://webhook-eu.parapetsecurity.com/webhook/acme-7")
    form.get_by_label("Region", exact=True).select_option("another")
    form.get_by_label("Other region").fill("ap2")
    steps.see(page, "https://webhook-ap2.parapetsecurity.com/webhook/acme-7")
    form.get_by_label("Service token").fill(steps.TOKEN)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    assert steps.stored(site, "tenant:main")["webhook_url"] == "https://webhook-ap2.parapetsecurity.com/webhook/acme-7"
    steps.press(page, "Edit", "main")
    form = page.get_by_role("form", name="Webhook URL of main")
    assert form.get_by_label("Other region").input_value() == "ap2"
    assert form.get_by_label("Tenant id", exact=True).input_value() == "acme-7"


def test_the_url_can_be_edited_and_nothing_else_changes(make_site, page_for):
    """Only the key that was changed is sent."""
    site = make_site(tenant=True)
    site.scene.set_tenant("main", disabled="1")
    page = page_for(site)
    steps.open_setup(page, site)
    steps.press(page, "Edit", "main")
    form = page.get_by_role("form", name="Webhook URL of main")
    assert form.get_by_label("Whole webhook URL").input_value() == site.scene.tenant.url
    form.get_by_label("Whole webhook URL").fill(steps.CLOUD_URL)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    assert steps.stored(site, "tenant:main") == {"webhook_url": steps.CLOUD_URL, "disabled": "1"}
    assert steps.password(site, "parapet_security", "main") == site.scene.tenant.token


def test_a_tenant_is_paused_and_goes_on(make_site, page_for):
    """The row says so each time."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    assert "default" in steps.row(page, "main").inner_text()
    steps.press(page, "Pause", "main")
    steps.see(page, "Tenant main is paused: its alerts wait, and none is lost.")
    assert "Paused" in steps.row(page, "main").inner_text()
    assert steps.stored(site, "tenant:main")["disabled"] == "1"
    steps.press(page, "Resume", "main")
    steps.see(page, "Tenant main goes on")
    assert "Active" in steps.row(page, "main").inner_text()
    assert steps.stored(site, "tenant:main")["disabled"] == "0"


def test_a_tenant_is_removed_with_its_token_after_a_question(make_site, page_for, screenshot):
    """The question says how many alerts wait; Cancel and Escape change nothing."""
    site = make_site(tenant=True)
    site.scene.set_tenant("main", disabled="1")
    site.scene.fire()
    page = page_for(site)
    steps.open_setup(page, site)
    for leave in ("button", "Escape"):
        steps.press(page, "Remove", "main")
        dialog = page.get_by_role("dialog", name="Remove tenant main?")
        dialog.get_by_text("1 alert waits for it on this host").wait_for()
        screenshot(page, "setup-remove-light")
        if leave == "button":
            dialog.get_by_role("button", name="Cancel").click()
        else:
            page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove main"
    assert steps.stored(site, "tenant:main") is not None
    steps.press(page, "Remove", "main")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    steps.see(page, "Tenant main is removed.")
    steps.see(page, "No tenant is connected yet")
    assert steps.stored(site, "tenant:main") is None
    assert steps.tokens(site) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is empty: copy the webhook URL from Settings → Service Tokens at Parapet Security"),
        ("http://webhook-us.parapetsecurity.com/webhook/acme", "must start with https:// (got 'http')"),
        ("https://webhook-us.parapetsecurity.com/acme", "must end in /webhook/ and the tenant id (got '/acme')"),
        (steps.CLOUD_URL + "?x=1", "must end after the tenant id, without ? or #"),
        ("https://me:secret@example.com/webhook/acme", "must hold no user name or password"),
        ("https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID", "still holds the guide's placeholder"),
        ("https://webhook us/webhook/acme", "must hold no white space: copy it again"),
    ],
)
def test_a_url_that_cannot_work_is_refused_at_its_field(site, page_for, traffic, url, words):
    """In the words of the log and the documentation; nothing is sent, and what was typed stays."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=url)
    steps.save(form)
    steps.see(page, "Whole webhook URL " + words)
    field = form.get_by_label("Whole webhook URL")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.evaluate("node => node === document.activeElement")
    described = field.get_attribute("aria-describedby").split()
    assert any(words in page.locator("#" + name).inner_text() for name in described)
    assert field.input_value() == url
    assert traffic(page).requests("POST", "/configs/") == []


@pytest.mark.parametrize("name", ["Main", "-x", "a b", ""])
def test_a_name_that_is_no_tenants_is_refused_at_its_field(site, page_for, name):
    """In the words of the log; a longer one than can be cannot be typed."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, name=name)
    steps.save(form)
    steps.see(page, "Name is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit")
    assert form.get_by_label("Name", exact=True).evaluate("node => node === document.activeElement")
    form.get_by_label("Name", exact=True).clear()
    form.get_by_label("Name", exact=True).type("x" * 70)
    assert form.get_by_label("Name", exact=True).input_value() == "x" * 64


def test_leaving_the_page_with_something_typed_asks_first(site, page_for):
    """Only then."""
    page = page_for(site)
    steps.open_setup(page, site)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    steps.wait_until_read(page)
    assert asked == []
    steps.fill_tenant(page)
    page.reload()
    steps.wait_until_read(page)
    assert asked == ["beforeunload"]
