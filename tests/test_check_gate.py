"""The gate on AppInspect's report: nothing but four known warnings may pass, and nothing may go unchecked.

It must not start AppInspect, which `build.py check` does.
"""

from __future__ import annotations

import pytest

from build_tools import appinspect
from build_tools.project import BuildError


def report(*checks, **summary):
    """A report in AppInspect's form."""
    return {"reports": [{"groups": [{"checks": list(checks)}]}], "summary": summary}


def check(result, name="check_a", *, tags=("cloud",), messages=("a\n  message",)):
    """One check in AppInspect's form."""
    return {"name": name, "result": result, "tags": list(tags), "messages": [{"message": one} for one in messages]}


@pytest.mark.parametrize("result", ["success", "not_applicable"])
def test_a_check_that_is_content_passes(result):
    """Most of them are."""
    assert appinspect.judge(report(check(result)), {"cloud": 1}) == []


@pytest.mark.parametrize(
    "result", ["failure", "future_failure", "error", "warning", "skipped", "manual_check", "new_kind"]
)
def test_any_other_result_is_a_problem_with_its_name_and_message(result):
    """A kind that is not known, and a check that was skipped, are no success."""
    assert appinspect.judge(report(check(result)), {"cloud": 1}) == [f"{result}: check_a: a message"]


def test_only_the_four_known_warnings_pass_and_only_as_warnings():
    """They state a fact; a fifth asks for something."""
    assert len(appinspect.ALLOWED_WARNINGS) == 4
    for name in appinspect.ALLOWED_WARNINGS:
        assert appinspect.judge(report(check("warning", name)), {"cloud": 1}) == []
        assert appinspect.judge(report(check("failure", name, messages=())), {"cloud": 1}) == [
            f"failure: {name}: (no message)"
        ]


def test_a_tag_of_which_a_check_did_not_run_is_a_problem():
    """An unknown tag silently runs next to nothing, and exits with 0."""
    found = appinspect.judge(report(check("success", tags=("cloud", "ast"))), {"cloud": 2, "ast": 1})
    assert found == ["tag cloud: 1 of its 2 checks ran"]


def test_a_summary_that_counts_what_no_check_reported_is_a_problem():
    """The two halves of the report must not contradict each other."""
    assert appinspect.judge(report(check("success"), failure=0, warning=3), {"cloud": 1}) == []
    assert appinspect.judge(report(check("success"), failure=1), {"cloud": 1}) == [
        "the summary counts what no check reported: {'failure': 1}"
    ]


@pytest.mark.parametrize(("apt", "user"), [(None, 0), ("/usr/bin/apt-get", 1000)])
def test_without_libmagic_and_the_means_to_install_it_the_error_says_what_to_do(monkeypatch, apt, user):
    """Only root on Debian or Ubuntu gets it installed."""
    monkeypatch.setattr(appinspect.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(appinspect.shutil, "which", lambda name: apt)
    monkeypatch.setattr(appinspect.os, "geteuid", lambda: user)
    with pytest.raises(BuildError, match="sudo apt-get install libmagic1"):
        appinspect._need_libmagic()


def test_root_on_debian_gets_libmagic_installed_and_is_told_so_first(monkeypatch, capsys):
    """A system package is never installed in silence."""
    commands = []
    monkeypatch.setattr(appinspect.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(appinspect.shutil, "which", lambda name: "/usr/bin/apt-get")
    monkeypatch.setattr(appinspect.os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        appinspect, "run_quietly", lambda command, what: commands.append((command, capsys.readouterr().out))
    )
    appinspect._need_libmagic()
    assert [command[1] for command, _ in commands] == ["update", "install"]
    assert "libmagic1 with apt-get" in commands[0][1]
