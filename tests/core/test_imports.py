"""The architecture as a table, and the proof that the code keeps it. This must not import the package itself, but in a process of its own.

An arrow points from who imports to what is imported. Imports for types only are arrows too: a core module that names an edge's type knows it.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys

import pytest

from tests.core.make import PACKAGE

# What each module is. Whoever adds one decides where it belongs.
LAYERS = {
    # Pure: values in, values out. No clock, chance, file, socket, environment.
    "core": "alert backlog backoff digest entry errors events matters message modaction notable rows secret settings severity utc verdict version",
    # One outside thing each. The outbox is one thing in five modules, a POST in four.
    "outbox": "disk holder lock memory outbox",
    "webhook": "connections deadline unguessed webhook",
    "splunkd": "splunkd",
    "log": "log",
    "places": "places",
    "clock": "clock",
    # What the product does; edges come in as arguments.
    "use case": "bulletin chores configuration connection_test custody deliver enrich listing report source worker",
    # Where edges are made and handed to the use cases. `crew` is here for one of them: it makes a new client when the settings change.
    "wiring": "capture commands crew direct forward guide handler service",
    # What an entry script calls.
    "frame": "app modular_input search_command",
}
EDGES = {"outbox", "webhook", "splunkd", "log", "places", "clock"}
# Who may import whom. Edges do not know each other; nobody points outwards.
ARROWS = {
    "core": {"core"},
    "outbox": {"core", "outbox"},
    "webhook": {"core", "webhook"},
    "splunkd": {"core"},
    "log": {"core"},
    "places": {"outbox"},  # only to ask who owns a folder
    "clock": set(),
    "use case": {"core", "use case"},
    "wiring": {"core", "use case", "wiring"} | EDGES,
    "frame": {"core", "frame", "wiring", "log", "places"},
}
# A use case names edges in annotations, and imports none.
TYPES_ONLY = {"use case": EDGES | {"wiring"}}

# The standard library of the core: nothing of it can reach outside, or knows the time.
CORE_MAY = {
    "__future__",
    "_sha2",
    "_sha256",
    "collections",
    "csv",
    "datetime",
    "email.utils",
    "enum",
    "gzip",
    "hashlib",
    "heapq",
    "io",
    "ipaddress",
    "json",
    "re",
    "types",
    "typing",
    "urllib.parse",
    "zlib",
}
# Who alone may import an outside thing.
ONLY = {
    "requests": {"unguessed", "webhook"},
    "urllib3": {"connections", "webhook"},
    "splunklib": {"splunkd", "modular_input", "search_command"},
    "fcntl": {"lock"},
    "msvcrt": {"lock"},
    "socket": {"webhook", "deadline", "splunkd"},
    "ssl": {"webhook"},
    "http": {"connections", "webhook", "splunkd"},
    "random": {"clock"},
    "shutil": {"disk"},
    "signal": {"search_command", "service"},
    "subprocess": set(),
    "logging": set(),
    "tempfile": set(),
    "pathlib": set(),
    "pickle": set(),
}
# What makes, moves, lists or removes files: the outbox's and the log's alone.
FILE_CALLS = {
    "link",
    "listdir",
    "makedirs",
    "mkdir",
    "open",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "scandir",
    "unlink",
    "write",
}
WRITERS = {"disk", "holder", "lock", "log", "memory", "outbox"}
# Every alert pays for these, so they import little.
HOT = [
    "alert",
    "capture",
    "digest",
    "disk",
    "entry",
    "errors",
    "events",
    "lock",
    "log",
    "modaction",
    "outbox",
    "places",
    "secret",
    "severity",
]
SLOW = {"csv", "dataclasses", "datetime", "gzip", "logging", "pathlib", "requests", "shutil", "splunklib", "typing"}

FILES = {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"}
LAYER = {module: layer for layer, modules in LAYERS.items() for module in modules.split()}
SCRIPTS = sorted(PACKAGE.parent.glob("*.py"))


@functools.lru_cache(maxsize=None)
def tree(path):
    """A file's syntax, which nobody changes."""
    return ast.parse(path.read_text(encoding="utf-8"))


def is_for_types(node):
    """Whether this is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(path):
    """What a file imports as [(name, of ours, for types only)]; ours without `parapet.`, others as they are written."""
    found = []

    def visit(node, types):
        if isinstance(node, ast.Import):
            found.extend((alias.name, False, types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.extend((node.module or alias.name, True, types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module, False, types))
        for child in ast.iter_child_nodes(node):
            visit(child, types or is_for_types(node))

    visit(tree(path), types=False)
    return found


def ours(module):
    """The arrows of one module to others of ours, as {(name, for types only)}."""
    return {(name, types) for name, own, types in imports(FILES[module]) if own}


def outside(module):
    """What of others a module imports when it runs."""
    return {name for name, own, types in imports(FILES[module]) if not own and not types}


def test_every_module_has_its_place():
    """In one layer, and none is in the table that is not there."""
    assert sorted(" ".join(LAYERS.values()).split()) == sorted(FILES)
    assert set(ARROWS) == set(LAYERS)


@pytest.mark.parametrize("module", FILES)
def test_arrows_point_inwards(module):
    """As the table has it."""
    layer = LAYER[module]
    bad = {
        name
        for name, types in ours(module)
        if LAYER[name] not in ARROWS[layer] and not (types and LAYER[name] in TYPES_ONLY.get(layer, ()))
    }
    assert not bad, f"{module} ({layer}) must not import {sorted(bad)}"


def test_no_two_modules_import_each_other():
    """Not around corners either, when they run."""
    arrows = {module: {name for name, types in ours(module) if not types} for module in FILES}
    while arrows:
        free = {module for module, to in arrows.items() if not to & set(arrows)}
        assert free, f"a ring among {sorted(arrows)}"
        arrows = {module: to for module, to in arrows.items() if module not in free}


@pytest.mark.parametrize("module", LAYERS["core"].split())
def test_the_core_is_pure(module):
    """Only what can reach nothing outside."""
    assert outside(module) <= CORE_MAY


@pytest.mark.parametrize("thing", sorted(ONLY))
def test_an_outside_thing_has_one_importer(thing):
    """Whoever reviews how it is used has one place to look."""
    importers = {
        module for module in FILES for name, own, _ in imports(FILES[module]) if not own and name.split(".")[0] == thing
    }
    assert importers <= ONLY[thing]


@pytest.mark.parametrize("module", sorted(set(FILES) - WRITERS))
def test_files_are_the_outboxs_and_the_logs(module):
    """Nobody else makes, lists or removes one; settings and payload are read where they come in."""
    bad = [
        f"os.{node.func.attr}, line {node.lineno}"
        for node in ast.walk(tree(FILES[module]))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "os"
        and node.func.attr in FILE_CALLS
    ]
    assert not bad


def test_the_only_file_that_is_opened_elsewhere_is_the_guides_settings_file():
    """By the calling form that needs no Splunk."""
    openers = {
        module
        for module in set(FILES) - WRITERS
        for node in ast.walk(tree(FILES[module]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    }
    assert openers == {"guide"}


def late(path):
    """The imports that happen inside of functions: they are not paid for at the start."""
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    return {
        alias.name
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import)
        for alias in node.names
    }


@pytest.mark.parametrize("module", HOT)
def test_the_hot_path_names_nothing_slow(module):
    """Not even for a moment: every alert of every search pays for it."""
    assert not (outside(module) - late(FILES[module])) & SLOW


def test_the_action_loads_nothing_slow():
    """In a process of its own, as Splunk starts it: not by way of others either."""
    code = "import sys; before = set(sys.modules); from parapet import app, capture; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=60,
    )
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded} & (SLOW | {"socket", "ssl", "email", "http", "urllib3"}) == set()
    assert {name.partition(".")[2] for name in loaded if name.startswith("parapet.")} <= set(HOT) | {"app"}


@pytest.mark.parametrize("module", FILES)
def test_a_module_says_what_it_is_and_must_not_do(module):
    """At its top; and it stays below three hundred lines."""
    assert "ust not " in " ".join(ast.get_docstring(tree(FILES[module])).split("\n\n")[:2])
    lines = FILES[module].read_text(encoding="utf-8").count("\n")
    assert lines <= 300


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_entry_script_only_hands_over(script):
    """In 25 lines at most, to the package and nothing else of ours."""
    lines = script.read_text(encoding="utf-8").count("\n")
    assert lines <= 25
    named = {name for name, _, _ in imports(script)} - {"json", "os", "sys"}
    assert all(name.split(".")[0] in ("parapet", "splunk") for name in named)


def test_everything_is_caught_where_nothing_else_can_catch_it():
    """`app.run`, which says so and ends with 70; a thread that only asks; and splunklib, which lets through what it meets."""
    caught = []
    for module, path in FILES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                names = [getattr(item, "id", "") for item in ast.walk(node.type)] if node.type else ["nothing named"]
                caught += [(module, name) for name in names if name in ("Exception", "BaseException", "nothing named")]
    assert sorted(caught) == [("app", "Exception"), ("enrich", "Exception"), ("splunkd", "Exception")]


@pytest.mark.parametrize("path", [*FILES.values(), *SCRIPTS], ids=lambda path: path.stem)
def test_nothing_is_asserted_or_printed_by_the_product(path):
    """An assert vanishes under -O, and stdout is nobody's."""
    nodes = list(ast.walk(tree(path)))
    assert not [node.lineno for node in nodes if isinstance(node, ast.Assert)]
    assert not [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id in ("print", "eval", "exec")]
