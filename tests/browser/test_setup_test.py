"""The Test button of the setup page: one test at a time, and a Splunk that takes too long. Must not judge what a test finds."""

from __future__ import annotations

import pytest

from tests.browser import steps

TOO_LONG = "Splunk took too long to answer. Try again, or run | parapettest tenant=main in Search."


@pytest.mark.parametrize("status", [503, 504])
def test_a_splunk_web_that_gave_up_on_splunkd_is_no_internal_problem(make_site, page_for, status):
    """The page says what to do; the next test may go through."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    site.scene.splunkd.fail("search/jobs", status, times=1)
    steps.press(page, "Test", "main")
    steps.see(page, TOO_LONG)
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")


def test_a_test_that_never_ends_is_given_up_after_a_minute(make_site, page_for):
    """And not before: Splunk Web itself may wait that long."""
    site = make_site(tenant=True)
    page = page_for(site)
    page.clock.install()
    steps.open_setup(page, site)
    site.scene.splunkd.fail("search/jobs", "hang")
    with page.expect_request("**/search/jobs"):
        steps.press(page, "Test", "main")
    page.clock.run_for(50_000)
    steps.see(page, "Testing main: one small request goes to its webhook")
    page.clock.run_for(11_000)
    steps.see(page, TOO_LONG)
    site.scene.splunkd.heal()


def test_a_test_is_not_begun_again_while_it_runs(make_site, page_for):
    """However often the button is pressed; afterwards it works again."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    held = steps.hold_first(page, "**/search/jobs")
    with page.expect_request("**/search/jobs"):
        steps.press(page, "Test", "main")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    for _ in range(3):
        page.get_by_role("button", name="Test main", exact=True).dispatch_event("click")
    held[0].continue_()
    steps.see(page, "main works.")
    assert [url for url in sent if "search/jobs" in url] == []
    with page.expect_request("**/search/jobs"):
        steps.press(page, "Test", "main")


def test_splunk_webs_own_time_out_is_explained(make_site, page_for):
    """It answers that the daemon is not responding, with a status of its own."""
    site = make_site(tenant=True, splunkd_timeout=1.0)
    page = page_for(site)
    steps.open_setup(page, site)
    site.scene.splunkd.fail("search/jobs", "hang", times=1)
    steps.press(page, "Test", "main")
    steps.see(page, TOO_LONG)
    site.scene.splunkd.heal()


def test_what_a_test_said_goes_when_the_tenant_is_paused_or_goes_on(make_site, page_for):
    """It would contradict the state that is shown."""
    site = make_site(tenant=True)
    page = page_for(site)
    steps.open_setup(page, site)
    for press, says in (("Pause", "Tenant main is paused"), ("Resume", "Tenant main goes on")):
        steps.press(page, "Test", "main")
        steps.see(page, "main works.")
        steps.press(page, press, "main")
        steps.see(page, says)
        assert page.locator(".pp-result").count() == 0
