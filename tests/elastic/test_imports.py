"""The shape of parapet_elastic: what is pure stays pure, each thing outside has one module, and no module grows too long."""

from __future__ import annotations

import ast
from importlib.util import find_spec

import pytest
from build_tools.project import ROOT

PACKAGE = ROOT / "elastic/parapet_elastic"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__main__.py"
}
# Neither clock, files, sockets nor environment: what they give depends on what they are given.
PURE = {
    "__init__",
    "access",
    "addresses",
    "answers",
    "backfilling.kql",
    "connector",
    "editing.rule_actions",
    "errors",
    "secret",
    "shapes",
    "times",
    *(name for name in MODULES if name.startswith("rendering.") and name != "rendering.templates"),
}
OUTSIDE = {"io", "logging", "os", "pathlib", "random", "shutil", "socket", "subprocess", "sys", "tempfile", "time"}
# The one module that may import what is not ours, or not on every system.
ALONE = {
    "requests": "wire",
    "urllib3": "wire",
    "tqdm": "screen",
    "getpass": "screen",
    "hjson": "rendering.lambdas",
    "fcntl": "state",
    "msvcrt": "state",
}
COMMANDS = {"connect", "doctor", "preview", "status", "tryout", "uninstall"}
# What commands and folders share.
SHARED = {name for name in MODULES if "." not in name and not name.startswith("cli")} - COMMANDS
# What a folder may import of ours, beside itself.
MAY = {
    "rendering": {"errors", "files", "times"},
    "editing": SHARED,
    "backfilling": {*SHARED, "editing", "rendering"},
}
LONGEST = 300


def imports(module):
    """The full names of the modules that this one imports."""
    found = set()
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    # What only a type checker reads is not imported.
    for_types = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    unread = {id(inner) for node in for_types for inner in ast.walk(node)}
    for node in (node for node in ast.walk(tree) if id(node) not in unread):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(module):
    """Those of them that are ours, without the package's own name."""
    names = {name.partition(".")[2] for name in imports(module) if name.startswith("parapet_elastic.")}
    return {name for name in names if name in MODULES} | ({"__init__"} if "__version__" in names else set())


def foreign(module):
    """The first part of the names of those that are not."""
    return {name.partition(".")[0] for name in imports(module)} - {"parapet_elastic", "__future__"}


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_core_touches_nothing_outside(module):
    """It imports only what is pure itself."""
    assert not foreign(module) & (OUTSIDE | {"requests", "tqdm"})
    assert ours(module) <= PURE


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_thing_outside_has_one_module(module):
    """Whoever replaces requests has one file to read."""
    for name in foreign(module) & set(ALONE):
        assert ALONE[name] == module, name
    assert {name for name in foreign(module) - set(ALONE) if "site-packages" in str(find_spec(name).origin)} == set()


@pytest.mark.parametrize("module", sorted(name for name in MODULES if "." in name))
def test_a_folder_imports_only_what_it_may(module):
    """Arrows point one way: commands, then editing and backfilling, then rendering."""
    folder = module.partition(".")[0]
    assert {name.partition(".")[0] for name in ours(module)} <= MAY[folder] | {folder}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nobody_imports_the_command_line(module):
    """Arrows point inwards."""
    assert module.startswith("cli") or not any(name.startswith("cli") for name in ours(module))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_is_read_in_one_sitting(module):
    """And says in its first line what it is, and that there is something which it must not do."""
    text = MODULES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert "must not" in ast.get_docstring(ast.parse(text)).lower()
