"""What the code writes into its log, read from its source: each event and the fields of each call. Must not run any of it.

Where a call's fields cannot be read from the source it is an error: then nobody could say which fields a search may use.
"""

from __future__ import annotations

import ast
from typing import Iterator, NamedTuple

from tests.core.make import PACKAGE

# What `Log.event` takes for itself.
_OWN = {"tell"}


class Call(NamedTuple):
    """One call of `event`: where it stands, the events it can write, and its fields."""

    place: str
    events: frozenset[str]
    fields: frozenset[str]


def modules():
    """The package's modules as {name: text}."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.glob("*.py"))}


def calls(texts):
    """Every call of `event` in modules given as {name: text}."""
    return [call for name, text in texts.items() for call in _Module(name, ast.parse(text)).calls()]


class _Module:
    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name, self._tree = name, tree

    def calls(self) -> Iterator[Call]:
        """The calls inside functions; each function once, a function in a function with the one around it."""
        for scope in self._functions(self._tree):
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event":
                    place = f"{self._name}.py:{node.lineno}"
                    yield Call(place, frozenset(_literals(node.args[0])), frozenset(self._keywords(node, scope)))

    def _functions(self, node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield child
            elif isinstance(child, ast.ClassDef):
                yield from self._functions(child)

    def _keywords(self, call: ast.Call, scope: ast.AST) -> set[str]:
        found: set[str] = set()
        for keyword in call.keywords:
            found |= {keyword.arg} - _OWN if keyword.arg else self._keys(keyword.value, scope)
        return found

    def _keys(self, node: ast.AST, scope: ast.AST) -> set[str]:
        """The keys of a dictionary: a literal, a variable that holds one, or what a function of this module returns."""
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values)
            return set().union(*({ast.literal_eval(key)} if key else self._keys(value, scope) for key, value in pairs))
        if isinstance(node, ast.Name):
            given = [self._keys(value, scope) for value in _assigned(node.id, scope)]
            assert given, f"{self._name}.py:{node.lineno}: nobody can say what {node.id} holds"
            return set().union(*given) - _popped(node.id, scope)
        assert isinstance(node, ast.Call), f"{self._name}.py:{node.lineno}: nobody can say which fields these are"
        function = self._function(node)
        returned = [part.value for part in ast.walk(function) if isinstance(part, ast.Return)]
        return set().union(*(self._keys(value, function) for value in returned))

    def _function(self, call: ast.Call) -> ast.AST:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
        (found,) = [node for node in ast.walk(self._tree) if isinstance(node, ast.FunctionDef) and node.name == name]
        return found


def _literals(node: ast.AST) -> set[str]:
    """The strings that an expression can be; AssertionError where it can be anything else."""
    if isinstance(node, ast.IfExp):
        return _literals(node.body) | _literals(node.orelse)
    value = ast.literal_eval(node)
    assert isinstance(value, str)
    return {value}


def _assigned(name: str, scope: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(scope):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(getattr(to, "id", "") == name for to in targets):
            yield node.value


def _popped(name: str, scope: ast.AST) -> set[str]:
    return {
        ast.literal_eval(node.args[0])
        for node in ast.walk(scope)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "pop"
        and getattr(node.func.value, "id", "") == name
    }
