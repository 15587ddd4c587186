"""What the setup page does when splunkd refuses a write, or does not answer. Must not lose what was typed."""

from __future__ import annotations

import pytest

from tests.browser import steps

CONF = "/configs/conf-parapet_security"
PASSWORDS = "/storage/passwords"
APP = "/servicesNS/nobody/parapet_security"
URL = "https://webhook-eu.parapetsecurity.com/webhook/typed"

REFUSALS = [
    (400, "Splunk does not accept this. Splunk says: splunkd was told to fail"),
    (401, "Your Splunk session has ended. Log in again in another tab, then try again here"),
    (403, "the roles admin and sc_admin may. Splunk says: splunkd was told to fail"),
    (500, "Splunk has an internal problem (status 500) when asked"),
    (503, "Splunk has an internal problem (status 503) when asked"),
]


def typed(form):
    """What stands in the form."""
    labels = ("Name", "Whole webhook URL", "Service token")
    return [form.get_by_label(label, exact=True).input_value() for label in labels]


@pytest.mark.parametrize(("status", "words"), REFUSALS, ids=str)
@pytest.mark.parametrize("place", [CONF, PASSWORDS])
def test_a_refused_write_is_said_in_words_and_keeps_what_was_typed(site, page_for, place, status, words):
    """Whichever step is refused; pressing Save again goes on from there."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL, name="acme")
    site.scene.splunkd.fail(APP + place, status, times=1)
    steps.save(form)
    steps.see(page, words)
    assert typed(form) == ["acme", URL, steps.TOKEN]
    steps.save(form)
    steps.see(page, "Tenant acme is saved.")
    assert steps.stored(site, "tenant:acme") == {"webhook_url": URL, "disabled": "0"}
    assert steps.password(site, "parapet_security", "acme") == steps.TOKEN


def test_no_answer_at_all_is_said_in_words(site, page_for, traffic):
    """It is not known then whether anything was saved, and the page says so."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL, name="acme")
    page.route("**" + CONF + "**", lambda route: route.abort())
    traffic(page).allow("net::ERR_FAILED")
    steps.save(form)
    steps.see(page, "Splunk did not answer when asked to add the tenant, so it is not known whether that was done.")
    assert typed(form) == ["acme", URL, steps.TOKEN]


def test_a_name_that_is_taken_is_said_at_the_name(make_site, page_for):
    """409: the tenant that is there stays as it is, its token too."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL, name="main")
    steps.save(form)
    steps.see(page, "Name is taken: a tenant of this name exists.")
    assert form.get_by_label("Name", exact=True).get_attribute("aria-invalid") == "true"
    assert typed(form) == ["main", URL, steps.TOKEN]
    assert steps.stored(site, "tenant:main")["webhook_url"] == site.scene.tenant.url
    assert steps.password(site, "parapet_security", "main") == site.scene.tenant.token


def test_a_refusal_of_the_token_is_said_at_the_token(site, page_for):
    """The field is marked, described by the words, and has the focus."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL)
    site.scene.splunkd.fail(APP + PASSWORDS, 403, times=1)
    steps.save(form)
    field = form.get_by_label("Service token")
    steps.see(page, "Service token was not saved. You may not do this: asked to store the token, Splunk refused")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.evaluate("node => node === document.activeElement")
    steps.see(page, "The tenant main is there, paused, until this form is saved.")


def test_an_add_that_was_cut_short_is_a_paused_tenant_that_can_be_finished(site, page_for, screenshot):
    """A reload in the middle: what is there says what it lacks, and nothing of it is overwritten."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL)
    site.scene.splunkd.fail(APP + PASSWORDS, 503, times=1)
    steps.save(form)
    steps.see(page, "status 503")
    page.reload()
    steps.wait_until_read(page)
    text = steps.row(page, "main").inner_text()
    assert "Not finished" in text
    assert "Missing" in text
    assert steps.stored(site, "tenant:main") == {"webhook_url": URL, "disabled": "1"}
    steps.press(page, "Finish", "main")
    form = page.get_by_role("form", name="Finish main")
    form.get_by_label("Service token").fill(steps.TOKEN)
    screenshot(page, "setup-finish-light")
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    assert "Active" in steps.row(page, "main").inner_text()
    assert steps.stored(site, "tenant:main") == {"webhook_url": URL, "disabled": "0"}


def test_a_session_that_ended_can_be_opened_again_in_another_tab(site, page_for, traffic):
    """Nothing is lost: the same page saves with the new session."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL)
    page.context.clear_cookies()
    steps.save(form)
    steps.see(page, "Your Splunk session has ended.")
    other = page.context.new_page()
    other.goto(site.url("home"))
    other.get_by_label("Username").fill("admin")
    other.get_by_label("Password").fill(site.scene.splunkd.access.users["admin"].password)
    other.get_by_role("button", name="Sign In").click()
    other.get_by_role("heading", name="Connect a tenant").wait_for()
    assert typed(form) == ["main", URL, steps.TOKEN]
    steps.save(form)
    steps.see(page, "Tenant main is saved.")


def test_what_somebody_else_changed_meanwhile_is_seen_after_a_save_and_stays(make_site, page_for):
    """Two administrators: only what one of them changed is written."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    site.scene.add_tenant("second", steps.CLOUD_URL, steps.TOKEN)
    site.scene.configure({"dead_days": "3"})
    page.get_by_role("textbox", name="Read time-out").fill("45")
    page.get_by_role("button", name="Save delivery settings").click()
    steps.see(page, "Saved: read time-out.")
    assert "Active" in steps.row(page, "second").inner_text()
    assert page.get_by_role("textbox", name="Days for dead letters").input_value() == "3"
    site.scene.call("DELETE", APP + CONF + "/tenant%3Asecond")
    steps.press(page, "Pause", "second")
    steps.see(page, "Somebody may have removed it meanwhile: reload the page.")


def test_marking_the_app_that_fails_is_no_failure_of_the_save(site, page_for):
    """The save is done, and the notice says what is left."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page)
    site.scene.splunkd.fail("/services/apps/local", 403, times=1)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    steps.see(page, "Saved. You may not do this: asked to mark the app as configured")


def test_settings_that_cannot_be_read_can_be_asked_for_again(site, page_for):
    """The page says why, and has a button."""
    site.scene.splunkd.fail(APP + CONF, 503, times=1)
    page = page_for(site)
    page.goto(site.url("setup"))
    steps.see(page, "The settings cannot be shown. Splunk has an internal problem (status 503)")
    page.get_by_role("button", name="Try again").click()
    steps.wait_until_read(page)


def test_what_splunk_says_is_shown_without_a_token_in_it(site, page_for):
    """Its message may quote what it was sent."""
    page = page_for(site)
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, url=URL, name="acme")
    said = {"messages": [{"type": "ERROR", "text": f"bad value {steps.TOKEN} for password"}]}
    page.route("**" + PASSWORDS + "/**", lambda route: route.fulfill(status=400, json=said))
    steps.save(form)
    steps.see(page, "Splunk says: bad value pst_*** for password.")
    assert steps.TOKEN not in page.evaluate("document.documentElement.outerHTML")


@pytest.mark.parametrize(
    ("action", "title"), [("Edit", "Webhook URL of main"), ("Replace token", "Replace the token of main")]
)
def test_nothing_is_saved_for_a_tenant_that_somebody_removed_meanwhile(make_site, page_for, action, title):
    """A token without its tenant would come back to life with the next tenant of that name."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.press(page, action, "main")
    site.scene.call("DELETE", APP + CONF + "/tenant%3Amain")
    form = page.get_by_role("form", name=title)
    form.get_by_label("Whole webhook URL" if action == "Edit" else "Service token").fill(
        steps.CLOUD_URL if action == "Edit" else "pst_" + "newer"
    )
    steps.save(form)
    steps.see(page, "Somebody has removed the tenant main meanwhile. Nothing was saved: reload the page.")
    assert steps.password(site, "parapet_security", "main") == site.scene.tenant.token
    assert steps.stored(site, "tenant:main") is None


ODD = [
    '{"entry":[{"name":"tenant:x"}]}',
    '{"entry":[null]}',
    '{"entry":{}}',
    "[]",
    '{"entry":[{"name":"delivery","content":null,"acl":null}]}',
    "<html>",
    "null",
    "",
]


@pytest.mark.parametrize("body", ODD)
def test_settings_that_are_no_settings_are_said_in_words(site, page_for, body):
    """Nothing of the page is drawn then, and it can be asked for again."""
    page = page_for(site)
    page.route(
        "**/configs/conf-parapet_security?**",
        lambda route: route.fulfill(status=200, body=body, content_type="application/json"),
    )
    page.goto(site.url("setup"))
    steps.see(page, "The settings cannot be shown. Splunk's answer is not what its REST interface gives.")
    assert page.get_by_role("heading", name="Tenants").count() == 0
    page.unroute("**/configs/conf-parapet_security?**")
    page.get_by_role("button", name="Try again").click()
    steps.wait_until_read(page)


@pytest.mark.parametrize("body", [*ODD[:4], '{"results": null}', '{"results": {"a": 1}, "messages": {}}', ""])
@pytest.mark.parametrize("path", ["properties", "conf-alert_actions", "apps/local", "authentication", "search/jobs"])
def test_other_odd_answers_leave_the_settings_on_the_page(make_site, page_for, path, body):
    """What the page can do without, it does without; no script fails."""
    site = make_site(tenant=True)
    page = page_for(site)
    page.route(f"**/{path}**", lambda route: route.fulfill(status=200, body=body, content_type="application/json"))
    steps.open_setup(page, site)
    assert "Active" in steps.row(page, "main").inner_text()
