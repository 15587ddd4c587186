"""Has Splunk's AppInspect judge the package under every tag that it knows, and judges its report.

It must not trust AppInspect's exit code (0 with failures, 103 for warnings that cannot be avoided) nor its silence: an
unknown tag is not refused but runs next to nothing, so the checks that ran are counted.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from build_tools.project import BuildError, run_quietly

TAGS = frozenset(
    {
        "aarch64_compatibility",
        "ast",
        "cloud",
        "future",
        "migration_victoria",
        "packaging_standards",
        "private_app",
        "private_classic",
        "private_victoria",
        "splunk_appinspect",
    }
)

ALLOWED_WARNINGS = frozenset(
    {
        "check_for_python_script_existence",  # any .py file
        "check_python_sdk_version",  # any splunk-sdk; 3.x needs Python 3.13
        "check_for_modular_inputs",  # any modular input
        "check_for_indexer_synced_configs",  # any modular input
    }
)
"""Warnings that state a fact and ask for nothing."""

_HARMLESS = {"success", "not_applicable"}


def problems(python: Path, package: Path) -> list[str]:
    """Returns what is wrong with the package: a line for each check that fails, or did not run.

    Args:
        python: the Python of the environment that has AppInspect.
        package: the .spl file.

    Raises:
        BuildError: AppInspect could not be run.
    """
    _need_libmagic()
    program = str(python.with_name("splunk-appinspect"))
    listed = run_quietly([program, "list", "tags"], what="asking AppInspect for its tags")
    expected = {tag: int(count) for tag, count in re.findall(r"^(\w+)\s+(\d+)$", listed, re.MULTILINE)}
    if set(expected) != TAGS:
        return [f"the tags are not those expected: {', '.join(sorted(TAGS.symmetric_difference(expected)))}"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [program, "inspect", str(package), "--mode", "precert", "--skip-trusted-libraries-update"]
        command += ["--max-messages", "all", "--data-format", "json", "--output-file", str(report)]
        for tag in sorted(expected):
            command += ["--included-tags", tag]
        run_quietly(command, what="running AppInspect")
        return judge(json.loads(report.read_text(encoding="utf-8")), expected)


def judge(report: dict[str, Any], expected: dict[str, int]) -> list[str]:
    """Returns what is wrong in a report.

    Args:
        report: AppInspect's JSON report of one package.
        expected: how many checks each tag has.
    """
    checks = [check for group in report["reports"][0]["groups"] for check in group["checks"]]
    found = [line for check in checks for line in _lines(check)]
    ran = Counter(tag for check in checks for tag in check["tags"])
    found += [
        f"tag {tag}: {ran[tag]} of its {count} checks ran"
        for tag, count in sorted(expected.items())
        if ran[tag] < count
    ]
    summary = {
        kind: count for kind, count in report["summary"].items() if kind in {"error", "failure", "future_failure"}
    }
    if any(summary.values()) and not found:
        found.append(f"the summary counts what no check reported: {summary}")
    return found


def _lines(check: dict[str, Any]) -> list[str]:
    result = check["result"]
    if result in _HARMLESS or (result == "warning" and check["name"] in ALLOWED_WARNINGS):
        return []
    messages = [message["message"] for message in check["messages"]] or ["(no message)"]
    return [f"{result}: {check['name']}: {' '.join(message.split())}" for message in messages]


def _need_libmagic() -> None:
    """Installs the C library that AppInspect loads, where it is missing and this is Debian or Ubuntu as root.

    Raises:
        BuildError: it is missing and cannot be installed from here.
    """
    if os.name == "nt" or ctypes.util.find_library("magic"):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise BuildError("AppInspect needs the library libmagic; on Debian and Ubuntu: sudo apt-get install libmagic1")
    print("build.py: AppInspect needs libmagic: installing the system package libmagic1 with apt-get", flush=True)
    run_quietly(["apt-get", "update"], what="apt-get update")
    run_quietly(["apt-get", "install", "--yes", "--no-install-recommends", "libmagic1"], what="installing libmagic1")
