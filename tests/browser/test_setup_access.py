"""Who can use the setup page, and how: rights, addresses, themes, keyboard, narrow windows, axe. Must not test what it saves."""

from __future__ import annotations

import re

import pytest

from tests.browser import steps

PLACES = [
    {"root_path": "/splunk", "locale": "de-DE"},
    {"panels": "after"},
    {"theme": "dark", "root_path": "/a/b"},
]


@pytest.mark.parametrize("site", PLACES, indirect=True, ids=["root path and locale", "script first", "dark, deep root"])
def test_a_tenant_is_added_under_whatever_address_splunk_web_has(site, page_for, traffic, axe):
    """Reads, writes and searches all go there."""
    page = page_for(site)
    steps.open_setup(page, site)
    steps.save(steps.fill_tenant(page))
    steps.see(page, "Tenant main is saved.")
    steps.press(page, "Test", "main")
    page.get_by_text(re.compile("main works|The test of main failed")).first.wait_for()
    assert axe(page) == []
    raw = [url for url in traffic(page).urls if "/splunkd/__raw/" in url]
    assert raw
    assert all(url.startswith(site.web.origin + site.web.path("splunkd/__raw/")) for url in raw)


@pytest.mark.parametrize("missing", ["SPLUNKD_PATH", "MRSPARKLE_PORT_NUMBER", "everything"])
def test_the_page_finds_its_addresses_without_all_of_splunks_constants(make_site, page_for, missing):
    """From the others, and else from its own address and the first cookie of the name."""
    site = make_site(root_path="/splunk", locale="de-DE")
    page = page_for(site)
    what = "window.$C = undefined" if missing == "everything" else f"delete window.$C.{missing}"
    page.route(
        "**/setup.js*",
        lambda route: route.fulfill(body=f"{what};\n" + route.fetch().text(), content_type="text/javascript"),
    )
    steps.open_setup(page, site)
    steps.save(steps.fill_tenant(page))
    steps.see(page, "Tenant main is saved.")


@pytest.fixture
def look(axe, screenshot):
    """A function that takes a picture of a page, on which axe finds nothing and nothing is too wide."""

    def take(page, name):
        screenshot(page, name)
        assert axe(page) == [], name
        assert not steps.overflows(page), name

    return take


@pytest.mark.parametrize(("user", "theme"), [("power", "light"), ("user", "dark")])
def test_who_may_not_change_the_settings_sees_them_with_the_reason(make_site, page_for, look, user, theme):
    """No button that writes, fields that cannot be typed into, and whom to ask."""
    site = make_site(tenant=True, theme=theme)
    page = page_for(site, user=user)
    steps.open_setup(page, site)
    steps.see(page, "You can look, and change nothing: only the roles admin and sc_admin may change these settings.")
    assert site.scene.tenant.url in steps.row(page, "main").inner_text()
    steps.see(page, "Only the roles admin and sc_admin may see what waits.")
    names = [button.inner_text() for button in page.locator("#parapet-setup").get_by_role("button").all()]
    assert names == ["Refresh"]
    for box in page.locator("#parapet-setup input").all():
        assert not box.is_editable()
    look(page, f"setup-read-only-{theme}")


def test_sc_admin_may_change_the_settings(site, page_for):
    """The administrator's role in Splunk Cloud."""
    page = page_for(site, user="sc_admin")
    steps.open_setup(page, site)
    steps.save(steps.fill_tenant(page))
    steps.see(page, "Tenant main is saved.")


def test_the_view_says_so_when_the_script_does_not_run(site, page_for, traffic):
    """The text is of the view itself."""
    page = page_for(site)
    page.route("**/setup.js*", lambda route: route.abort())
    traffic(page).allow("setup.js")
    page.goto(site.url("setup"))
    page.get_by_text("The script of this page has not started.").wait_for()


def test_nothing_is_said_about_the_script_when_it_runs(site, page_for):
    """The text is gone with the first look at the settings."""
    page = page_for(site)
    steps.open_setup(page, site)
    assert page.get_by_text("The script of this page has not started.").count() == 0


def test_the_page_follows_the_theme_when_it_changes(site, page_for):
    """By the colour that the page then has."""
    page = page_for(site)
    steps.open_setup(page, site)
    mount = page.locator("#parapet-setup")
    assert mount.get_attribute("data-theme") == "light"
    page.add_style_tag(content="body.night, body.night * { background-color: #171d21; }")
    page.evaluate("document.body.classList.add('night')")
    page.locator("#parapet-setup[data-theme=dark]").wait_for()
    page.evaluate("document.body.classList.remove('night')")
    page.locator("#parapet-setup[data-theme=light]").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state_of_the_page(make_site, certs, page_for, look, theme):
    """Empty, forms, errors at fields and at the form, results, dialogs, details."""
    site = make_site(theme=theme)
    tenant = steps.start_tenant(site, certs)
    page = page_for(site)
    steps.open_setup(page, site)
    look(page, f"state-1-empty-{theme}")
    form = steps.fill_tenant(page, url="http://x", token=" masked", name="No")
    steps.save(form)
    look(page, f"state-2-wrong-values-{theme}")
    form.get_by_label("Name", exact=True).fill("main")
    form.get_by_label("Whole webhook URL").fill(tenant.url)
    form.get_by_label("Service token").fill("pst_" + "wrong")
    site.scene.splunkd.fail("storage/passwords", 503, times=1)
    steps.save(form)
    steps.see(page, "status 503")
    look(page, f"state-3-refused-{theme}")
    steps.save(form)
    steps.see(page, "Tenant main is saved.")
    look(page, f"state-4-saved-{theme}")
    steps.press(page, "Test", "main")
    steps.see(page, "The test of main failed.")
    look(page, f"state-5-failed-{theme}")
    steps.press(page, "Edit", "main")
    look(page, f"state-6-edit-{theme}")
    site.scene.set_token("main", tenant.token)
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    site.scene.call(
        "POST", "/servicesNS/nobody/parapet_security/configs/conf-parapet_security", name="tenant:half", disabled="1"
    )
    page.get_by_role("button", name="Cancel").click()
    steps.press(page, "Pause", "main")
    steps.see(page, "Tenant main is paused")
    page.get_by_text("Settings that only the file has").click()
    page.get_by_role("textbox", name="Read time-out").fill("x")
    page.get_by_role("button", name="Save delivery settings").click()
    look(page, f"state-7-works-paused-unfinished-{theme}")
    steps.press(page, "Remove", "main")
    page.get_by_role("dialog").wait_for()
    look(page, f"state-8-dialog-{theme}")


@pytest.mark.parametrize("width", [320, 640])
def test_a_narrow_window_and_200_percent_zoom_need_no_sideways_scrolling(make_site, page_for, look, width):
    """640 is what a window of 1280 has at 200 %; each row of a table is a card there."""
    site = make_site(tenant=True)
    site.scene.configure({"outbox_max_bytes": "1500000000"})
    page = page_for(site, viewport={"width": width, "height": 900})
    steps.open_setup(page, site)
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    steps.fill_tenant(page, name="second")
    page.get_by_text("Settings that only the file has").click()
    look(page, f"narrow-{width}")
    steps.press(page, "Edit", "main")
    assert not steps.overflows(page)


def test_a_tenant_is_added_and_tested_with_the_keyboard_alone(site, certs, page_for):
    """Tab, arrows, space, Enter; the focus is always where the next step is."""
    tenant = steps.start_tenant(site, certs)
    page = page_for(site)
    steps.open_setup(page, site)
    keys = page.keyboard

    def tab_to(name):
        for _ in range(40):
            keys.press("Tab")
            found = page.evaluate(
                "(() => { const n = document.activeElement; return n.getAttribute('aria-label')"
                " || (n.labels && n.labels[0] ? n.labels[0].textContent : n.textContent); })()"
            )
            if found == name:
                return
        raise AssertionError(f"Tab does not come to {name}")

    tab_to("Add a tenant")
    keys.press("Enter")
    assert page.get_by_label("Name", exact=True).evaluate("node => node === document.activeElement")
    tab_to("Region and tenant id")
    keys.press("ArrowDown")
    tab_to("Whole webhook URL")
    keys.type(tenant.url)
    keys.press("Tab")
    keys.type(tenant.token)
    keys.press("Enter")
    steps.see(page, "Tenant main is saved.")
    keys.press("Space")
    steps.see(page, "main works.")
    tab_to("Remove main")
    keys.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    keys.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove main"


def test_what_happens_is_told_to_a_screen_reader(make_site, page_for):
    """Each message is in a region that is spoken, and was there before its text."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    spoken = page.locator("#parapet-setup [role=status]")
    before = spoken.count()
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    assert any("main works." in text for text in spoken.all_text_contents())
    steps.press(page, "Pause", "main")
    steps.see(page, "Tenant main is paused")
    assert any("Tenant main is paused" in text for text in spoken.all_text_contents())
    assert spoken.count() == before
