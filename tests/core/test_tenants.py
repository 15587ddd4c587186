"""Tests of what a tenant may be: URL, token, name. They must not ask splunkd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet import settings
from parapet.secret import Secret
from parapet.settings import Delivery, check_token, check_url, delivery_from, tenant_from

URL = "https://webhook-us.parapetsecurity.com/webhook/acme-1"
TOKEN = "pst_0123456789abcdef"


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "HTTPS://WEBHOOK-US.parapetsecurity.com/webhook/acme-1",
        "https://relay.example.com:8443/parapet/webhook/acme-1",
        "http://127.0.0.1:8080/webhook/x",
        "http://127.9.9.9/webhook/x",
        "http://localhost:1/webhook/x",
        "http://[::1]:8080/webhook/x",
    ],
)
def test_a_webhook_url_is_https_and_ends_in_its_tenant(url):
    """Plain http is for this host itself only."""
    assert check_url(url) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is empty"),
        ("http://webhook-us.parapetsecurity.com/webhook/x", "must start with https://"),
        ("http://localhost.example.com/webhook/x", "must start with https://"),
        ("http://10.0.0.1/webhook/x", "must start with https://"),
        ("ftp://127.0.0.1/webhook/x", "must start with https:// (got 'ftp')"),
        ("wss://127.0.0.1/webhook/x", "must start with https:// (got 'wss')"),
        ("acme.example.com/webhook/x", "must start with https:// (got 'acme.example.com/webhook/x')"),
        ("https:///webhook/x", "must name a host"),
        ("https://:443/webhook/x", "must name a host"),
        ("https://me:pw@host/webhook/x", "must hold no user name or password"),
        ("https://me@host/webhook/x", "must hold no user name or password"),
        ("https://@host/webhook/x", "must hold no user name or password"),
        (URL + "?a=b", "must end after the tenant id"),
        (URL + "?", "must end after the tenant id"),
        (URL + "#x", "must end after the tenant id"),
        ("https://host", "must end in /webhook/ and the tenant id (got 'no path')"),
        ("https://host/", "must end in /webhook/ and the tenant id (got '/')"),
        ("https://host/webhook", "must end in /webhook/"),
        ("https://host/webhook/", "must end in /webhook/"),
        ("https://host/webhooks/x", "must end in /webhook/"),
        ("https://host/webhook/x/y", "must end in /webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID", "placeholder"),
        ("https://webhook-{region}.parapetsecurity.com/webhook/{tenant-id}", "placeholder"),
        ("https://webhook-{region}.parapetsecurity.com/webhook/acme-1", "placeholder"),
        ("https://host/webhook/a b", "white space"),
        ("https://host/webhook/a\n", "white space"),
        ("https://ho\u00a0st/webhook/a", "white space"),
        ("https://host:99999/webhook/x", "is not a URL"),
        ("https://[::1/webhook/x", "is not a URL"),
    ],
)
def test_a_webhook_url_that_cannot_be_used_is_explained(url, said):
    """In words that follow the setting's name."""
    assert [text for text in check_url(url) if said in text]


def test_a_host_that_cannot_be_is_shown_and_one_that_is_missing_is_not():
    """An empty pair of quotes explains nothing."""
    assert check_url("https:///webhook/x") == ["must name a host"]
    assert check_url("https://ho!st/webhook/x") == ["must name a host (got 'ho!st')"]


def test_a_url_has_all_its_problems_said_at_once():
    """Who mends one finds the others mended too."""
    assert len(check_url("ftp://me@host/hook?x")) == 4


@pytest.mark.parametrize(
    "url",
    [
        TOKEN,
        "https://host/" + TOKEN,
        "x:" + TOKEN + "@h",
        "https://a:" + TOKEN + "/b@[h/webhook/x",
        "https://u:" + TOKEN + "@h:x/",
    ],
)
def test_a_token_in_the_place_of_the_url_is_not_shown(url):
    """People paste things into the wrong field."""
    assert "0123" not in " ".join(check_url(url))
    assert "0123" not in " ".join(delivery_from({"workers": url, "proxy_url": url, "log_level": url})[1])


@given(st.text())
def test_any_text_is_a_url_or_explained(text):
    """Never an error, never a line break."""
    assert all(len(line.splitlines()) == 1 for line in check_url(text))


@pytest.mark.parametrize("token", [TOKEN, "pst_" + "x" * 4000, "pst_a.b-c_d~e/f+g="])
def test_a_token_that_keeps_the_rules_has_no_problem(token):
    """It starts with pst_ and has no white space."""
    assert check_token(token) == []


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "is not stored"),
        ("", "is not stored"),
        ("QZQZ", "must start with pst_"),
        ("********", "must start with pst_"),
        ("Bearer pst_QZQZ", "must start with pst_"),
        ("PST_QZQZ", "must start with pst_"),
        (" pst_QZQZ", "white space at its start"),
        ("pst_QZQZ\n", "white space at its end"),
        ("pst_QZ QZ", "white space inside"),
        ("pst_QZ\u00a0QZ", "white space inside"),
        ("pst_QZ\x00QZ", "a character that no token has"),
        ("pst_QZ\u00e9QZ", "a character that no token has"),
        ("pst_YOUR_TOKEN", "placeholder"),
        ("pst_YOUR_TOKEN_HERE", "placeholder"),
    ],
)
def test_a_token_that_breaks_a_rule_is_explained_without_a_character_of_it(token, said):
    """The texts are about it, not of it."""
    wrong = check_token(token)
    assert [text for text in wrong if said in text]
    assert "QZ" not in " ".join(wrong)
    tenant, reported = tenant_from("main", {"webhook_url": URL}, token)
    assert tenant.token is None
    assert tenant.fault == "; ".join(reported) == "; ".join(f"the token of tenant main {text}" for text in wrong)
    assert "QZ" not in repr(tenant) + repr(reported)


def test_a_tenant_that_is_right_can_be_used():
    """White space around a URL is nobody's intention."""
    tenant, wrong = tenant_from("main", {"webhook_url": f" {URL} ", "disabled": "0"}, TOKEN)
    assert (tenant.webhook_url, tenant.fault, tenant.disabled, wrong) == (URL, "", False, [])
    assert tenant.token == Secret(TOKEN)


def test_a_tenant_has_all_its_problems_said_at_once():
    """Keys, URL and token, each with the stanza's name; an unknown key alone does not stop it."""
    tenant, wrong = tenant_from("lab", {"webhook_ur": URL, "disabled": "maybe"}, "x")
    starts = [
        "[tenant:lab] webhook_ur:",
        "[tenant:lab] disabled ",
        "[tenant:lab] webhook_url ",
        "the token of tenant lab ",
    ]
    assert len(wrong) == 4
    assert all(line.startswith(start) for line, start in zip(wrong, starts))
    assert "[tenant:lab] webhook_ur: there is no such setting" in wrong[0]
    assert "[tenant:lab] webhook_url is empty" in tenant.fault
    assert tenant_from("lab", {"webhook_url": URL, "x": "1"}, TOKEN)[0].fault == ""


@pytest.mark.parametrize(
    ("text", "disabled"),
    [("1", True), ("true", True), ("Yes", True), ("0", False), ("", False), ("off", False), ("2", False)],
)
def test_a_tenant_can_be_paused(text, disabled):
    """With Splunk's words for true and false; anything else is reported, and does not pause."""
    tenant, wrong = tenant_from("main", {"webhook_url": URL, "disabled": text}, TOKEN)
    assert (tenant.disabled, bool(wrong)) == (disabled, text == "2")


@pytest.mark.parametrize("name", ["", "Main", "../x", "a b", "-a", "_a", "a" * 65, "a\n", "ä"])
def test_a_name_that_no_tenant_has_is_explained(name):
    """It would become part of a path."""
    tenant, wrong = tenant_from(name, {"webhook_url": URL}, TOKEN)
    assert tenant.fault == wrong[-1]
    assert "1 to 64 of a-z, 0-9, _ and -" in tenant.fault
    assert tenant.token is None


def test_a_name_that_no_tenant_has_is_the_fault_whatever_else_is_wrong():
    """An unknown key beside it is said too, and stops nothing by itself."""
    tenant, wrong = tenant_from("Main", {"webhook_url": URL, "colour": "red"}, TOKEN)
    assert len(wrong) == 2
    assert tenant == settings.Tenant("Main", "", None, disabled=False, fault=wrong[1])
    assert "a tenant's name is" in tenant.fault


@pytest.mark.parametrize("name", ["main", "0", "a-b_c", "a" * 64])
def test_a_name_may_have_these_characters(name):
    """As section 4 of the design has it."""
    assert tenant_from(name, {"webhook_url": URL}, TOKEN)[1] == []


def test_settings_know_all_their_secrets_and_show_none():
    """For the log's second net."""
    tenants = {"main": tenant_from("main", {"webhook_url": URL}, TOKEN)[0], "lab": settings.Tenant("lab")}
    found = settings.Settings(Delivery(), tenants, Secret("proxy-password"), ())
    assert [secret.reveal() for secret in found.secrets] == [TOKEN, "proxy-password"]
    assert TOKEN not in repr(found)
    assert "proxy-password" not in repr(found)
    assert settings.Settings().secrets == []
