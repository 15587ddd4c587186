"""The setup page for Splunk Cloud's administrator, who has no admin_all_objects. Must not test what other administrators see."""

from __future__ import annotations

from tests.browser import steps


def test_sc_admin_adds_a_tenant_tests_it_and_removes_it(site, certs, page_for, axe):
    """Settings, token, the mark that the app is configured, and the app's commands."""
    tenant = steps.start_tenant(site, certs)
    page = page_for(site, user="sc_admin")
    steps.open_setup(page, site)
    assert page.get_by_text("You can look, and change nothing").count() == 0
    steps.save(steps.fill_tenant(page, url=tenant.url, token=tenant.token))
    steps.see(page, "Tenant main is saved.")
    steps.press(page, "Test", "main")
    steps.see(page, "main works.")
    assert axe(page) == []
    assert steps.password(site, "parapet_security", "main") == tenant.token
    app = site.scene.call("GET", "/services/apps/local/parapet_security")["entry"][0]
    assert app["content"]["configured"] is True
    steps.press(page, "Remove", "main")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    steps.see(page, "No tenant is connected yet")
    assert steps.stored(site, "tenant:main") is None
    assert steps.tokens(site) == []
