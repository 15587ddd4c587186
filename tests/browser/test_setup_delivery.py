"""The settings of delivery on the setup page. Must not test the state block nor tenants."""

from __future__ import annotations

import pytest
from parapet.settings import NUMBERS, TEXTS, Delivery

from tests.browser import steps

SHOWN = {
    "proxy_url": "Proxy URL",
    "proxy_username": "Proxy user name",
    "ca_file": "CA file",
    "read_timeout": "Read time-out",
    "outbox_max_bytes": "Size of the outbox",
    "dead_days": "Days for dead letters",
}


def field(page, key):
    """A setting's field."""
    return page.get_by_role("textbox", name=SHOWN[key], exact=True)


def save(page):
    """Save the group."""
    page.get_by_role("button", name="Save delivery settings").click()


def help_of(page, key):
    """What a field is described by."""
    ids = field(page, key).get_attribute("aria-describedby").split()
    return " ".join(page.locator("#" + one).inner_text() for one in ids)


def test_every_setting_is_on_the_page_with_its_range_and_default(site, page_for, screenshot):
    """Either as a field or, with its present value, as one that only the file has; the same set as in the code."""
    site.scene.configure({"workers": "7"})
    page = page_for(site)
    steps.open_setup(page, site)
    for key in ("read_timeout", "dead_days"):
        rule = NUMBERS[key]
        assert f"Range: {rule.low:g} to {rule.high:g} {rule.unit}. Default: {rule.default:g}." in help_of(page, key)
        assert field(page, key).input_value() == f"{rule.default:g}"
    assert "Range: 1 MiB and up. Default: 1 GiB." in help_of(page, "outbox_max_bytes")
    steps.see(page, f"= {NUMBERS['outbox_max_bytes'].default:,} bytes")
    page.get_by_text("Settings that only the file has").click()
    for key in {*NUMBERS, *TEXTS} - {*SHOWN, "retry_dead"}:
        value = "7" if key == "workers" else f"{getattr(Delivery(), key)}"
        fact = page.locator("dl > div").filter(has=page.get_by_text(key, exact=True))
        assert value in fact.inner_text(), key
    steps.see(page, "7 connections (default 4)")
    screenshot(page, "setup-delivery-light")


def test_only_what_was_changed_is_written(site, page_for):
    """One save for the group; the rest keeps what the file says."""
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, "read_timeout").fill("45")
    field(page, "outbox_max_bytes").fill("512")
    page.get_by_label("Unit of size of the outbox").select_option("MiB")
    steps.see(page, "= 536,870,912 bytes")
    field(page, "ca_file").fill("/etc/ssl/own.pem")
    save(page)
    steps.see(page, "Saved: ca file, read time-out, size of the outbox.")
    written = site.scene.home.conf.own("parapet_security", "parapet_security")["delivery"]
    changed = {"read_timeout": "45", "outbox_max_bytes": "536870912", "ca_file": "/etc/ssl/own.pem"}
    assert {key: written[key] for key in changed} == changed
    layer = site.scene.home.app / "local" / "parapet_security.conf"
    assert sorted(line.split(" =")[0] for line in layer.read_text("utf-8").splitlines() if "=" in line) == sorted(
        changed
    )
    page.reload()
    steps.wait_until_read(page)
    assert field(page, "outbox_max_bytes").input_value() == "512"
    assert page.get_by_label("Unit of size of the outbox").input_value() == "1048576"


def test_each_setting_goes_back_to_its_default(site, page_for):
    """The button is there where the value is another one; saving makes it so."""
    given = {
        "proxy_url": "http://proxy:3128",
        "ca_file": "/etc/ssl/own.pem",
        "read_timeout": "45",
        "outbox_max_bytes": "1048576",
        "dead_days": "3",
    }
    site.scene.configure(given)
    page = page_for(site)
    steps.open_setup(page, site)
    assert page.get_by_role("button", name="Back to default: Proxy user name").count() == 0
    for key in given:
        page.get_by_role("button", name=f"Back to default: {SHOWN[key]}").click()
        assert field(page, key).evaluate("node => node === document.activeElement")
    assert page.get_by_role("button", name="Back to default").count() == 0
    save(page)
    steps.see(page, "Saved: proxy url")
    stored = steps.stored(site, "delivery")
    assert {key: stored[key] for key in given} == {key: f"{getattr(Delivery(), key)}" for key in given}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("read_timeout", "0"), "must be a number from 1 to 300 seconds (got '0')"),
        (("read_timeout", "soon"), "must be a number from 1 to 300 seconds (got 'soon')"),
        (("dead_days", "1.5"), "must be a whole number from 1 to 365 days (got '1.5')"),
        (("outbox_max_bytes", "0"), "must be a number, and at least 1 MiB (got '0')"),
        (("proxy_url", "proxy:3128"), "must be of the form http://host:port or https://host:port (got 'proxy:3128')"),
        (("proxy_url", "http://me:secret@proxy:3128"), "must hold no user name or password"),
        (("proxy_username", "a:b"), "must hold no colon and no control character"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_field(site, page_for, traffic, typed, words):
    """In the words of the log; nothing is sent."""
    key, value = typed
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, key).fill(value)
    save(page)
    steps.see(page, f"{SHOWN[key]} {words}")
    assert field(page, key).get_attribute("aria-invalid") == "true"
    assert field(page, key).input_value() == value
    assert traffic(page).requests("POST", "/configs/") == []


def test_a_value_in_the_file_that_cannot_be_is_said_at_once(site, page_for):
    """With what counts instead."""
    site.scene.configure({"dead_days": "many"})
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "Days for dead letters must be a whole number from 1 to 365 days (got 'many'); the default counts")


def test_a_proxy_with_a_password(site, page_for, traffic):
    """The password goes into its own storage, is asked for with the name, and goes away with it."""
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, "proxy_username").fill("joe")
    save(page)
    steps.see(page, "Proxy URL is empty, but there is a user name: set both, or neither")
    field(page, "proxy_url").fill("http://proxy:3128")
    save(page)
    steps.see(page, "Proxy password is not stored for this user name: enter it")
    page.get_by_label("Proxy password").fill("p4ss word")
    save(page)
    steps.see(page, "Saved: proxy url, proxy user name.")
    steps.see(page, "One is stored for joe.")
    assert steps.password(site, "parapet_security_proxy", "joe") == "p4ss word"
    assert traffic(page).places("p4ss word") == []
    page.get_by_label("Proxy password").fill("another")
    save(page)
    steps.see(page, "Saved. It takes effect within seconds")
    assert steps.password(site, "parapet_security_proxy", "joe") == "another"
    page.get_by_role("button", name="Back to default: Proxy user name").click()
    save(page)
    steps.see(page, "Saved: proxy user name.")
    assert steps.tokens(site) == []


def test_a_refusal_is_said_and_keeps_what_was_typed(site, page_for):
    """At the field where there is one; Undo changes brings back what is stored."""
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, "read_timeout").fill("45")
    site.scene.splunkd.fail("configs/conf-parapet_security", 400, times=1)
    save(page)
    steps.see(page, "Read time-out was not saved. Splunk does not accept this. Splunk says: splunkd was told to fail")
    field(page, "dead_days").fill("3")
    site.scene.splunkd.fail("configs/conf-parapet_security", 403, times=1)
    save(page)
    steps.see(page, "You may not do this: asked to save the settings, Splunk refused")
    assert field(page, "read_timeout").input_value() == "45"
    page.get_by_role("button", name="Undo changes").click()
    assert field(page, "read_timeout").input_value() == "30"
    save(page)
    steps.see(page, "Nothing has changed.")


def test_a_save_elsewhere_on_the_page_keeps_what_is_typed_here(make_site, page_for):
    """Pausing a tenant reads everything again, and a test says that it did not use what is not saved."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, "read_timeout").fill("45")
    steps.press(page, "Pause", "main")
    steps.see(page, "Tenant main is paused")
    assert field(page, "read_timeout").input_value() == "45"
    steps.press(page, "Test", "main")
    steps.see(page, "not saved yet was not part of this test")


def test_what_is_typed_while_the_settings_are_saved_is_kept(site, page_for):
    """It is not saved with them, and the cursor stays where it is typed."""
    page = page_for(site)
    steps.open_setup(page, site)
    held = steps.hold_first(page, "**/conf-parapet_security/delivery")
    field(page, "dead_days").fill("20")
    with page.expect_request("**/conf-parapet_security/delivery"):
        save(page)
    field(page, "dead_days").fill("14")
    page.get_by_label("Proxy password").fill("half")
    field(page, "read_timeout").fill("99")
    held[0].continue_()
    steps.see(page, "Saved: days for dead letters.")
    assert steps.stored(site, "delivery")["dead_days"] == "20"
    assert field(page, "dead_days").input_value() == "14"
    assert page.get_by_label("Proxy password").input_value() == "half"
    assert field(page, "read_timeout").evaluate("node => node === document.activeElement")
    page.keyboard.type("9")
    assert field(page, "read_timeout").input_value() == "999"
    field(page, "read_timeout").fill("99")
    page.get_by_label("Proxy password").fill("")
    save(page)
    steps.see(page, "Saved: read time-out, days for dead letters.")
    stored = steps.stored(site, "delivery")
    assert (stored["dead_days"], stored["read_timeout"]) == ("14", "99")


@pytest.mark.parametrize("user", ["admin", "user"])
@pytest.mark.parametrize("url", ["http://me:hunter2@proxy:3128", "me:hunter2@proxy:3128", "http://pst_hunter2:3128"])
def test_a_proxy_url_with_a_secret_in_it_is_not_shown(site, page_for, user, url):
    """The field says what the file holds, without it."""
    site.scene.configure({"proxy_url": url})
    page = page_for(site, user=user)
    steps.open_setup(page, site)
    steps.see(page, "Proxy URL in the file holds what does not belong there, and is not shown ('")
    assert field(page, "proxy_url").input_value() == ""
    assert "hunter2" not in page.evaluate("document.documentElement.outerHTML + document.body.innerText")


def test_a_proxy_url_that_is_not_shown_can_be_taken_away(site, page_for):
    """By Back to default and a save; a save of something else leaves it."""
    site.scene.configure({"proxy_url": "http://me:hunter2@proxy:3128"})
    page = page_for(site)
    steps.open_setup(page, site)
    field(page, "dead_days").fill("3")
    save(page)
    steps.see(page, "Saved: days for dead letters.")
    assert steps.stored(site, "delivery")["proxy_url"] == "http://me:hunter2@proxy:3128"
    page.get_by_role("button", name="Back to default: Proxy URL").click()
    save(page)
    steps.see(page, "Saved: proxy url.")
    assert steps.stored(site, "delivery")["proxy_url"] == ""
    assert page.get_by_role("button", name="Back to default: Proxy URL").count() == 0
