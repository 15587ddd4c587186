"""Tests of what an administrator may configure: every problem at once, and how it is said. They must not ask splunkd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parapet import settings
from parapet.alert import DEFAULTS, TOKEN_PARAMS, USER_PARAMS
from parapet.secret import Secret
from parapet.settings import NUMBERS, Delivery, check_token, check_url, delivery_from, tenant_from
from parapet.severity import DEFAULT_MAP
from tests.conf import CONFS, SPECS

CONF = CONFS["parapet_security.conf"]["delivery"]
SPEC = SPECS["parapet_security.conf"]
URL = "https://webhook-us.parapetsecurity.com/webhook/acme-1"
TOKEN = "pst_0123456789abcdef"
# As large as a number can be written here: the spec says "and up".
OPEN_ENDED = {"outbox_max_bytes", "retry_dead"}


def problems(**stanza):
    """What is wrong with a [delivery] stanza."""
    return delivery_from(stanza)[1]


def test_the_shipped_conf_is_what_the_code_does_without_one():
    """Every default, and no problem."""
    assert delivery_from(CONF) == (Delivery(), [])
    assert delivery_from({}) == (Delivery(), [])
    assert delivery_from(dict.fromkeys(CONF, " ")) == (Delivery(), [])


def test_settings_of_code_conf_and_spec_are_the_same():
    """Of [delivery], and of a tenant."""
    assert set(NUMBERS) | set(settings.TEXTS) == set(CONF) == set(SPEC["delivery"])
    assert set(settings.TENANT_KEYS) == set(SPEC["tenant:<name>"])
    assert list(Delivery().__dict__) == [*NUMBERS, *settings.TEXTS]


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_range_is_the_described_one(name):
    """Default, limits and whether it is a whole number."""
    rule, entry = NUMBERS[name], SPEC["delivery"][name]
    assert (rule.default, rule.low, rule.whole) == (float(entry.default), entry.low, entry.form == "<integer>")
    assert (entry.high is None) == (name in OPEN_ENDED)
    assert name in OPEN_ENDED or rule.high == entry.high
    assert getattr(Delivery(), name) == rule.default


def test_parameters_of_code_and_conf_are_the_same():
    """An alert's own, Splunk's tokens, and the guide's Option B, which no code reads from an alert."""
    action = CONFS["alert_actions.conf"]["parapet_security"]
    params = {name[len("param.") :]: value for name, value in action.items() if name.startswith("param.")}
    assert list(params) == [*USER_PARAMS, *TOKEN_PARAMS, "webhook_url", "token"]
    assert {name: params[name] for name in DEFAULTS if name != "tenant"} == {
        name: value for name, value in DEFAULTS.items() if name != "tenant"
    }
    assert (params["severity_map"], params["tenant"]) == (DEFAULT_MAP, "")
    assert all(params[name].startswith("$") and params[name].endswith("$") for name in TOKEN_PARAMS)


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_both_limits_of_a_range_are_in_it(name):
    """And what is beyond counts as the default, with a line that names setting, range, unit and value."""
    rule = NUMBERS[name]
    for value in (rule.low, rule.high):
        delivery, wrong = delivery_from({name: f"{value:.15g}"})
        assert (getattr(delivery, name), wrong) == (value, [])
        assert isinstance(getattr(delivery, name), int) or not rule.whole
    step = 1 if rule.whole else 0.01
    for value in (rule.low - step, rule.high + step):
        text = f"{value:.18g}"
        delivery, wrong = delivery_from({name: text})
        assert delivery == Delivery()
        assert len(wrong) == 1
        for part in (f"[delivery] {name} ", f"{rule.low:g}", rule.unit, repr(text), f"{rule.default:.15g} counts"):
            assert part in wrong[0]


@pytest.mark.parametrize("text", ["x", "-1", "+5", "1e1", "0x5", "5 s", "5,0", "²", "५", "NaN", "inf", "9" * 400, "5.", ".5", "5\n5"])
@pytest.mark.parametrize("name", ["workers", "read_timeout"])
def test_what_is_no_number_counts_as_the_default(name, text):
    """One line says so, however long the value is."""
    delivery, wrong = delivery_from({name: text})
    assert delivery == Delivery()
    assert len(wrong) == 1
    assert len(wrong[0].splitlines()) == 1
    assert len(wrong[0]) < 250


def test_whole_numbers_and_fractions():
    """Where it makes sense only."""
    assert delivery_from({"retry_first": "0.5", "workers": " 2 "})[0] == Delivery(retry_first=0.5, workers=2)
    assert "a whole number" in problems(workers="1.5")[0]


def test_every_problem_is_reported_at_once():
    """And what is right counts all the same."""
    stanza = {
        "workers": "17",
        "retry_max": "soon",
        "log_level": "verbose",
        "proxy_url": "proxy:3128",
        "workrs": "4",
        "read_timeout": "60",
    }
    delivery, wrong = delivery_from(stanza)
    assert delivery == Delivery(read_timeout=60)
    named = [line.split()[1].rstrip(":") for line in wrong]
    assert named == ["workers", "retry_max", "log_level", "proxy_url", "workrs"]
    assert "there is no such setting" in wrong[-1]


@pytest.mark.parametrize("text", ["debug", "WARN", " Error "])
def test_a_log_level_does_not_depend_on_case(text):
    """It is one of four."""
    assert delivery_from({"log_level": text})[0].log_level == text.strip().upper()


@pytest.mark.parametrize("url", ["http://proxy:3128", "https://proxy.example.com:443", "http://[::1]:8080", "http://10.0.0.1:3128/"])
def test_a_proxy_is_a_scheme_a_host_and_a_port(url):
    """As the documentation writes it."""
    assert delivery_from({"proxy_url": url}) == (Delivery(proxy_url=url), [])


@pytest.mark.parametrize(
    "url",
    [
        "proxy",
        "proxy:3128",
        "http://proxy",
        "http://:3128",
        "socks5://proxy:1080",
        "http://proxy:99999",
        "http://proxy:x",
        "http://proxy:0",
        "http://proxy:3128/path",
        "http://proxy:3128?x",
        "http://pro xy:3128",
        "http://pro\txy:3128",
        "http://[::1:8080",
    ],
)
def test_what_is_no_proxy_is_not_used(url):
    """Nothing is guessed: an alert must not go around the proxy that was meant."""
    delivery, wrong = delivery_from({"proxy_url": url})
    assert delivery == Delivery()
    assert ["[delivery] proxy_url must be of the form http://host:port" in line for line in wrong] == [True]


@pytest.mark.parametrize(
    "url", ["http://me:CANARY@proxy:3128", "http://me:CAN/ARY@proxy:3128", "me:CANARY@proxy:1", "http://CANARY@[x:1"]
)
def test_a_password_in_a_proxys_url_is_refused_and_not_shown(url):
    """It has a place of its own."""
    (wrong,) = problems(proxy_url=url)
    assert "must hold no user name or password" in wrong
    assert not [part for part in ("CAN", "ARY") if part in wrong]


@pytest.mark.parametrize("name", ["a:b", "a\nb", "\x7f"])
def test_a_proxys_user_name_fits_into_its_header(name):
    """RFC 7617 forbids a colon in it."""
    assert "[delivery] proxy_username must hold no colon" in problems(proxy_url="http://p:1", proxy_username="x" + name)[0]


def test_a_proxys_user_name_without_a_proxy_is_a_mistake():
    """Somebody forgot the half of it."""
    assert "proxy_username is set without proxy_url" in problems(proxy_username="me")[0]


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
        ("ftp://127.0.0.1/webhook/x", "must start with https://"),
        ("webhook-us.parapetsecurity.com/webhook/x", "must start with https://"),
        ("https:///webhook/x", "must name a host"),
        ("https://:443/webhook/x", "must name a host"),
        ("https://me:pw@host/webhook/x", "must hold no user name or password"),
        ("https://me@host/webhook/x", "must hold no user name or password"),
        ("https://@host/webhook/x", "must hold no user name or password"),
        (URL + "?a=b", "must end after the tenant id"),
        (URL + "?", "must end after the tenant id"),
        (URL + "#x", "must end after the tenant id"),
        ("https://host", "must end in /webhook/"),
        ("https://host/", "must end in /webhook/"),
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


def test_a_url_has_all_its_problems_said_at_once():
    """Who mends one finds the others mended too."""
    assert len(check_url("ftp://me@host/hook?x")) == 4


@pytest.mark.parametrize(
    "url", [TOKEN, "https://host/" + TOKEN, "x:" + TOKEN + "@h", "https://a:" + TOKEN + "/b@[h/webhook/x", "https://u:" + TOKEN + "@h:x/"]
)
def test_a_token_in_the_place_of_the_url_is_not_shown(url):
    """People paste things into the wrong field."""
    assert "0123" not in " ".join(check_url(url))
    assert "0123" not in " ".join(problems(workers=url, proxy_url=url, log_level=url))


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
    starts = ["[tenant:lab] webhook_ur:", "[tenant:lab] disabled ", "[tenant:lab] webhook_url ", "the token of tenant lab "]
    assert len(wrong) == 4
    assert all(line.startswith(start) for line, start in zip(wrong, starts))
    assert "[tenant:lab] webhook_ur: there is no such setting" in wrong[0]
    assert "[tenant:lab] webhook_url is empty" in tenant.fault
    assert tenant_from("lab", {"webhook_url": URL, "x": "1"}, TOKEN)[0].fault == ""


@pytest.mark.parametrize(
    ("text", "disabled"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("", False), ("off", False), ("2", False)]
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
