"""The shape of parapet_elastic: what is pure stays pure, each thing outside has one module, and no module grows too long."""

from __future__ import annotations

import ast
from importlib.util import find_spec

import pytest
from build_tools.project import ROOT

PACKAGE = ROOT / "elastic/parapet_elastic"
MODULES = {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if not path.stem.startswith("__")}
# Neither clock, files, sockets nor environment: what they give depends on what they are given.
PURE = {
    "connector",
    "errors",
    "javascript",
    "lambdas",
    "lint",
    "lint_names",
    "lint_tags",
    "moment",
    "mustache",
    "mustache_parser",
    "renderer",
    "rule_actions",
    "samples",
    "secret",
    "variables",
}
OUTSIDE = {"io", "logging", "os", "pathlib", "random", "shutil", "socket", "subprocess", "sys", "tempfile", "time"}
# The one module that may import what is not ours.
ALONE = {"requests": "kibana", "urllib3": "kibana", "tqdm": "screen", "getpass": "screen", "hjson": "lambdas"}
LONGEST = 300


def imports(module):
    """The names of the modules that this one imports, ours as "parapet_elastic.x"."""
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
            ours = node.module == "parapet_elastic"
            found |= {f"parapet_elastic.{alias.name}" for alias in node.names} if ours else {node.module}
    return found


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_core_touches_nothing_outside(module):
    """It imports only what is pure itself."""
    for name in imports(module):
        top, _, rest = name.partition(".")
        assert top not in OUTSIDE | {"requests", "tqdm"}, name
        assert top != "parapet_elastic" or rest in PURE | {"__version__"}, name


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_thing_outside_has_one_module(module):
    """Whoever replaces requests has one file to read."""
    foreign = {name.partition(".")[0] for name in imports(module)} - {"parapet_elastic", "__future__"}
    for name in foreign & set(ALONE):
        assert ALONE[name] == module, name
    assert {name for name in foreign - set(ALONE) if "site-packages" in str(find_spec(name).origin)} == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nobody_imports_the_command_line(module):
    """Arrows point inwards."""
    assert module.startswith("cli") or not any(name.startswith("parapet_elastic.cli") for name in imports(module))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_is_read_in_one_sitting(module):
    """And says in its first line what it is, and that there is something which it must not do."""
    text = MODULES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert "must not" in ast.get_docstring(ast.parse(text)).lower()
