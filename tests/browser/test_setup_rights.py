"""What the setup page concludes from what it may not see: stored secrets, search commands. Must not test what a role may write."""

from __future__ import annotations

import pytest

from tests.browser import steps

NAMES = "properties/passwords"


@pytest.fixture
def paused_site(make_site):
    """A tenant with a token, paused; and bob, who may write the app's configuration and read no secret."""
    site = make_site(tenant=True)
    site.scene.set_tenant("main", disabled="1")
    access = site.scene.splunkd.access
    access.add_role("confer", ["search", "rest_properties_get"], ["user"])
    access.add_user("bob", ["confer"])
    meta = site.scene.home.app / "metadata/local.meta"
    meta.write_text("[parapet_security]\naccess = read : [ * ], write : [ admin, confer ]\n", encoding="utf-8")
    return site


def assert_not_known(page):
    """The row of main draws no conclusion, and main can go on."""
    text = steps.row(page, "main").inner_text()
    assert "Not shown to you" in text
    assert "Paused" in text
    assert page.get_by_role("button", name="Finish main").count() == 0
    steps.press(page, "Resume", "main")
    steps.see(page, "Tenant main goes on")


def test_a_role_that_writes_settings_and_reads_no_secrets_is_not_told_that_there_are_none(paused_site, page_for):
    """To it splunkd says 404, as if nothing were stored; and it is the role that cannot run the commands."""
    page = page_for(paused_site, user="bob")
    steps.open_setup(page, paused_site)
    steps.see(page, "What waits on this host is not known. Splunk does not let you run the app's search commands")
    assert page.get_by_text("Restart Splunk").count() == 0
    assert_not_known(page)


def test_no_name_is_shown_as_missing_from_a_list_that_is_not_whole(paused_site, page_for):
    """Another app may show its own secrets to everybody, and this list is then not empty."""
    page = page_for(paused_site, user="bob")
    page.route(f"**/{NAMES}*", lambda route: route.fulfill(json={"entry": [{"name": "credential:theirs:a:"}]}))
    steps.open_setup(page, paused_site)
    assert_not_known(page)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_without_an_answer_about_the_role_nothing_is_concluded(paused_site, page_for, status):
    """404 for the names is then as good as no answer."""
    paused_site.scene.splunkd.fail(NAMES, 404)
    paused_site.scene.splunkd.fail("authentication/current-context", status)
    page = page_for(paused_site)
    steps.open_setup(page, paused_site)
    assert_not_known(page)


def test_404_to_who_may_read_secrets_means_that_none_is_stored(paused_site, page_for):
    """As splunkd answers before the first one is stored."""
    paused_site.scene.splunkd.fail(NAMES, 404)
    page = page_for(paused_site)
    steps.open_setup(page, paused_site)
    text = steps.row(page, "main").inner_text()
    assert "Missing" in text
    assert "Not finished" in text
