"""The guide's Option B on the setup page: a token in plain text, and its way into storage/passwords. Must not use another app's page."""

from __future__ import annotations

import pytest

from tests.browser import steps

MOVE = "Move it into Splunk's password storage"


def write_option_b(site, url=steps.CLOUD_URL, token=steps.TOKEN):
    """What the guide has people write into alert_actions.conf."""
    text = f"[parapet_security]\nparam.webhook_url = {url}\nparam.token = {token}\n"
    steps.write_local(site, "alert_actions.conf", text)


def plain_text(site):
    """URL and token that stand in alert_actions.conf."""
    found = site.scene.home.conf.stanzas("alert_actions", "parapet_security")["parapet_security"].settings
    return found["param.webhook_url"], found["param.token"]


def test_one_click_moves_the_token_out_of_plain_text(site, page_for, traffic, screenshot, axe):
    """It is stored for main, with its URL, and cleared; from then on nothing that the page reads holds it."""
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "A service token lies in plain text")
    assert steps.TOKEN not in page.locator("body").inner_text()
    assert axe(page) == []
    screenshot(page, "setup-option-b-light", picture=True)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is stored encrypted for the tenant main, and cleared from alert_actions.conf.")
    assert page.get_by_role("button", name=MOVE).count() == 0
    assert plain_text(site) == ("", "")
    assert steps.password(site, "parapet_security", "main") == steps.TOKEN
    assert steps.stored(site, "tenant:main") == {"webhook_url": steps.CLOUD_URL, "disabled": "0"}
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Test main"
    before = len(traffic(page).read_bodies)
    page.reload()
    steps.wait_until_read(page)
    assert not [body for body in traffic(page).read_bodies[before:] if steps.TOKEN in body]


def test_a_main_that_is_there_counts_and_plain_text_is_only_cleared(make_site, page_for):
    """The page says so before the click; the stored token stays."""
    site = make_site(tenant=True)
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "The tenant main has a stored token, which counts; this one is not used.")
    page.get_by_role("button", name="Clear it").click()
    steps.see(page, "The token is cleared from alert_actions.conf.")
    assert plain_text(site) == ("", "")
    assert steps.password(site, "parapet_security", "main") == site.scene.tenant.token
    assert steps.stored(site, "tenant:main")["webhook_url"] == site.scene.tenant.url


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"token": "pst_" + "YOUR_TOKEN"}, "param.token is still the guide's placeholder"),
        ({"url": "https://webhook-us.parapetsecurity.com/acme"}, "param.webhook_url must end in /webhook/"),
        ({"url": ""}, "param.webhook_url is empty"),
    ],
)
def test_values_that_cannot_work_are_said_and_not_cleared(site, page_for, given, words):
    """Nothing is moved either."""
    write_option_b(site, **given)
    before = plain_text(site)
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "Nothing was moved or cleared. " + words)
    assert plain_text(site) == before
    assert steps.tokens(site) == []
    assert steps.stored(site, "tenant:main") is None


@pytest.mark.parametrize(
    "prefix",
    ["storage/passwords", "configs/conf-parapet_security", "configs/conf-alert_actions"],
)
def test_a_move_that_is_refused_halfway_clears_nothing_and_can_be_repeated(site, page_for, prefix):
    """The token stays where it is read, until it is known to be stored."""
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    site.scene.splunkd.fail("/servicesNS/nobody/parapet_security/" + prefix, 503, times=1)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is still in plain text. Splunk has an internal problem (status 503)")
    assert plain_text(site) == (steps.CLOUD_URL, steps.TOKEN)
    # What was stored already counts, and is not stored again.
    is_stored = prefix == "configs/conf-alert_actions"
    page.get_by_role("button", name="Clear it" if is_stored else MOVE).click()
    steps.see(page, "cleared from alert_actions.conf.")
    assert plain_text(site) == ("", "")
    assert steps.password(site, "parapet_security", "main") == steps.TOKEN


def test_plain_text_is_cleared_only_when_the_token_is_known_to_be_stored(site, page_for):
    """Splunk may say yes, and another member answer the question for the names."""
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    page.route("**/properties/passwords*", lambda route: route.fulfill(json={"entry": []}))
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is still in plain text. Splunk does not list the token of main among what is stored.")
    assert plain_text(site) == (steps.CLOUD_URL, steps.TOKEN)


def test_a_stanza_of_another_app_is_named_and_left_alone(site, page_for):
    """It is ignored, as the deliverer ignores it; there is no button."""
    conf = site.scene.home.apps / "search" / "local" / "alert_actions.conf"
    conf.parent.mkdir(exist_ok=True)
    conf.write_text(
        f"[parapet_security]\nparam.webhook_url = {steps.CLOUD_URL}\nparam.token = {steps.TOKEN}\n", encoding="utf-8"
    )
    # As splunkd would answer once the stanza's owner has changed.
    (site.scene.home.app / "default" / "alert_actions.conf").unlink()
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "It is in the stanza [parapet_security] of the app search")
    assert page.get_by_role("button", name=MOVE).count() == 0


def test_a_tenant_of_another_app_is_named_and_left_alone(site, page_for):
    """The table says that it is ignored, and offers nothing to press."""
    conf = site.scene.home.apps / "search" / "local" / "parapet_security.conf"
    conf.parent.mkdir(exist_ok=True)
    conf.write_text(f"[tenant:theirs]\nwebhook_url = {steps.CLOUD_URL}\n", encoding="utf-8")
    page = page_for(site)
    steps.open_setup(page, site)
    text = steps.row(page, "theirs").inner_text()
    assert "Ignored" in text
    assert "This stanza belongs to the app search." in text
    assert steps.row(page, "theirs").get_by_role("button").count() == 0


@pytest.mark.parametrize("times", [1, None], ids=["known at the click", "never known"])
def test_a_stored_token_of_main_is_never_overwritten(make_site, page_for, times):
    """Splunk may not say whether there is one: the move then stores only where none is."""
    site = make_site(tenant=True)
    write_option_b(site)
    site.scene.splunkd.fail("properties/passwords", 500, times=times)
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is cleared from alert_actions.conf.")
    assert steps.password(site, "parapet_security", "main") == site.scene.tenant.token
    assert plain_text(site) == ("", "")


def test_a_main_without_a_token_gets_that_of_plain_text_though_splunk_tells_no_names(site, page_for):
    """What splunkd says to the token is evidence enough."""
    site.scene.add_tenant("main", steps.CLOUD_URL, None)
    write_option_b(site)
    site.scene.splunkd.fail("properties/passwords", 500)
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is stored encrypted for the tenant main, and cleared from alert_actions.conf.")
    assert steps.password(site, "parapet_security", "main") == steps.TOKEN
    assert plain_text(site) == ("", "")


@pytest.mark.parametrize("names", ["told", "not told"])
def test_a_token_left_over_without_a_main_gives_way_to_the_one_in_use(site, page_for, names):
    """Without [tenant:main] it is the plain token that counts."""
    site.scene.set_token("main", "pst_" + "left-over")
    write_option_b(site)
    if names == "not told":
        site.scene.splunkd.fail("properties/passwords", 500)
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is stored encrypted for the tenant main, and cleared from alert_actions.conf.")
    assert steps.password(site, "parapet_security", "main") == steps.TOKEN


def test_a_main_that_somebody_adds_meanwhile_keeps_its_token(site, page_for):
    """The page says so, and then offers to clear the file."""
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    site.scene.add_tenant("main", steps.CLOUD_URL, "pst_" + "newer")
    page.get_by_role("button", name=MOVE).click()
    steps.see(page, "The token is still in plain text. Somebody else created this a moment ago. Try again.")
    assert steps.password(site, "parapet_security", "main") == "pst_" + "newer"
    page.get_by_role("button", name="Clear it").click()
    steps.see(page, "The token is cleared from alert_actions.conf.")
    assert steps.password(site, "parapet_security", "main") == "pst_" + "newer"


@pytest.mark.parametrize("name", ["on", "main"])
def test_a_realm_that_is_a_word_of_javascript_is_a_realm_like_others(site, page_for, name):
    """Nothing on the page changes by it, and no token is taken for stored."""
    site.scene.call(
        "POST", "/servicesNS/nobody/parapet_security/storage/passwords", realm="__proto__", name=name, password="x"
    )
    site.scene.add_tenant("main", steps.CLOUD_URL, None)
    site.scene.add_tenant("second", steps.CLOUD_URL, steps.TOKEN)
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    assert "Missing" in steps.row(page, "main").inner_text()
    assert page.get_by_role("button", name="Clear it").count() == 0
    assert page.evaluate("({}).on === undefined && ({}).main === undefined")


def test_who_removes_main_is_told_that_option_b_takes_over(make_site, page_for):
    """As long as the file holds its URL and token."""
    site = make_site(tenant=True)
    write_option_b(site)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.press(page, "Remove", "main")
    text = page.get_by_role("dialog").inner_text()
    assert "Alerts for main go with the webhook URL and the token of alert_actions.conf from then on." in text
    assert "until" not in text
