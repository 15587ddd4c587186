"""Where address and credentials come from, what goes before what, and what is refused without being repeated."""

from __future__ import annotations

import io
import os

import pytest
from parapet_elastic.addresses import kibana_url, webhook_url, webhook_url_of
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.screen import Screen
from parapet_elastic.settings import Given, Settings, read_file

URL = "https://kibana.example.com"
KEY = "a2V5LWlkOmNhbmFyeS1rZXk="


def settings(environment=None, **options):
    """The settings for an environment and options, without a terminal."""
    screen = Screen(out=io.StringIO(), err=io.StringIO(), answers=io.StringIO())
    return Settings(Given(**options), screen, {"KIBANA_URL": URL, "KIBANA_API_KEY": KEY, **(environment or {})})


def credentials(tmp_path, text, mode=0o600):
    """A credentials file."""
    path = tmp_path / "credentials"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return str(path)


def refusal(call, *arguments, **options):
    """The Failure's sentence and advice; it is always one of usage."""
    with pytest.raises(Failure) as failure:
        call(*arguments, **options)
    assert failure.value.exit is Exit.USAGE
    text = f"{failure.value} {failure.value.todo}"
    assert "canary" not in text
    assert "\n" not in text
    return text


def test_the_environment_is_enough():
    """Everything has a variable."""
    found = settings({"KIBANA_SPACE": "soc", "KIBANA_PROXY": "http://proxy.example.com:3128"}).access()
    assert (found.url, found.space, found.proxy) == (URL, "soc", "http://proxy.example.com:3128")
    assert found.authorization() == "ApiKey " + KEY


def test_an_option_goes_before_the_file_and_the_file_before_the_environment(tmp_path):
    """The more somebody meant it, the more it counts."""
    path = credentials(tmp_path, "KIBANA_URL=https://file.example.com\nKIBANA_SPACE=file\n")
    found = settings({"KIBANA_SPACE": "environment"}, credentials=path, space="option").access()
    assert (found.url, found.space) == ("https://file.example.com", "option")


def test_a_credentials_file_may_have_comments_blank_lines_quotes_and_a_mark_at_its_start(tmp_path):
    """As editors and other tools write them."""
    text = "\ufeff# mine\r\n\r\n KIBANA_USERNAME = jo \r\nKIBANA_PASSWORD=\"a=b 'c\"\r\nPARAPET_TOKEN='pst_x'\n"
    found = settings(credentials=credentials(tmp_path, text))
    access = found.access()
    assert (access.username, access.password.reveal()) == ("jo", "a=b 'c")
    assert found.token().reveal() == "pst_x"


def test_key_and_user_are_never_mixed_from_two_places(tmp_path):
    """The file's user goes before the environment's key, with nothing of it."""
    path = credentials(tmp_path, "KIBANA_USERNAME=jo\nKIBANA_PASSWORD=canary-password\n")
    access = settings(credentials=path).access()
    assert access.api_key is None
    assert access.authorization().startswith("Basic ")


def test_the_users_name_may_be_in_the_environment_and_the_password_in_the_file(tmp_path):
    """Or the other way round: each name comes from the first place that has it."""
    name, password = {"KIBANA_USERNAME": "jo"}, {"KIBANA_PASSWORD": "canary-password"}
    for there, here in ((name, password), (password, name)):
        path = credentials(tmp_path, "".join(f"{each}={value}\n" for each, value in here.items()))
        access = settings({"KIBANA_API_KEY": "", **there}, credentials=path).access()
        assert (access.username, access.password.reveal()) == ("jo", "canary-password")


def test_a_key_in_the_file_goes_before_a_user_of_the_environment(tmp_path):
    """It says which of the two is meant."""
    path = credentials(tmp_path, "KIBANA_API_KEY=Y2FuYXJ5\n")
    access = settings({"KIBANA_USERNAME": "jo", "KIBANA_PASSWORD": "canary"}, credentials=path).access()
    assert access.authorization() == "ApiKey Y2FuYXJ5"


def test_a_password_without_its_user_is_named_and_no_key_is_taken_instead(tmp_path):
    """The key of the environment may be somebody else's."""
    path = credentials(tmp_path, "KIBANA_PASSWORD=canary-password\n")
    assert "KIBANA_USERNAME" in refusal(settings(credentials=path).access)


def test_the_option_for_the_user_means_a_password():
    """It says which of the two is meant."""
    access = settings({"KIBANA_PASSWORD": "canary-password"}, username="jo").access()
    assert (access.api_key, access.username) == (None, "jo")


def test_a_password_keeps_its_blanks():
    """They are a part of it."""
    access = settings({"KIBANA_API_KEY": "", "KIBANA_USERNAME": "jo", "KIBANA_PASSWORD": " canary "}).access()
    assert access.password.reveal() == " canary "


def test_key_and_user_in_one_place_is_a_question_nobody_can_answer():
    """Which of them would run the rules?"""
    assert "both" in refusal(settings({"KIBANA_USERNAME": "jo"}).access)


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_credentials_file_that_others_can_read_or_write_is_refused(tmp_path, mode):
    """And what to do about it is said."""
    assert "chmod 600" in refusal(read_file, tmp_path / credentials(tmp_path, "KIBANA_URL=x", mode))


@pytest.mark.parametrize(
    "text",
    ["KIBANA_URL", "canary-value", "=canary", "KIBANA_TOKEN=canary-x", "KIBANA_URL=a\nKIBANA_URL=b", "KIBANA URL=x"],
)
def test_a_line_that_is_none_is_named_by_its_number_only(tmp_path, text):
    """It may hold a secret in the wrong place."""
    path = credentials(tmp_path, "# first\n" + text)
    assert f"{path}:{2 + text.count(chr(10))}:" in refusal(settings, credentials=path)


def test_a_credentials_file_that_is_none_is_refused(tmp_path):
    """A folder, nothing, or not text."""
    assert "cannot be read" in refusal(settings, credentials=str(tmp_path / "nothing"))
    assert "cannot be read" in refusal(settings, credentials=str(tmp_path))
    assert "UTF-8" in refusal(settings, credentials=credentials(tmp_path, b"KIBANA_PASSWORD=\xff\n"))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KIBANA_URL": ""}, "no address"),
        ({"KIBANA_API_KEY": ""}, "no credentials"),
        ({"KIBANA_API_KEY": "", "KIBANA_USERNAME": "jo"}, "no password for jo"),
        ({"KIBANA_API_KEY": "id:canary"}, "Encoded"),
        ({"KIBANA_API_KEY": "canary canary"}, "Encoded"),
        ({"KIBANA_API_KEY": "canaryü"}, "Encoded"),
        ({"KIBANA_API_KEY": "canary\r\nX: y"}, "Encoded"),
        ({"KIBANA_API_KEY": "", "KIBANA_USERNAME": "a:b", "KIBANA_PASSWORD": "canary"}, "colon"),
        ({"KIBANA_SPACE": "My Space"}, "space's id"),
        ({"KIBANA_SPACE": "../x"}, "space's id"),
        ({"KIBANA_CA_FILE": "/nothing/here"}, "authorities"),
        ({"KIBANA_PROXY": "proxy.example.com"}, "proxy's address"),
        ({"KIBANA_PROXY": "socks5://u:canary@proxy.example.com"}, "proxy's address"),
        ({"KIBANA_PROXY": "http://u:canary@[::1"}, "proxy's address"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(environment, words):
    """Each with what is wrong with it, none with its value where that may be secret."""
    assert words in refusal(settings(environment).access)


def test_a_file_of_authorities_that_holds_none_is_refused(tmp_path):
    """Before any request is made."""
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    assert "PEM" in refusal(settings({"KIBANA_CA_FILE": str(path)}).access)


def test_a_proxys_password_may_come_from_the_environment_and_not_from_an_option():
    """Options are shown to every user of the machine."""
    url = "http://me:canary-password@proxy.example.com:3128"
    assert settings({"KIBANA_PROXY": url}).access().proxy == url
    assert "KIBANA_PROXY" in refusal(settings(proxy=url).access)


def test_plain_http_does_not_leave_this_machine_through_a_proxy():
    """The address is of this machine, and the proxy would see the credentials all the same."""
    proxy = "http://proxy.example.com:3128"
    assert "https" in refusal(settings(url="http://localhost:5601", proxy=proxy).access)
    assert settings(url="http://localhost:5601", proxy="http://127.0.0.1:3128").access().proxy
    assert settings(url=URL, proxy=proxy).access().proxy == proxy


@pytest.mark.parametrize(
    "text",
    ["", "canary", "Bearer pst_canary", "pst_", "pst_canary x", "pst_canary\n2", "pst_cänary", "pst_YOUR_TOKEN_HERE"],
)
def test_a_token_that_is_none_is_refused(text):
    """It starts with pst_ and has no white space."""
    assert "token" in refusal(settings({"PARAPET_TOKEN": text}).token)


def test_a_token_with_white_space_around_it_is_taken_without():
    """It was copied."""
    assert settings({"PARAPET_TOKEN": " pst_canary\n"}).token().reveal() == "pst_canary"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://kibana.example.com/", URL),
        ("https://kibana.example.com:5601/base/", "https://kibana.example.com:5601/base"),
        ("http://localhost:5601", "http://localhost:5601"),
        ("http://127.0.0.1:5601", "http://127.0.0.1:5601"),
        ("http://[::1]:5601", "http://[::1]:5601"),
    ],
)
def test_an_address_of_kibana_is_https_or_of_this_machine(given, taken):
    """And loses the slash at its end."""
    assert kibana_url(given) == taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("http://kibana.example.com", "not https"),
        ("http://localhost.example.com", "not https"),
        ("http://1270.0.0.1", "not https"),
        ("ftp://localhost", "not https"),
        ("kibana.example.com", "no URL"),
        ("https://", "no URL"),
        ("https://a b", "no URL"),
        ("https://a:99999", "no URL"),
        ("https://a..b", "no URL"),
        ("https://.a", "no URL"),
        ("https://" + "a" * 64 + ".b", "no URL"),
        ("https://[::1", "no URL"),
        ("https://kibana.example.com\\@evil", "no URL"),
        ("https://u:canary@kibana.example.com", "credentials in it"),
        ("https://kibana.example.com/app/home", "begins with /app"),
        ("https://kibana.example.com/app", "begins with /app"),
        ("https://kibana.example.com/?x=canary", "begins with /app"),
        ("https://kibana.example.com/s/soc", "--space soc"),
    ],
)
def test_an_address_of_kibana_that_is_none_is_refused(given, words):
    """With what is wrong with it."""
    assert words in refusal(kibana_url, given)


@pytest.mark.parametrize(
    "given",
    [
        "https://webhook-us.parapetsecurity.com/webhook/acme",
        "https://relay.example.com/parapet/webhook/a-b_c.d~e",
        "http://localhost:8080/webhook/acme",
    ],
)
def test_a_webhook_ends_in_the_tenants_id(given):
    """And is taken as it is."""
    assert webhook_url(given) == given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("http://webhook-us.parapetsecurity.com/webhook/acme", "not https"),
        ("https://webhook-us.parapetsecurity.com/webhook/", "/webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook", "/webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook/acme/", "/webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook/acme/x", "/webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook/a?x=canary", "/webhook/"),
        ("https://webhook-us.parapetsecurity.com/webhook/a#x", "/webhook/"),
        ("https://webhook-{region}.parapetsecurity.com/webhook/{tenant-id}", "/webhook/"),
        ("https://u:canary@localhost/webhook/acme", "credentials"),
        ("https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID", "placeholder"),
        ("https://webhook-us.parapetsecurity.com/webhook/TENANT-ID", "placeholder"),
        ("https://webhook-us.parapetsecurity.com/webhook/tenant-id", "placeholder"),
    ],
)
def test_a_webhook_that_is_none_is_refused(given, words):
    """With what is wrong with it."""
    assert words in refusal(webhook_url, given)


def test_region_and_tenant_make_the_guides_address():
    """As the guide spells it; nothing else can be put in."""
    assert webhook_url_of("us", "acme") == "https://webhook-us.parapetsecurity.com/webhook/acme"
    for region, tenant in (
        ("us.evil.com/", "acme"),
        ("US", "acme"),
        ("us", "a/b"),
        ("us", ""),
        ("us", "a b"),
        ("us", "é"),
        ("us", "YOUR-TENANT-ID"),
        ("us", "."),
        ("us", ".."),
        ("us", "a%2e%2e"),
        ("us", "a%20b"),
        ("us", "{tenant-id}"),
    ):
        refusal(webhook_url_of, region, tenant)


def test_every_secret_that_is_configured_is_told_to_the_screen():
    """The second net knows it before anything can go wrong."""
    out = io.StringIO()
    screen = Screen(out=out, err=out, answers=io.StringIO())
    environment = {
        "KIBANA_URL": URL,
        "KIBANA_USERNAME": "somebody",
        "KIBANA_PASSWORD": "canary-password",
        "PARAPET_TOKEN": "pst_canary-token",
        "KIBANA_PROXY": "http://me:canary-proxy@proxy.example.com",
    }
    access = Settings(Given(), screen, environment).access()
    for text in (*environment.values(), access.authorization(), "canary-proxy"):
        screen.line(text)
    assert "canary" not in out.getvalue()
    assert access.authorization().partition(" ")[2] not in out.getvalue()
    assert URL in out.getvalue()


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("HTTPS://Kibana.Example.COM:443/Base/", "https://kibana.example.com/Base"),
        ("https://kibana.example.com.", "https://kibana.example.com"),
        ("https://kibana.example.com:9243//", "https://kibana.example.com:9243"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://[::1]:5601/", "http://[::1]:5601"),
    ],
)
def test_an_address_of_kibana_has_one_spelling(given, taken):
    """Or what was done under another one would not be found again."""
    assert kibana_url(given) == taken
