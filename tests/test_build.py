"""The command line of build.py, the Pythons and environments behind it, and the sum of the tests' outcomes.

It must not install anything.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from build_tools import browser, cli, environment, suite
from build_tools.project import ROOT, BuildError, child_environment


def build_py(*arguments, **extra):
    """Runs build.py as a user does."""
    return subprocess.run(
        [sys.executable, "build.py", *arguments],
        cwd=str(ROOT),
        env=child_environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_wrong_usage_and_expected_failures_are_one_line_without_a_traceback():
    """Exit code 2 for the one, 1 for the other."""
    usage, failure = build_py("dance"), build_py(SOURCE_DATE_EPOCH="never")
    assert (usage.returncode, failure.returncode) == (2, 1)
    assert "invalid choice: 'dance'" in usage.stderr
    assert failure.stderr == "build.py: SOURCE_DATE_EPOCH must be a whole number of seconds (got 'never')\n"


def test_what_build_py_does_not_know_goes_to_pytest_in_its_order(monkeypatch):
    """Selecting tests is pytest's language, not ours; its long options stand after --."""
    asked = []
    monkeypatch.setattr(suite, "run", lambda versions, arguments: asked.append((versions, arguments)))
    monkeypatch.setattr(environment, "interpreter", Path)
    cli.main(["test", "tests/conf.py::a", "-k", "a or b", "--python", "3.9", "-x", "-n", "0", "--", "--lf"])
    cli.main(["test", "--python", "3.7", "--", "tests/core", "-x"])
    assert asked == [
        (["3.9"], ["tests/conf.py::a", "-k", "a or b", "-x", "-n", "0", "--lf"]),
        (["3.7"], ["tests/core", "-x"]),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test", "--foo"], "unknown argument: --foo; pytest's own go after --, as in: test -- --foo"),
        (["test", "--pyton=3.9", "tests/core"], "unknown argument: --pyton=3.9; pytest's own"),
        (["demo", "--kep"], "unknown argument: --kep\n"),
        (["demo", "--", "--keep"], "unknown argument: --\n"),
        (["check", "tests"], "unknown argument: tests\n"),
        (["test", "tests/core", "no/such/file"], "no such file or folder: no/such/file\n"),
        (["test", "-k", "outbox", "tests/nope.py::test_x"], "no such file or folder: tests/nope.py::test_x\n"),
        (["test", "--python", "3.8"], "one of 3.7, 3.9, 3.13 is wanted, not '3.8'\n"),
        (["test", "--python", "3.7"], "Python 3.7 was not found (looked for: python3.7 on the PATH"),
        (["bench", "--python", "3.7"], "one of 3.9, 3.13 is wanted, not '3.7'\n"),
        (["bench", "--python", "3.13"], "Python 3.13 was not found (looked for: python3.13 on the PATH"),
        (["bench", "--json", "no/such/x.json"], "a file in a folder that is there is wanted, not 'no/such/x.json'\n"),
        (["bench", "--json", "."], "a file in a folder that is there is wanted, not '.'\n"),
        (["fuzz", "--target", "nonsense"], "invalid choice: 'nonsense' (choose from "),
        (["mutate", "verdict", "webhook"], "no tests are known for 'webhook'; there are verdict, severity, "),
    ],
)
def test_a_slip_is_refused_before_anything_is_made(monkeypatch, capsys, arguments, words):
    """Nobody waits for an environment to learn of it; the usage is that of the command."""
    monkeypatch.setattr(cli, "_run", lambda options, rest: pytest.fail("it began"))
    monkeypatch.setattr(environment, "interpreter", lambda version: Path("python") if version == "3.9" else None)
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert errors.startswith(f"usage: build.py {arguments[0]} ")
    assert errors.splitlines()[-1].startswith(f"build.py {arguments[0]}: error: ")


def test_the_help_of_a_command_is_there_without_an_environment():
    """What it does, examples, and how to do without the browser."""
    text = build_py("test", "--help").stdout
    assert "python3 build.py test -- --lf" in text
    assert "--python 3.9 --python 3.13    these Pythons, and no browser" in text
    assert "--keep" in build_py("demo", "--help").stdout
    assert "AppInspect" in build_py("check", "--help").stdout
    assert "It needs Linux and Python\n3.13." in build_py("fuzz", "--help").stdout


PARENT = """
import sys
from build_tools.project import run_openly
try:
    print("ended", run_openly([sys.executable, "-c", sys.argv[1]]))
except KeyboardInterrupt:
    print("interrupted")
"""
CHILD = """
import signal, sys, threading
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    print("ready", flush=True)
    threading.Event().wait(30)
except KeyboardInterrupt:
    print("cleaned up", flush=True)
    sys.exit({code})
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
@pytest.mark.parametrize("ignored", [False, True], ids=["", "ignored"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("code", "said"), [(130, "interrupted"), (0, "ended 0")])
def test_whoever_ends_build_py_ends_what_it_runs(name, code, said, ignored):
    """By its process id alone, also where a script has started it in the background; the other cleans up first."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD.format(code=code)],
        cwd=str(ROOT),
        env=child_environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: _heed_signals(but_sigint=ignored),  # noqa: PLW1509
    )
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(getattr(signal, name))
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (output.splitlines(), errors) == (["cleaned up", said], "")


def _heed_signals(*, but_sigint):
    """Whatever started these tests (nohup, a background job) may ignore some, and a process inherits that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if but_sigint:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_an_interrupted_command_says_so_and_ends_with_130(monkeypatch, capsys):
    """The other Pythons are not started after it."""

    def interrupted(options, rest):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main(["test"]) == 130
    assert capsys.readouterr().err == "build.py: interrupted\n"


def test_a_python_that_is_not_there_is_named():
    """Asking for a Python does not silently run another."""
    done = build_py("test", "--python", "3.1")
    assert done.returncode == 2
    assert "argument --python: one of 3.7, 3.9, 3.13 is wanted, not '3.1'" in done.stderr


def test_the_help_names_every_command():
    """Who types --help learns what there is."""
    text = build_py("--help").stdout
    assert all(f"\n  {command} " in text for command in ("demo", "test", "check"))
    assert "--splunkbase" in text


def test_a_program_that_only_looks_like_the_interpreter_is_passed_over(tmp_path, monkeypatch):
    """Pyenv puts a shim on the PATH for every version it has, also for those that are switched off."""
    shim = tmp_path / "python3.8"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert environment.interpreter("3.8") is None
    kept = tmp_path / "versions" / "3.8.18" / "bin" / "python"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\necho Python 3.8.18\n", encoding="utf-8")
    kept.chmod(0o755)
    assert environment.interpreter("3.8") == kept


def test_an_environment_is_made_once_and_again_when_its_pins_change(tmp_path, monkeypatch):
    """A new pin reaches the tools without anybody removing .venv; an unfinished environment is not taken for one."""
    made = []
    pins = tmp_path / "pins.txt"
    pins.write_text("a==1", encoding="utf-8")
    monkeypatch.setattr(environment, "VENV", tmp_path)

    def make(folder, base):
        made.append(base)
        python = folder / environment._BIN / Path("python.exe" if os.name == "nt" else "python")
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    def fail(command, what):
        raise BuildError(what)

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "run_quietly", fail)
    with pytest.raises(BuildError, match=r"installing requirements/pins\.txt"):
        environment._environment("one", Path(sys.executable), pins)
    monkeypatch.setattr(environment, "run_quietly", lambda command, what: "")
    for text, times in (("a==1", 2), ("a==1", 2), ("a==2", 3)):
        pins.write_text(text, encoding="utf-8")
        environment._environment("one", Path(sys.executable), pins)
        assert len(made) == times


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ('tests="10" failures="0" errors="0" skipped="0"', 0, "10 passed, 0 failed"),
        ('tests="10" failures="2" errors="1" skipped="3"', 1, "4 passed, 3 failed, 3 skipped"),
        ('tests="0" failures="0" errors="0" skipped="0"', 5, "0 passed, 1 failed"),
        (None, 4, "0 passed, 1 failed"),
    ],
)
def test_the_sum_counts_a_run_that_ended_badly_as_a_failure(tmp_path, report, code, words):
    """No interpreter can fail and leave "0 failed" in the last line."""
    path = tmp_path / "report.xml"
    if report:
        path.write_text(f"<testsuites><testsuite {report}/></testsuites>", encoding="utf-8")
    assert str(suite.read(path, code)) == words


EVERYTHING_ELSE = "--ignore=tests/browser"
NOT_AGAIN = [f"--ignore={place}" for place in suite.ONCE]


@pytest.mark.parametrize(
    ("arguments", "outside", "inside"),
    [
        ([], [EVERYTHING_ELSE], ["tests/browser"]),
        (["-x", "-k", "tests"], ["-x", "-k", "tests", EVERYTHING_ELSE], ["tests/browser", "-x", "-k", "tests"]),
        (["tests/core", "-x"], ["tests/core", "-x", EVERYTHING_ELSE], None),
        (["tests/browser", "-x"], None, ["tests/browser", "-x"]),
        (["tests/browser/conftest.py::a"], None, ["tests/browser/conftest.py::a"]),
        (["tests", "-x"], ["tests", "-x", EVERYTHING_ELSE], ["tests/browser", "-x"]),
        (["tests/core", "tests/browser"], ["tests/core", EVERYTHING_ELSE], ["tests/browser"]),
    ],
)
def test_files_and_folders_decide_what_runs_at_all(arguments, outside, inside):
    """Who names a folder does not wait for the browser, and who names the browser's does not wait for three Pythons."""
    assert suite.divide(arguments, browser_too=True) == (outside, inside)


def test_asking_for_a_python_is_not_asking_for_the_browser():
    """Unless its tests are named."""
    assert suite.divide(["-x"], browser_too=False) == (["-x", EVERYTHING_ELSE], None)
    assert suite.divide(["tests"], browser_too=False) == (["tests", EVERYTHING_ELSE], None)
    assert suite.divide(["tests/browser"], browser_too=False) == (None, ["tests/browser"])


def test_a_selection_that_names_tests_of_one_side_only_is_no_failure_of_the_other():
    """But one that names no test at all is, and so is every other bad end."""
    some, nothing = suite.Outcome(0, 7, 0, 0), suite.Outcome(5, 0, 1, 0)
    forgiven = suite.forgive_empty({"Python 3.9": some, "Browser": nothing})
    assert [outcome.code for outcome in forgiven.values()] == [0, 0]
    assert str(forgiven["Browser"]) == "0 passed, 0 failed"
    assert suite.forgive_empty({"Python 3.9": nothing, "Browser": nothing})["Browser"] is nothing
    broken = suite.Outcome(4, 0, 1, 0)
    assert suite.forgive_empty({"Python 3.9": some, "Browser": broken})["Browser"] is broken


def test_the_browser_has_a_line_of_its_own_and_counts_in_the_sum(monkeypatch, capsys):
    """Three reports and one sum, and the exit code of the worst."""
    monkeypatch.setattr(suite.browser, "need", lambda: Path("chromium"))
    monkeypatch.setattr(suite.browser, "version", lambda path: "Chromium 1")
    monkeypatch.setattr(suite.environment, "for_browser", lambda: ("3.11", Path("python")))
    monkeypatch.setattr(suite.environment, "for_tests", Path)
    monkeypatch.setattr(suite.environment, "interpreter", lambda version: Path(version) if version != "3.7" else None)
    monkeypatch.setattr(suite.package, "build", lambda folder: Path("app.spl"))
    ran = []

    def pytest_run(each, spl, report):
        ran.append((each.python, each.arguments))
        return suite.Outcome(1, 2, 1, 0) if each.name.startswith("Browser") else suite.Outcome(0, 10, 0, 0)

    monkeypatch.setattr(suite, "_pytest", pytest_run)
    assert suite.run([], []) == 1
    assert ran == [
        (Path("3.9"), [EVERYTHING_ELSE, *NOT_AGAIN]),
        (Path("3.13"), [EVERYTHING_ELSE]),
        (Path("python"), ["tests/browser"]),
    ]
    assert capsys.readouterr().out.splitlines()[-6:] == [
        "Python 3.9: 10 passed, 0 failed",
        "Python 3.13: 10 passed, 0 failed",
        "Browser (Python 3.11, Chromium 1): 2 passed, 1 failed (pytest ended with code 1)",
        "Python 3.7: not found on this machine, so not run",
        "What looks at files only and not at the code as it runs was in Python 3.13 alone.",
        "22 passed, 1 failed",
    ]


def test_without_a_browser_the_pythons_run_and_the_sum_says_what_did_not(monkeypatch, capsys):
    """One line with what to install, and a failure: what was asked for has not been tested."""

    def missing():
        raise BuildError("install the package chromium\n    more")

    monkeypatch.setattr(suite.browser, "need", missing)
    monkeypatch.setattr(suite.environment, "for_tests", Path)
    monkeypatch.setattr(suite.environment, "interpreter", lambda version: Path(version) if version == "3.9" else None)
    monkeypatch.setattr(suite.package, "build", lambda folder: Path("app.spl"))
    monkeypatch.setattr(suite, "_pytest", lambda each, spl, report: suite.Outcome(0, 10, 0, 0))
    line = "Browser: not run, which counts as a failure: install the package chromium"
    assert suite.run([], []) == 1
    out, err = capsys.readouterr()
    assert err.startswith("build.py: no tests in a browser: install the package chromium\n")
    assert out.splitlines()[-5:] == [
        "Python 3.9: 10 passed, 0 failed",
        line,
        "Python 3.7: not found on this machine, so not run",
        "Python 3.13: not found on this machine, so not run",
        "10 passed, 1 failed",
    ]
    assert suite.run([], ["tests/browser"]) == 1
    assert line in capsys.readouterr().out.splitlines()
    assert suite.run(["3.9"], []) == 0


@pytest.mark.parametrize(
    ("versions", "arguments", "without"),
    [
        (["3.7", "3.13", "3.9"], ["-x"], ["3.7", "3.9"]),
        (["3.9"], [], []),
        (["3.7", "3.9"], ["tests"], []),
        (["3.7", "3.9"], ["tests/spl"], []),
    ],
)
def test_what_no_python_can_change_runs_in_the_newest_unless_it_is_named(monkeypatch, versions, arguments, without):
    """Of those that run; who names files or folders gets them in each Python."""
    monkeypatch.setattr(suite.environment, "for_tests", str)
    monkeypatch.setattr(suite.package, "build", lambda folder: Path("app.spl"))
    ran = {}

    def pytest_run(each, spl, report):
        ran[each.python] = [text for text in each.arguments if text in NOT_AGAIN]
        return suite.Outcome(0, 10, 0, 0)

    monkeypatch.setattr(suite, "_pytest", pytest_run)
    suite.run(versions, arguments)
    assert ran == {version: NOT_AGAIN if version in without else [] for version in versions}


def test_what_runs_in_one_python_is_there_and_runs_no_product_code():
    """A file of these that imported the app, or started it, would leave it untested in the other Pythons."""
    for place in suite.ONCE:
        path = ROOT / place
        for file in sorted(path.rglob("test_*.py")) if path.is_dir() else [path]:
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"^\s*(from|import) parapet\b", text, re.MULTILINE), file
            assert not re.search(r"\bscene\.fire\b|\bstart_forwarder\b|\brun_action\b", text), file


def test_how_many_processes_run_is_the_arguments_word_where_they_have_one(tmp_path, monkeypatch):
    """`-n 0` is for a debugger, which cannot follow tests into processes."""
    commands = []
    monkeypatch.setattr(suite, "run_openly", lambda command, **environment: commands.append(command) or 0)
    for arguments in ([], ["-n", "0", "--pdb"], ["-n2"]):
        suite._pytest(suite._Run("Python 3.9", Path("python"), arguments), Path("app.spl"), tmp_path / "report.xml")
    assert [command[3:-1] for command in commands] == [suite._SPREAD, ["-n", "0", "--pdb"], ["-n2"]]


@pytest.fixture
def chromium(tmp_path, monkeypatch):
    """A PATH with one folder; returns a function that puts a program there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, text="exit 0"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + text + "\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return put


def test_chromium_is_found_under_any_of_its_names(chromium):
    """Debian's, Ubuntu's and Google's, in this order; the version is what the report shows."""
    assert browser.find() is None
    chrome = chromium("google-chrome", "echo Google Chrome 156.0.8078.79")
    assert (browser.find(), browser.version(chrome)) == (chrome, "Chromium 156")
    mine = chromium("chromium", "echo '[: odd' >&2; echo Chromium 157.0.1.2 built on Debian")
    assert (browser.need(), browser.version(mine)) == (mine, "Chromium 157")


def test_a_missing_chromium_is_installed_only_by_root_with_apt(chromium, monkeypatch, capsys, tmp_path):
    """Everybody else gets one line with the package's name; who gets it installed is told before."""
    monkeypatch.setattr(browser, "_is_root", lambda: True)
    with pytest.raises(BuildError, match="install the package chromium") as caught:
        browser.need()
    assert "\n" not in str(caught.value)
    chromium("apt-get")
    monkeypatch.setattr(browser, "_is_root", lambda: False)
    with pytest.raises(BuildError, match="install the package chromium"):
        browser.need()
    monkeypatch.setattr(browser, "_is_root", lambda: True)
    said = []

    def install(command, what):
        said.append((capsys.readouterr().out, command[-1]))
        if command[-1] == "chromium":
            chromium("chromium")
        return ""

    monkeypatch.setattr(browser, "run_quietly", install)
    assert browser.need() == tmp_path / "chromium"
    assert said == [
        ("build.py: no Chromium found: installing the system package chromium with apt-get\n", "-qq"),
        ("", "chromium"),
    ]
