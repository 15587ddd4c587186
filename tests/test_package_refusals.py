"""What may not get into the package, of the app's own files and of the vendored ones.

It must not need a network, and must not change the project that it runs in.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import zipfile

import pytest

from build_tools import package, vendored
from build_tools.project import APP, BuildError

APP_CONF = """\
[package]
id = parapet_security
check_for_updates = false
[launcher]
version = 1.2.3
[id]
name = parapet_security
version = 1.2.3
"""
MANIFEST = {"info": {"id": {"name": "parapet_security", "version": "1.2.3"}}}


@pytest.fixture
def stub(tmp_path):
    """A project with the least that can be packaged."""
    default = tmp_path / "project" / APP / "default"
    default.mkdir(parents=True)
    (default / "app.conf").write_text(APP_CONF, encoding="utf-8")
    (default.parent / "app.manifest").write_text(json.dumps(MANIFEST), encoding="utf-8")
    (tmp_path / "project" / "LICENSE").write_text("licence", encoding="utf-8")
    return tmp_path / "project"


def wheel(**files):
    """A wheel with these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return stream.getvalue()


def pin(content, licence="MIT"):
    """The pin of these bytes."""
    return vendored.Pin("thing", "1.0", hashlib.sha256(content).hexdigest(), licence)


def test_strays_of_a_tree_that_was_run_do_not_ship(stub):
    """Without git to ask, the names alone decide."""
    clean = package.app_files(root=stub)
    for stray in (
        "bin/__pycache__/a.pyc",
        "bin/b.pyc",
        "local/app.conf",
        "metadata/local.meta",
        ".DS_Store",
        "lib/x.py",
    ):
        (stub / APP / stray).parent.mkdir(parents=True, exist_ok=True)
        (stub / APP / stray).write_text("stray", encoding="utf-8")
    assert package.app_files(root=stub) == clean


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_in_a_checkout_what_git_ignores_does_not_ship(stub):
    """A new file ships before it is added, an ignored one and one that was deleted do not."""
    subprocess.run(["git", "init", "--quiet", str(stub)], check=True, stdout=subprocess.DEVNULL)
    (stub / ".gitignore").write_text("*.orig\n", encoding="utf-8")
    subprocess.run(["git", "-C", str(stub), "add", "."], check=True)
    for name in ("new.conf", "app.conf.orig"):
        (stub / APP / "default" / name).write_text("", encoding="utf-8")
    (stub / APP / "app.manifest").unlink()
    own = {path for path in package.app_files(root=stub) if not path.startswith(("lib/", "LICENSE"))}
    assert own == {"default/app.conf", "default/new.conf"}


def test_the_splunkbase_package_differs_in_its_name_and_one_setting(stub, tmp_path):
    """Only that one looks for updates."""
    usual, other = package.app_files(root=stub), package.app_files(root=stub, splunkbase=True)
    assert [path for path in usual if usual[path] != other[path]] == ["default/app.conf"]
    assert other["default/app.conf"] == usual["default/app.conf"].replace(b"updates = false", b"updates = true")
    assert package.build(tmp_path, root=stub, splunkbase=True).name == "parapet_security-1.2.3-splunkbase.spl"


def test_a_splunkbase_package_that_would_not_look_for_updates_is_refused(stub):
    """A renamed or missing setting is an error, not a package without it."""
    (stub / APP / "default" / "app.conf").write_text(APP_CONF.replace("check_for_updates = false\n", ""), "utf-8")
    with pytest.raises(BuildError, match="check_for_updates"):
        package.app_files(root=stub, splunkbase=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[launcher]\nversion = 1.2.3", "[launcher]\nversion = 1.2.4"),
        ("name = parapet_security\nversion = 1.2.3", "name = parapet_security\nversion = 2.0.0"),
        ("[launcher]\nversion = 1.2.3", "[launcher]"),
        ("id = parapet_security\n", "id = other\n"),
        ("name = parapet_security", "name = other"),
    ],
)
def test_versions_or_names_that_differ_are_refused_with_each_place_named(stub, tmp_path, old, new):
    """Splunk shows one of them, AppInspect compares two, the file name is made from a third."""
    (stub / APP / "default" / "app.conf").write_text(APP_CONF.replace(old, new), encoding="utf-8")
    with pytest.raises(BuildError, match=r"these must be equal: .*app\.conf.*app\.manifest"):
        package.build(tmp_path, root=stub)


@pytest.mark.parametrize("broken", ["", "{}", '{"info": 1}', "[", '{"info": {"id": {}}}'])
def test_a_broken_manifest_is_refused_with_a_sentence(stub, tmp_path, broken):
    """Not with a traceback."""
    (stub / APP / "app.manifest").write_text(broken, encoding="utf-8")
    with pytest.raises(BuildError, match=r"app\.manifest"):
        package.build(tmp_path, root=stub)


def test_a_build_that_fails_leaves_no_file(stub, tmp_path):
    """Neither a half package nor its draft."""
    (stub / APP / "app.manifest").write_text("{}", encoding="utf-8")
    with pytest.raises(BuildError):
        package.build(tmp_path / "dist", root=stub)
    assert not (tmp_path / "dist").exists()


def test_a_vendored_file_with_another_digest_is_refused(tmp_path, monkeypatch):
    """Whether it lies in the cache or comes from the index."""
    monkeypatch.setattr(vendored, "CACHE", tmp_path)
    monkeypatch.setattr(vendored, "_download", lambda folder: (folder / "b.whl").write_bytes(b"also forged"))
    (tmp_path / "a.whl").write_bytes(b"forged")
    with pytest.raises(BuildError, match=r"certifi .*: no file with the SHA-256 pinned"):
        vendored.files()


def test_a_vendored_package_loses_its_metadata_and_tests_and_keeps_its_licence():
    """What ships is its modules, and the licence beside them."""
    content = wheel(
        **{
            "thing/__init__.py": "a = 1",
            "thing/py.typed": "",
            "thing/tests/test_a.py": "",
            "thing-1.0.dist-info/METADATA": "",
            "thing-1.0.dist-info/licenses/LICENSE.txt": "do as you like",
        }
    )
    assert vendored._members(pin(content), content) == {
        "lib/thing/__init__.py": b"a = 1",
        "LICENSES/thing.txt": b"do as you like",
    }


def test_a_vendored_package_with_a_compiled_module_or_without_a_licence_is_refused():
    """Splunk runs on several architectures, and licences ask to be passed on."""
    compiled = wheel(**{"thing/fast.so": "", "LICENSE": "x"})
    with pytest.raises(BuildError, match=r"thing 1\.0 holds thing/fast\.so"):
        vendored._members(pin(compiled), compiled)
    bare = wheel(**{"thing/__init__.py": ""})
    with pytest.raises(BuildError, match=r"without the text of its licence \(MIT\)"):
        vendored._members(pin(bare), bare)


def test_a_line_of_the_pins_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    """A pin without a digest or a licence is none."""
    monkeypatch.setattr(vendored, "PINS", tmp_path / "vendored.txt")
    vendored.PINS.write_text("# a comment\n\nrequests==2.31.0\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"expected 'name==version .*requests==2\.31\.0"):
        vendored.pins()


def test_without_a_network_the_error_is_what_pip_said_and_no_traceback(tmp_path, monkeypatch):
    """The person at the keyboard sees pip's last lines."""
    monkeypatch.setattr(vendored, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(
        BuildError, match=r"(?s)fetching the packages for the app's lib/ failed.*No matching distribution"
    ):
        vendored.files()
