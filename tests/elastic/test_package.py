"""parapet-elastic as a package: what `pip install ./elastic` installs is whole, and works by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from build_tools.project import ROOT, child_environment
from hatchling.builders.wheel import WheelBuilder
from parapet_elastic import __version__

TEMPLATES = ("basic", "bulk", "custom_fields")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT / "elastic")).build(directory=str(folder), versions=["standard"])
    return path


def test_the_wheel_holds_the_templates_and_nothing_of_the_checkout(wheel):
    """No tests, no examples; the version is the package's own."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"parapet_elastic/templates/{name}.mustache" for name in TEMPLATES} <= names
    assert {name.partition("/")[0] for name in names} == {
        "parapet_elastic",
        f"parapet_elastic-{__version__}.dist-info",
    }


def test_the_installed_program_finds_its_templates(wheel, tmp_path):
    """From another folder, without the checkout; the same bytes as from the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    for name in TEMPLATES:
        installed, checkout = (_preview(name, path, tmp_path) for path in (tmp_path / "site", ROOT / "elastic"))
        assert installed == checkout
        assert b'"source": "elastic"' in installed


def test_the_command_is_what_the_documentation_calls_it():
    """`parapet-elastic` runs `cli.main`."""
    text = (ROOT / "elastic/pyproject.toml").read_text(encoding="utf-8")
    assert 'parapet-elastic = "parapet_elastic.cli:main"' in text


def test_build_py_hands_its_arguments_and_exit_code_on(tmp_path):
    """`build.py elastic` is the program: same folder, same standard input, same exit code."""
    (tmp_path / "mine.mustache").write_text("{", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "build.py"), "elastic", "lint", "mine.mustache"],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "mine.mustache" in done.stdout


def _preview(name, path, folder):
    done = subprocess.run(
        [sys.executable, "-m", "parapet_elastic", "preview", "--template", name],
        cwd=folder,
        env={**child_environment(), "PYTHONPATH": os.fspath(path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
