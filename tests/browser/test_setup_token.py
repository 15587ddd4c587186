"""The service token on the setup page: where it may be typed, what is refused, and that nothing keeps it. Must not print it."""

from __future__ import annotations

import pytest

from tests.browser import steps


def form_with(page, site, token):
    """The form for a new tenant, saved with this token."""
    steps.open_setup(page, site)
    form = steps.fill_tenant(page, token=token)
    steps.save(form)
    return form


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "Service token is empty"),
        ("********", "must start with pst_: paste the service token itself, not a masked one"),
        ("pst_" + "two parts", "has white space inside: paste it again in one piece"),
        ("pst_" + "YOUR_TOKEN", "is still the guide's placeholder: paste your own"),
        ("pst_" + "n\u00f6", "holds a character that no token has: paste it again"),
    ],
)
def test_a_token_that_cannot_work_is_refused_at_its_field(site, page_for, traffic, token, words):
    """Nothing is sent, and no text shows any of it."""
    page = page_for(site)
    form = form_with(page, site, token)
    steps.see(page, words)
    assert form.get_by_label("Service token").get_attribute("aria-invalid") == "true"
    assert traffic(page).requests("POST", "/configs/") == []
    assert not token or token not in page.locator("body").inner_text()


@pytest.mark.parametrize(("token", "end"), [(" " + steps.TOKEN, "start"), (steps.TOKEN + "\t ", "end")])
def test_white_space_at_a_tokens_ends_can_be_cut_off(site, page_for, token, end):
    """The page says where it is, and cuts it off when asked to."""
    page = page_for(site)
    form = form_with(page, site, token)
    steps.see(page, f"has white space at its {end}")
    form.get_by_role("button", name="Cut it off").click()
    assert form.get_by_label("Service token").input_value() == steps.TOKEN
    assert form.get_by_label("Service token").get_attribute("aria-invalid") == "false"
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    assert steps.password(site, "parapet_security", "main") == steps.TOKEN


def test_a_token_in_a_field_for_something_else_is_taken_out_again(site, page_for):
    """In every field of text: it is neither kept nor shown, and the field says where it belongs."""
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name="Add a tenant").click()
    form = page.get_by_role("form", name="Add a tenant")
    form.get_by_label("Region", exact=True).select_option("another")
    fields = [form.get_by_label(label, exact=True) for label in ("Name", "Other region", "Tenant id")]
    fields += [
        page.get_by_role("textbox", name=label, exact=True)
        for label in ("Proxy URL", "Proxy user name", "CA file", "Read time-out")
    ]
    for field in fields:
        field.fill(steps.TOKEN)
        assert field.input_value() == ""
        assert field.get_attribute("aria-invalid") == "true"
    form.get_by_label("Whole URL").check()
    whole = form.get_by_label("Whole webhook URL")
    whole.fill("https://webhook-us.parapetsecurity.com/webhook/" + steps.TOKEN)
    assert whole.input_value() == ""
    steps.see(page, "is no place for a service token. It was taken out again")
    page.get_by_role("textbox", name="Proxy user name").fill("me")
    page.get_by_role("textbox", name="Proxy URL").fill("http://proxy:3128")
    for password in (steps.TOKEN, "Bearer " + steps.TOKEN, steps.TOKEN.upper()):
        page.get_by_label("Proxy password").fill(password)
        page.get_by_role("button", name="Save delivery settings").click()
        steps.see(page, "Proxy password is no place for a service token")
        assert page.get_by_label("Proxy password").input_value() == ""
    assert steps.tokens(site) == []


def test_a_token_that_is_typed_by_hand_into_another_field_leaves_nothing_of_itself(site, page_for, traffic):
    """Its start stays, which says where it belongs, and cannot be saved."""
    page = page_for(site)
    steps.open_setup(page, site)
    field = page.get_by_role("textbox", name="CA file", exact=True)
    field.focus()
    page.keyboard.type("/a/" + steps.TOKEN)
    assert field.input_value() == "pst_"
    steps.see(page, "CA file is no place for a service token.")
    page.keyboard.press("Enter")
    steps.see(page, "CA file is no place for a service token.")
    assert traffic(page).requests("POST", "/configs/") == []
    page.keyboard.press("Control+A")
    page.keyboard.type("/a/b.pem")
    assert field.input_value() == "/a/b.pem"
    assert field.get_attribute("aria-invalid") == "false"


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@example.com/webhook/acme",
        "https://webhook-us.parapetsecurity.com/webhook/pst_hunter2",
        "https://example.com/webhook/PST_hunter2",
    ],
)
def test_a_webhook_url_with_a_secret_in_it_is_not_shown(site, page_for, url):
    """Neither in the table nor in a field; the field says what the file holds."""
    site.scene.add_tenant("main", url, steps.TOKEN)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.press(page, "Edit", "main")
    form = page.get_by_role("form", name="Webhook URL of main")
    steps.see(page, "Whole webhook URL in the file holds what does not belong there, and is not shown ('")
    for label in ("Whole webhook URL", "Tenant id"):
        assert form.get_by_label(label, exact=True).input_value() == ""
    assert "hunter2" not in page.evaluate("document.documentElement.outerHTML")
    form.get_by_label("Whole webhook URL").fill(steps.CLOUD_URL)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    assert steps.stored(site, "tenant:main")["webhook_url"] == steps.CLOUD_URL


def test_nothing_that_the_page_reads_or_keeps_holds_the_token(make_site, certs, page_for, traffic):
    """From the moment it is saved: no answer that it reads, no URL, no storage, no field, no log."""
    site = make_site()
    tenant = steps.start_tenant(site, certs)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.save(steps.fill_tenant(page, url=tenant.url, token=tenant.token))
    steps.see(page, "Tenant main is saved.")
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    steps.press(page, "Replace token", "main")
    form = page.get_by_role("form", name="Replace the token of main")
    assert form.get_by_label("Service token").get_attribute("type") == "password"
    assert form.get_by_label("Service token").get_attribute("autocomplete") == "new-password"
    form.get_by_label("Service token").fill(tenant.token)
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    page.reload()
    steps.wait_until_read(page)
    seen = traffic(page)
    assert seen.places(tenant.token) == []
    assert seen.requests("GET", "/storage/passwords") == []
    assert [each.status for each in site.web.access_log if "storage/passwords" in each.target] == [404, 201, 200]
    assert tenant.token not in site.web.access_text
    assert tenant.token not in site.scene.log_text
