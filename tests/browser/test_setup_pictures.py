"""The documentation's pictures of the setup page, with names and numbers that mean no real machine. Must not test anything else.

What the searches answer is made up here; everything else is the page on the stand-ins, as in every other test.
"""

from __future__ import annotations

import json

import pytest

from tests.browser import steps

SUMMARY = {
    "host": "sh1",
    "deliverer": "forwarder",
    "waiting": "0",
    "dead": "0",
    "bytes": "0",
    "max_bytes": "1073741824",
}
AROUND = {"tenant": "main", "tls": "TLSv1.3", "forwarder": "running", "host": "sh1"}
ISSUER = "Example Public CA"
PASSED = {**AROUND, "outcome": "ok", "status": "200", "ms": "143", "issuer": ISSUER}
FAILED = {**AROUND, "outcome": "failed", "status": "401", "ms": "118", "issuer": ISSUER}
RESULTS = {
    "ready": None,
    "test-passed": {**PASSED, "detail": "the tenant accepted the test (HTTP 200)"},
    "test-failed": {
        **FAILED,
        "detail": "HTTP 401",
        "todo": "the tenant refuses the token: store a new one for this tenant on the setup page",
    },
}


@pytest.mark.parametrize("name", list(RESULTS))
def test_pictures_of_the_setup_page(site, page_for, screenshot, name):
    """A tenant, a forwarder that runs, and the result of a test."""
    site.scene.add_tenant("main", steps.CLOUD_URL, steps.TOKEN)
    page = page_for(site)

    def answer(route):
        spl = route.request.post_data_json["search"]
        rows = [SUMMARY] if "summary=true" in spl else [RESULTS[name]] if "parapettest" in spl else []
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"messages": [], "results": rows}))

    page.route("**/search/jobs", answer)
    page.clock.set_fixed_time("2026-01-28T15:30:00Z")
    steps.open_setup(page, site)
    steps.see(page, "The forwarder runs on sh1 and delivers.")
    if RESULTS[name]:
        steps.press(page, "Test", "main")
        page.get_by_text("Tested at", exact=True).wait_for()
    screenshot(page, f"setup-{name}-light", picture=True)
