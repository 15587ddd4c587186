"""Token, API key and password are in no output, file or error, whatever command runs and whatever goes wrong."""

from __future__ import annotations

import base64
import os
import sys

import pytest
from parapet_elastic import cli_commands
from parapet_elastic.cli_help import COMMANDS

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.kibana_answers import platform
from tests.elastic.standins.tenant import ElasticTenant

TOKEN = "pst_canary-token-0f9a"
PASSWORD = "canary-password-77e1"
PERIOD = ("--from", "2020-01-01T00:00:00Z", "--to", "2040-01-01T00:00:00Z")
CALLS = [
    ("doctor",),
    ("doctor", "--webhook-url", "{url}"),
    ("connect", "--webhook-url", "{url}", "--token-in-clear", "--yes"),
    ("connect", "--webhook-url", "{url}", "--yes"),
    ("doctor", "--webhook-url", "{url}"),
    ("preview",),
    ("preview", "--real"),
    ("lint", "basic"),
    ("test",),
    ("test", "--real"),
    ("attach", "--all", "--dry-run"),
    ("attach", "--all", "--yes"),
    ("update", "--all", "--template", "custom_fields", "--yes"),
    ("status",),
    ("backfill", "--all", *PERIOD, "--yes", "--rate", "100"),
    ("detach", "--all", "--yes"),
    ("rollback", "--list"),
    ("rollback", "--yes"),
    ("uninstall", "--yes"),
]


class World:
    """A Kibana with a rule and an alert, a tenant, and somebody whose every output and file is kept.

    Attributes:
        seen: Everything that was printed.
        codes: The exit codes.
    """

    def __init__(self, kibana, tenant, folder, *, key):
        """Know all of them; `key` for an API key, else user and password."""
        self.kibana = kibana
        self.tenant = tenant
        self._folder = folder
        self.seen = []
        self.codes = []
        self.secrets = [TOKEN, PASSWORD, kibana.api_key, base64.b64decode(kibana.api_key).decode()]
        self.secrets.append(base64.b64encode(f"{kibana.username}:{PASSWORD}".encode()).decode())
        who = {} if key else {"KIBANA_API_KEY": None, "KIBANA_USERNAME": kibana.username, "KIBANA_PASSWORD": PASSWORD}
        home = {"HOME": str(folder), "PARAPET_TOKEN": TOKEN}
        self.person = Person(kibana, **who, **home)

    def run(self, *words):
        """Run a command."""
        result = self.person(*[word.format(url=self.tenant.url) for word in words])
        self.seen.append(result.out + result.err)
        self.codes.append(result.code)
        return result

    def files(self):
        """All that was written."""
        return [path for path in self._folder.rglob("*") if path.is_file()]

    def assert_clean(self):
        """No secret is in what was printed or written."""
        files = self.files()
        texts = self.seen + [path.read_text(encoding="utf-8") for path in files] + [str(path) for path in files]
        for text in texts:
            for secret in self.secrets:
                assert secret not in text


@pytest.fixture(params=["9.2.0", "8.19.0"])
def world(request, tmp_path, monkeypatch):
    """A world of each kind: the token encrypted, and in the clear."""
    connect = cli_commands._kibana

    def impatient(settings, screen):
        found = connect(settings, screen)
        found.sleep = lambda seconds: None
        return found

    monkeypatch.setattr(cli_commands, "_kibana", impatient)
    monkeypatch.chdir(tmp_path)
    with Kibana(version=request.param) as kibana, ElasticTenant(None, token=TOKEN, tls=False) as tenant:
        kibana.users[kibana.username].password = PASSWORD
        kibana.add_alerts(kibana.add_rule("One"), [{"host": {"name": "h"}}])
        yield World(kibana, tenant, tmp_path, key=request.param == "9.2.0")


def test_no_command_shows_or_writes_a_secret(world):
    """From connect to uninstall, with --json and without."""
    assert {call[0] for call in CALLS} == set(COMMANDS)
    for call in CALLS:
        world.run(*call)
        world.run(*call, "--json")
    world.assert_clean()
    # They all did something: a test of nothing but refusals would prove nothing.
    assert world.codes.count(0) >= len(world.codes) - 8
    assert world.tenant.bodies
    assert world.files()


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_no_error_of_kibana_shows_a_secret(world, status):
    """Each command is refused at each of its requests."""
    world.run("connect", "--webhook-url", "{url}", "--token-in-clear")
    for call in CALLS:
        for number in (0, 2):
            left = [number]

            def later(record, left=left):
                left[0] -= 1
                return left[0] < 0

            world.kibana.script(f"status:{status}", count=99, when=later)
            world.run(*call)
            world.kibana._server.faults.clear()
    world.assert_clean()
    assert set(world.codes) - {0}


def test_a_kibana_that_repeats_the_token_does_not_get_it_printed(world, monkeypatch):
    """Its words go to the person, and the second net is below them."""

    def repeats(stand_in, config, secrets):
        raise platform(400, f"error validating action type config: {config} {secrets}")

    monkeypatch.setattr("tests.elastic.standins.kibana_webhook.check", repeats)
    for words in ((), ("--json",)):
        result = world.run("connect", "--webhook-url", "{url}", "--token-in-clear", *words)
        assert result.code == 4
        assert "Bearer ***" in result.out + result.err
    world.assert_clean()


@pytest.mark.parametrize("name", ["KIBANA_API_KEY", "KIBANA_PASSWORD", "PARAPET_TOKEN", "KIBANA_PROXY", "KIBANA_URL"])
def test_a_secret_in_the_wrong_place_or_form_is_not_repeated(world, name):
    """Each variable with a value that cannot be."""
    values = ("canary value\n", "http://user:canary@", "https://u:canary-x@localhost:1/x", "canary\x00", "pst_cänary")
    for value in values:
        world.person.environment.update({"KIBANA_USERNAME": "somebody"} if name == "KIBANA_PASSWORD" else {})
        if name == "KIBANA_PASSWORD":
            world.person.environment.pop("KIBANA_API_KEY", None)
        if "\x00" not in value:  # no environment can hold that
            world.person.environment[name] = value
        for words in (("doctor",), ("connect", "--webhook-url", "{url}", "--token-in-clear")):
            assert "canary" not in (world.run(*words).err + world.seen[-1]).replace(TOKEN, "")


def test_a_mistake_of_ours_in_the_middle_shows_no_secret(world, monkeypatch):
    """Whatever the exception holds."""

    def breaks(*arguments, **options):
        raise RuntimeError(TOKEN, PASSWORD, world.kibana.api_key)

    monkeypatch.setattr("requests.Session.request", breaks)
    for call in CALLS:
        world.run(*call)
    world.assert_clean()
    assert 70 in world.codes


def test_no_secret_is_in_the_arguments_or_the_environment_that_others_see(world):
    """Nothing is put into the environment of the process, nor into sys.argv."""
    before = dict(os.environ), list(sys.argv)
    world.run("connect", "--webhook-url", "{url}", "--token-in-clear")
    assert (dict(os.environ), list(sys.argv)) == before
