"""The Splunk stand-in runs a modular input as splunkd does, and refuses what splunkd refuses.

Must not need splunkd: what is started here asks nobody.
"""

from __future__ import annotations

import pytest

from tests.standins.fake_app import write_app
from tests.standins.splunk import ModularInput, SplunkHome
from tests.standins.splunk_input_conf import InputRefused

KEY = "session-key-canary"


@pytest.fixture(name="home")
def _home(tmp_path):
    home = SplunkHome(tmp_path / "splunk")
    home.install(write_app(tmp_path / "source"))
    return home


@pytest.fixture(name="forwarder")
def _forwarder(home):
    with ModularInput(home, server_uri="https://127.0.0.1:8089", session_key=KEY) as forwarder:
        yield forwarder


def local(home, conf, text):
    """Write a file of the app's local folder."""
    (home.app / "local").mkdir(exist_ok=True)
    (home.app / "local" / (conf + ".conf")).write_text(text)


def test_the_inputs_scheme_is_read(forwarder):
    """--scheme is run and parsed."""
    scheme = forwarder.scheme()
    assert scheme.elements == {"title": "T", "use_single_instance": "false"}
    assert scheme.arguments == ["log_level"]


def test_the_inputs_validation_is_asked(forwarder):
    """An empty text accepts, anything else is the message."""
    assert forwarder.validate({"log_level": "INFO"}) == ""
    assert forwarder.validate({"log_level": "LOUD"}) == "too loud"


def test_the_input_gets_its_configuration_on_stdin_and_ends_on_sigterm(forwarder, home):
    """The document of contract section 8, then end of file."""
    forwarder.start()
    forwarder.wait_for_stderr("</input>")
    assert forwarder.process.poll() is None
    assert forwarder.stop() == (-15, False)
    text = forwarder.stderr()
    assert f"<session_key>{KEY}</session_key>" in text
    assert '<stanza name="parapet_forwarder://default" app="parapet_security">' in text
    assert '<param name="interval">5</param>' in text
    assert str(home.path / "var/lib/splunk/modinputs/parapet_forwarder") in text
    assert forwarder.stdout() == ""


def test_an_input_that_ignores_sigterm_is_killed(forwarder, home):
    """SIGKILL follows, and the test is told."""
    local(home, "inputs", "[parapet_forwarder://default]\nlog_level = STUBBORN\n")
    forwarder.start()
    forwarder.wait_for_stderr("STUBBORN")
    assert forwarder.stop(grace=0.1) == (-9, True)


def test_an_input_that_ends_at_once_is_told(forwarder, home):
    """A start that fails is not mistaken for one that runs."""
    local(home, "inputs", "[parapet_forwarder://default]\nlog_level = HASTY\n")
    with pytest.raises(InputRefused, match="ended at once with 3"):
        forwarder.start(settle=10)


def test_a_supervised_input_starts_again_with_a_new_session_until_it_is_stopped(home):
    """Splunkd restarts what ends, however it ended."""
    keys = iter(["one", "two", "three"])
    with ModularInput(home, server_uri="https://x.invalid", session_key=lambda: next(keys)) as forwarder:
        forwarder.supervise(interval=0)
        first = forwarder.process
        first.kill()
        forwarder.wait_for_start(2)
        assert forwarder.process.pid != first.pid
        forwarder.kill()
        with pytest.raises(TimeoutError):
            forwarder.wait_for_start(3, timeout=0.05)
        assert forwarder.process.poll() == -9


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("default/inputs.conf", "[parapet_forwarder]\n", "no stanza"),
        ("default/inputs.conf", "[parapet_forwarder://default]\ninterval = 5\n", "no python.version"),
        ("local/inputs.conf", "[parapet_forwarder://default]\ndisabled = 1\n", "disabled"),
        ("README/inputs.conf.spec", "[parapet_forwarder://<name>]\n", "spec"),
    ],
)
def test_splunkd_refuses_an_input_that_it_could_not_run(forwarder, home, file, text, why):
    """Each with its reason."""
    (home.app / "local").mkdir()
    (home.app / file).write_text(text)
    with pytest.raises(InputRefused, match=why):
        forwarder.start()


def test_an_input_without_its_script_is_refused(forwarder, home):
    """There is nothing to start."""
    (home.app / "bin/parapet_forwarder.py").unlink()
    with pytest.raises(InputRefused, match=r"no bin/parapet_forwarder\.py"):
        forwarder.scheme()
