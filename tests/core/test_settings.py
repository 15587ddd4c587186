"""Tests of what an administrator may configure: every problem at once, and how it is said. They must not ask splunkd."""

from __future__ import annotations

import pytest
from parapet import settings
from parapet.alert import DEFAULTS, TOKEN_PARAMS, USER_PARAMS
from parapet.settings import NUMBERS, Delivery, Settings, Tenant, delivery_from
from parapet.severity import DEFAULT_MAP

from tests.conf import CONFS, SPECS

CONF = CONFS["parapet_security.conf"]["delivery"]
SPEC = SPECS["parapet_security.conf"]
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
    assert list(Delivery._fields) == [*NUMBERS, *settings.TEXTS]


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_range_is_the_described_one(name):
    """Default, limits and whether it is a whole number."""
    rule, entry = NUMBERS[name], SPEC["delivery"][name]
    assert (rule.default, rule.low, rule.whole) == (float(entry.default), entry.low, entry.form == "<integer>")
    assert (entry.high is None) == (name in OPEN_ENDED)
    assert name in OPEN_ENDED or rule.high == entry.high
    assert getattr(Delivery(), name) == rule.default


@pytest.mark.parametrize(("name", "most"), [("outbox_max_bytes", 999999999999999), ("retry_dead", 9999999999)])
def test_a_range_without_an_end_goes_as_far_as_a_number_can_be_written(name, most):
    """Fifteen digits of bytes, and ten of seconds: three centuries."""
    delivery, wrong = delivery_from({name: str(most)})
    assert (getattr(delivery, name), wrong) == (most, [])
    assert f"to {most} " in problems(**{name: str(most + 1)})[0]


@pytest.mark.parametrize("found", [Delivery(), Tenant("main"), Settings()], ids=lambda found: type(found).__name__)
def test_what_is_configured_cannot_be_changed_by_those_who_read_it(found):
    """Several threads share it; another configuration is another object."""
    for name in found._fields:
        with pytest.raises(AttributeError):
            setattr(found, name, None)


def test_a_long_value_is_shown_by_its_first_sixty_characters():
    """The line stays a line, and says enough to find the place."""
    assert f"(got '{'x' * 60}')" in problems(workers="x" * 61)[0]
    assert f"(got '{'x' * 60}')" in problems(workers="x" * 60)[0]


def test_a_path_keeps_its_case_and_a_users_name_too():
    """Only a log level is a word of ours."""
    stanza = {"ca_file": "/etc/Certs/Proxy.pem", "proxy_username": "Me", "proxy_url": "http://p:1"}
    assert delivery_from(stanza) == (Delivery(**stanza), [])


def test_parameters_of_code_and_conf_are_the_same():
    """An alert's own, Splunk's tokens, and the guide's Option B, which no code reads from an alert."""
    action = CONFS["alert_actions.conf"]["parapet_security"]
    params = {
        name[len("param.") :]: value
        for name, value in action.items()
        if name.startswith("param.") and name != "param._cam"
    }
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
        for part in (
            f"[delivery] {name} ",
            f"from {rule.low:.15g} to ",
            rule.unit,
            repr(text),
            f"{rule.default:.15g} counts",
        ):
            assert part in wrong[0]


@pytest.mark.parametrize(
    "text", ["x", "-1", "+5", "1e1", "0x5", "5 s", "5,0", "²", "५", "NaN", "inf", "9" * 400, "5.", ".5", "5\n5"]
)
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


@pytest.mark.parametrize(
    "url", ["http://proxy:3128", "https://proxy.example.com:443", "http://[::1]:8080", "http://10.0.0.1:3128/"]
)
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
    assert (
        "[delivery] proxy_username must hold no colon" in problems(proxy_url="http://p:1", proxy_username="x" + name)[0]
    )


def test_a_proxys_user_name_without_a_proxy_is_a_mistake():
    """Somebody forgot the half of it."""
    assert "proxy_username is set without proxy_url" in problems(proxy_username="me")[0]
