"""The package as a test subject: what is in it, and that it is the same everywhere.

It must not need a network: build.py has fetched the vendored packages before the tests start.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from build_tools import archive, package, vendored
from build_tools.project import APP, ROOT, BuildError


@pytest.fixture(scope="module")
def spl(tmp_path_factory):
    """The package that build.py made before it started the tests, in its own Python; without build.py, one made now."""
    given = os.environ.get("PARAPET_SPL")
    return Path(given) if given else package.build(tmp_path_factory.mktemp("spl"))


@pytest.fixture(scope="module")
def members(spl):
    """The members of that package in their order, each with its content (None for a folder)."""
    with tarfile.open(str(spl)) as opened:
        return [(info, opened.extractfile(info).read() if info.isfile() else None) for info in opened]


def test_two_builds_are_byte_identical_and_so_are_those_of_two_pythons(spl, tmp_path):
    """The package that this Python makes is the one that build.py's Python made."""
    assert package.build(tmp_path / "a").read_bytes() == package.build(tmp_path / "b").read_bytes() == spl.read_bytes()


def test_the_digest_and_the_sbom_beside_the_package_are_the_packages(spl):
    """Who checks the SHA-256 file or reads the SBOM gets this package, with every vendored distribution."""
    digest = hashlib.sha256(spl.read_bytes()).hexdigest()
    document = json.loads(spl.with_name(spl.name + ".cdx.json").read_text(encoding="utf-8"))
    app = document["metadata"]["component"]
    listed = [(part["purl"], part["hashes"], part["licenses"]) for part in document["components"]]
    assert spl.with_name(spl.name + ".sha256").read_text(encoding="utf-8") == f"{digest}  {spl.name}\n"
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert (app["name"], app["hashes"]) == (APP, [{"alg": "SHA-256", "content": digest}])
    assert spl.name == f"{APP}-{app['version']}.spl"
    assert listed == [
        (
            f"pkg:pypi/{one.name}@{one.version}",
            [{"alg": "SHA-256", "content": one.sha256}],
            [{"license": {"id": one.licence}}],
        )
        for one in vendored.pins()
    ]
    refs = {part["bom-ref"] for part in [app, *document["components"]]}
    assert {node["ref"] for node in document["dependencies"]} == refs
    assert {used for node in document["dependencies"] for used in node["dependsOn"]} == refs - {app["bom-ref"]}


def test_no_owner_mode_or_order_of_this_machine_is_in_the_archive(members):
    """Root owns everything, files are 0644, folders 0755, and names are sorted below one folder."""
    names = [info.name for info, _ in members]
    assert names == sorted(names)
    assert {PurePosixPath(name).parts[0] for name in names} == {APP}
    for info, _ in members:
        assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "", "")
        assert info.isfile() or info.isdir()
        assert info.mode == (0o644 if info.isfile() else 0o755)


def test_the_archive_is_ustar_in_stored_blocks_without_a_time():
    """No compressor and no device number can make two machines differ."""
    content = archive.tar_gz({"a/b": b"x" * 100_000})
    assert content[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert struct.unpack("<BHH", content[10:15]) == (0, 65535, 0)
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        assert opened.getnames() == ["a", "a/b"]
        assert opened.extractfile("a/b").read() == b"x" * 100_000
    assert content[15 + 257 : 15 + 263] == b"ustar\0"
    assert content[15 + 329 : 15 + 345] == bytes(16)


def test_a_changed_file_has_another_time_so_python_drops_its_bytecode(monkeypatch):
    """An upgrade that changes a file but not its size must not run the bytecode of the old one."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert archive.mtime(b"a = 1") != archive.mtime(b"a = 2")
    assert archive.mtime(b"a = 1") == archive.mtime(b"a = 1") > archive.BASE_TIME


def test_source_date_epoch_is_honoured_and_nonsense_in_it_refused(monkeypatch):
    """The convention of reproducible builds holds here too."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert archive.mtime(b"anything") == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH must be a whole number of seconds"):
        archive.mtime(b"anything")


def test_the_package_holds_the_apps_files_the_vendored_ones_and_nothing_else(members):
    """Set equality, not "contains": a stray is found as well as a gap."""
    packaged = {info.name[len(APP) + 1 :] for info, _ in members if info.isfile()}
    own = set()
    for folder, _, names in os.walk(str(ROOT / APP)):
        own.update((Path(folder) / name).relative_to(ROOT / APP).as_posix() for name in names)
    own = {path for path in own if "__pycache__" not in path and not path.startswith(("lib/", "local/"))}
    lib = {path for path in packaged if path.startswith("lib/")}
    licences = {f"LICENSES/{one.name}.txt" for one in vendored.pins()}
    assert packaged - lib == own | licences | {"LICENSE"}
    assert {PurePosixPath(path).parts[1] for path in lib} == {
        "certifi",
        "charset_normalizer",
        "idna",
        "requests",
        "splunklib",
        "urllib3",
    }


def test_nothing_ships_that_splunk_or_appinspect_refuses(members):
    """No bytecode, compiled module, stub, test, hidden or local file, and no executable of Windows."""
    for info, _ in members:
        path = PurePosixPath(info.name)
        assert path.suffix not in {".pyc", ".pyo", ".pyi", ".so", ".pyd", ".dll", ".exe", ".bat"}, path
        assert not {"__pycache__", "local", "tests", "test"}.intersection(path.parts), path
        assert not any(part.startswith(".") or part.endswith((".dist-info", ".egg-info")) for part in path.parts), path


def test_the_package_holds_no_token(members):
    """Something of a token's form in the package would be a leak, or teach somebody to put one there."""
    for info, content in members:
        assert not re.search(rb"pst_[A-Za-z0-9]{16}", content or b""), info.name


def test_every_vendored_package_brings_its_licence(members):
    """Each licence text is there and says something."""
    texts = {info.name: content for info, content in members if "/LICENSES/" in info.name and info.isfile()}
    assert sorted(texts) == sorted(f"{APP}/LICENSES/{one.name}.txt" for one in vendored.pins())
    assert all(len(text) > 50 for text in texts.values())


def test_what_the_app_uses_of_its_lib_imports_without_a_warning(tmp_path):
    """On this Python, from the staged app and from nowhere else."""
    lib = package.stage(tmp_path) / "lib"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import requests, splunklib.client, splunklib.modularinput, splunklib.searchcommands\n"
        "for name in ('requests', 'urllib3', 'certifi', 'idna', 'charset_normalizer', 'splunklib'):\n"
        "    print(sys.modules[name].__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", code, str(lib)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.split()) == 6
    assert all(path.startswith(str(lib)) for path in done.stdout.split())


def test_a_staged_app_is_what_the_package_unpacks_to(members, tmp_path):
    """The demo and the tests run what customers install, also where an earlier stage left something."""
    stale = tmp_path / APP / "bin" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("", encoding="utf-8")
    app = package.stage(tmp_path)
    staged = {path.relative_to(tmp_path).as_posix(): path for path in app.rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in staged.items()} == {
        info.name: content for info, content in members if info.isfile()
    }
    assert all(int(staged[info.name].stat().st_mtime) == info.mtime for info, _ in members if info.isfile())


@pytest.mark.parametrize(
    ("path", "width", "height"),
    [
        ("appserver/static/parapet_icon.png", 48, 48),
        ("static/appIcon.png", 36, 36),
        ("static/appIconAlt.png", 36, 36),
        ("static/appIcon_2x.png", 72, 72),
        ("static/appIconAlt_2x.png", 72, 72),
        ("static/appLogo.png", 160, 40),
        ("static/appLogo_2x.png", 320, 80),
    ],
)
def test_icons_have_the_sizes_that_splunk_asks_for(path, width, height):
    """Splunk does not scale them: a wrong size is a blurred icon."""
    content = (ROOT / APP / path).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (width, height)
