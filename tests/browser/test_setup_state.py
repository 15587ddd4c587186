"""What waits, as the setup page shows it: on this host, and on the other members of a cluster. Must not change settings."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import pytest

from tests.browser import steps
from tests.scene import failed_logins, wait_until
from tests.standins.tenant import Answer


def refresh(page):
    """Press Refresh."""
    page.get_by_role("button", name="Refresh").click()


def state_line(**fields):
    """A line of the app's log as a member of a cluster writes it each minute."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".000Z"
    return f"{stamp} INFO event=outbox.state " + " ".join(f'{key}="{value}"' for key, value in fields.items()) + "\n"


def test_a_forwarder_that_runs_is_said(make_site, page_for):
    """And that nothing waits."""
    site = make_site(tenant=True)
    site.scene.start_forwarder()
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "The forwarder runs on stand-in and delivers.")


def test_dead_letters_and_a_tenant_that_is_held_are_said_with_their_reasons(make_site, page_for, screenshot):
    """How many, why, and how old the oldest one is."""
    site = make_site(tenant=True)
    site.scene.tenant.script(Answer(422))
    site.scene.fire()
    wait_until(lambda: site.scene.entries("dead"), "a dead letter", scene=site.scene)
    site.scene.set_tenant("main", disabled="1")
    site.scene.fire(failed_logins(trigger_time=time.time() - 7300))
    page = page_for(site)
    steps.open_setup(page, site)
    text = " ".join(page.locator("#parapet-setup").inner_text().split())
    assert "Alerts that wait 1" in text
    assert "Oldest of them 2 hours" in text
    assert "Dead letters 1" in text
    assert re.search(r"Why letters are dead 1 × .*422", text)
    assert "Tenants that are held main: its tenant is paused" in text
    screenshot(page, "setup-waiting-light")


def test_other_members_are_known_by_their_lines_in_the_log(make_site, page_for, tmp_path, screenshot):
    """Each with what it last said; this host is not one of the others."""
    site = make_site(tenant=True)
    site.scene.start_forwarder()
    log = tmp_path / "sh2" / "parapet_security.log"
    log.parent.mkdir()
    fields = {"role": "forwarder", "waiting": 12, "dead": 3, "oldest_s": 190, "bytes": 1, "max_bytes": 2}
    log.write_text(state_line(**fields, held="main", paused="lab", blocked="second"), encoding="utf-8")
    site.scene.splunkd.add_peer("sh2.example.com", log)
    page = page_for(site)
    steps.open_setup(page, site)
    member = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="sh2.example.com"))
    member.wait_for()
    text = " ".join(member.inner_text().split())
    assert re.fullmatch(r"sh2.example.com forwarder 12 3 minutes 3 main, lab, second \d+ seconds? ago", text), text
    assert page.get_by_role("rowheader", name="stand-in").count() == 0
    screenshot(page, "setup-members-light")


def test_all_dead_letters_are_tried_again_after_a_question(make_site, page_for):
    """The question says how many are dead here; every member reads the moment from the configuration."""
    site = make_site(tenant=True)
    site.scene.tenant.script(Answer(422))
    site.scene.fire()
    site.scene.start_forwarder()
    page = page_for(site)
    steps.open_setup(page, site)
    page.get_by_role("button", name="Retry all dead letters on every member").click()
    dialog = page.get_by_role("dialog", name="Retry all dead letters?")
    dialog.get_by_text("1 letter is dead on this host.").wait_for()
    dialog.get_by_role("button", name="Retry all").click()
    steps.see(page, "Every member has been asked to try its dead letters once more.")
    assert abs(int(steps.stored(site, "delivery")["retry_dead"]) - time.time()) < 60
    wait_until(lambda: site.scene.tenant.accepted, "the letter at the tenant", scene=site.scene)
    wait_until(lambda: not site.scene.entries("dead"), "no dead letter", scene=site.scene)


def test_what_is_new_is_shown_after_refresh_and_by_itself(make_site, page_for):
    """Half a minute later the page asks again, and disturbs nothing that is typed."""
    site = make_site(tenant=True)
    site.scene.set_tenant("main", disabled="1")
    page = page_for(site)
    page.clock.install()
    steps.open_setup(page, site)
    figure = page.locator("dl").filter(has_text="Alerts that wait").locator("dd").first
    assert figure.inner_text() == "0"
    steps.press(page, "Edit", "main")
    page.get_by_label("Whole webhook URL").fill(steps.CLOUD_URL)
    site.scene.fire()
    refresh(page)
    page.locator("dl").get_by_text("1", exact=True).wait_for()
    site.scene.fire()
    page.clock.run_for(31_000)
    page.locator("dl").get_by_text("2", exact=True).wait_for()
    assert page.get_by_label("Whole webhook URL").input_value() == steps.CLOUD_URL


def test_a_search_that_fails_is_said_and_disturbs_nothing_else(make_site, page_for):
    """The tenants are there all the same; the next refresh mends it."""
    site = make_site(tenant=True)
    site.scene.splunkd.fail("search/jobs", 503)
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "What waits on this host is not known. Splunk has an internal problem (status 503)")
    assert "Active" in steps.row(page, "main").inner_text()
    steps.press(page, "Test", "main")
    steps.see(page, "The test of main could not run.")
    site.scene.splunkd.heal()
    refresh(page)
    steps.see(page, "As of")


def test_commands_that_splunk_does_not_know_yet_are_explained(make_site, page_for):
    """As after an installation without a restart."""
    site = make_site(tenant=True)
    (site.scene.home.app / "default" / "commands.conf").unlink()
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "Restart Splunk once after installing or upgrading the app")
    steps.press(page, "Test", "main")
    steps.see(page, "The test of main could not run.")
    result = steps.row(page, "main").locator("xpath=following-sibling::tr[1]")
    assert "Restart Splunk once" in result.inner_text()


@pytest.mark.parametrize("exported", [False, True], ids=["for its app", "for all apps"])
def test_a_macro_of_another_app_is_not_expanded(site, page_for, exported):
    """It would run with the rights of the administrator who looks at the page."""
    app = site.scene.home.apps / "search"
    for name, text in (
        ("local/macros.conf", "[parapet_security_index]\ndefinition = index=_internal [| parapetoutbox]\n"),
        ("metadata/local.meta", "[macros]\nexport = system\n" if exported else ""),
    ):
        (app / name).parent.mkdir(exist_ok=True)
        (app / name).write_text(text, encoding="utf-8")
    page = page_for(site)
    steps.open_setup(page, site)
    steps.see(page, "None has written a line into the app's log in the last 15 minutes.")


def test_a_browser_whose_clock_is_wrong_counts_by_splunks_time(make_site, page_for, tmp_path):
    """What is written into the configuration, and how long ago a member was seen."""
    site = make_site(tenant=True)
    log = tmp_path / "parapet_security.log"
    log.write_text(state_line(role="forwarder", waiting=0, dead=0), encoding="utf-8")
    site.scene.splunkd.add_peer("sh2.example.com", log)
    page = page_for(site)
    page.clock.set_fixed_time(datetime.now(timezone.utc) + timedelta(days=400))

    def dated(route):
        """As every web server dates its answers."""
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "Date": formatdate(usegmt=True)})

    page.route("**/splunkd/__raw/**", dated)
    steps.open_setup(page, site)
    member = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="sh2.example.com"))
    assert re.search(r"\d+ seconds? ago", member.inner_text())
    page.get_by_role("button", name="Retry all dead letters on every member").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry all").click()
    steps.see(page, "Every member has been asked to try its dead letters once more.")
    assert abs(int(steps.stored(site, "delivery")["retry_dead"]) - time.time()) < 60
    page.unroute_all(behavior="ignoreErrors")
