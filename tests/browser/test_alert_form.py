"""The alert form as an analyst uses it, in Splunk Web's own alert dialog. Must not look at how the form is written."""

from __future__ import annotations

import pytest

from tests.scene import decode, failed_logins

SAVED = "/servicesNS/{user}/search/saved/searches"
PREFIX = "action.parapet_security.param."
FORM = ".alert-action-form"


@pytest.fixture
def site(make_site, request):
    """A site with the tenants main and emea, unless told otherwise; its options by indirect parametrisation."""
    options = {"tenant": True, **getattr(request, "param", {})}
    site = make_site(**options)
    if options["tenant"]:
        site.scene.add_tenant("emea", site.scene.tenant.url, site.scene.tenant.token)
    return site


class Dialog:
    """The dialog of a new alert, with our action in it."""

    def __init__(self, page, site):
        """Open it."""
        self.page, self.site = page, site
        page.goto(site.web.url("app/search/alert"))
        page.get_by_label("Title").fill("Failed logins")
        page.get_by_label("Search").fill("index=main failed")
        page.get_by_role("button", name="Add Actions").click()
        page.locator("[data-loaded]").wait_for()

    def save(self):
        """Save, and return what Splunk Web says."""
        self.page.get_by_role("button", name="Save").click()
        said = self.page.get_by_role("status")
        said.filter(has_text=".").wait_for()
        return said.text_content()

    def pick(self, tenant):
        """Pick a tenant from the list."""
        self.page.get_by_label("Tenant").click()
        self.page.get_by_role("option", name=tenant, exact=True).click()

    def params(self, user="admin"):
        """The parameters of the alert that was saved."""
        found = self.site.scene.call("GET", SAVED.format(user=user) + "/Failed%20logins", user=user)
        content = found["entry"][0]["content"]
        return {name[len(PREFIX) :]: value for name, value in content.items() if name.startswith(PREFIX)}


@pytest.fixture
def dialog_for(site, page_for):
    """A function that opens the dialog for a user."""
    return lambda user="admin": Dialog(page_for(site, user=user), site)


def test_an_analyst_picks_a_tenant_and_the_alert_that_fires_goes_there_as_chosen(dialog_for, site):
    """What was chosen in the form is what the tenant gets."""
    dialog = dialog_for()
    dialog.pick("emea")
    dialog.page.get_by_label("Rows").select_option("all")
    dialog.page.get_by_label("Severity", exact=True).select_option("critical")
    dialog.page.get_by_label("Fields to send").fill("src_*, user")
    dialog.page.get_by_label("Fields to leave out").fill("user")
    assert dialog.save() == "Your alert has been saved."
    params = dialog.params()
    assert params["tenant"] == "emea"
    fired = site.scene.fire(failed_logins(params=params))
    assert fired.exit_code == 0
    body = decode(site.scene.tenant.requests[-1])
    assert body["severity"] == "critical"
    assert [sorted(row) for row in body["results"]] == [["src_ip"], ["src_ip"]]
    assert "tenant=emea" in site.scene.log_text


def test_a_tenant_that_is_not_in_the_list_can_be_typed(dialog_for):
    """It may be configured later; a Splunk token may stand there too."""
    dialog = dialog_for()
    dialog.page.get_by_label("Tenant").fill("apac")
    assert dialog.save() == "Your alert has been saved."
    assert dialog.params()["tenant"] == "apac"


def test_an_analyst_without_rights_to_secrets_sees_the_list_and_can_save(dialog_for):
    """The list comes from the app's own conf, which everybody may read."""
    dialog = dialog_for("power")
    dialog.page.get_by_label("Tenant").click()
    assert dialog.page.get_by_role("listbox").get_by_role("option").all_text_contents() == ["emea", "main"]
    dialog.page.get_by_role("option", name="main").click()
    assert dialog.save() == "Your alert has been saved."
    assert dialog.params("power")["tenant"] == "main"


def test_a_wrong_value_is_refused_with_a_sentence_and_nothing_typed_is_lost(dialog_for):
    """The sentence names the field; when it is mended, the alert is saved."""
    dialog = dialog_for()
    tenant, fields = dialog.page.get_by_label("Tenant"), dialog.page.get_by_label("Fields to send")
    fields.fill("src_ip, user")
    tenant.fill("EMEA West")
    assert "Parapet Security, Tenant: a name has lower-case letters" in dialog.save()
    assert (tenant.input_value(), fields.input_value()) == ("EMEA West", "src_ip, user")
    tenant.fill("emea")
    assert dialog.save() == "Your alert has been saved."
    assert dialog.params()["fields"] == "src_ip, user"


def test_a_token_that_is_pasted_into_the_form_is_not_saved(dialog_for, site):
    """It belongs on the setup page; savedsearches.conf is plain text."""
    dialog = dialog_for()
    token = "pst_" + "0123456789abcdef" * 2
    dialog.page.get_by_label("Fields to send").fill(token)
    assert "this looks like a token" in dialog.save()
    assert not [path for path, content in site.scene.everything_written().items() if token.encode() in content]


@pytest.mark.parametrize("site", [{"tenant": False}], indirect=True)
def test_an_alert_can_be_saved_where_the_guides_option_b_is_set(dialog_for, site):
    """Splunk Web sends along what the alert inherits, the token in alert_actions.conf included."""
    stanza = "/servicesNS/nobody/parapet_security/alerts/alert_actions/parapet_security"
    token = "pst_" + "0123456789abcdef"
    site.scene.call("POST", stanza, **{"param.webhook_url": "https://127.0.0.1:1/webhook/x", "param.token": token})
    dialog = dialog_for()
    dialog.page.get_by_label("Rows").select_option("all")
    assert dialog.save() == "Your alert has been saved."
    assert dialog.params()["send"] == "all"


def test_an_alert_that_is_opened_again_shows_what_was_saved(dialog_for, site):
    """The form is filled from the alert, and from the defaults where the alert has nothing of its own."""
    dialog = dialog_for()
    page = dialog.page
    assert page.get_by_label("Severity fields").input_value() == "urgency, severity"
    assert page.get_by_label("Fields to send").input_value() == "*"
    dialog.pick("emea")
    page.get_by_label("Rows").select_option("all")
    dialog.save()
    page.goto(site.web.url("app/search/alert?s=/servicesNS/admin/search/saved/searches/Failed%20logins"))
    page.locator("[data-loaded]").wait_for()
    assert page.get_by_label("Tenant").input_value() == "emea"
    assert page.get_by_label("Rows").input_value() == "all"
    assert page.get_by_label("Severity", exact=True).input_value() == "auto"


def test_the_form_still_takes_a_tenant_when_the_list_cannot_be_read(dialog_for, site):
    """A search that fails costs the list, not the alert."""
    site.scene.splunkd.fail("search/jobs", 500)
    dialog = dialog_for()
    dialog.page.get_by_text("Could not create search.").wait_for()
    dialog.page.get_by_label("Tenant").fill("emea")
    assert dialog.save() == "Your alert has been saved."
    assert dialog.params()["tenant"] == "emea"


@pytest.mark.parametrize(
    "site",
    [{"theme": "light"}, {"theme": "dark", "root_path": "/splunk", "locale": "de-DE"}],
    indirect=True,
    ids=["light", "dark, root path, locale"],
)
def test_the_form_is_accessible_and_its_links_lead_into_this_splunk_web(dialog_for, site, axe, screenshot):
    """Root path and locale are in the links, and axe finds nothing wrong."""
    dialog = dialog_for()
    links = dialog.page.locator(FORM + " a")
    assert links.evaluate_all("all => all.map((one) => one.getAttribute('href'))") == [
        site.web.path("help?location=learnmore.alert.action.tokens"),
        site.web.path("app/parapet_security/setup"),
    ]
    screenshot(dialog.page, "alert-form-" + site.web.theme, picture=site.web.theme == "light")
    assert axe(dialog.page) == []
    dialog.page.get_by_label("Tenant").click()
    screenshot(dialog.page, "alert-form-list-" + site.web.theme)
    assert axe(dialog.page) == []
