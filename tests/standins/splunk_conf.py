"""Splunk's .conf files and metadata, read, layered and written as Splunk does it.

Must not know HTTP, sessions or processes.
"""

from __future__ import annotations

import functools
import os
import re
import tempfile
import threading
from pathlib import Path
from typing import Dict, Iterator, NamedTuple, Optional
from urllib.parse import quote

Settings = Dict[str, str]

_STANZA = re.compile(r"\[(.*)\]$")
_ACCESS = re.compile(r"\b(read|write)\s*:\s*\[([^\]]*)\]")


class ConfError(ValueError):
    """A line that is neither stanza, comment, empty nor `key = value` (`btool check` would name it)."""


class Stanza(NamedTuple):
    """One stanza as seen from an app: who owns it, and its settings with `[default]` filled in."""

    app: str
    settings: Settings


class Acl(NamedTuple):
    """Who may read and write an object, and whether other apps see it."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    exported: bool


def read_conf(path: Path) -> dict[str, Settings]:
    """Read one file; no file is no stanza.

    A trailing backslash continues the value on the next line, the newline stays in it.
    Settings above the first stanza belong to `[default]`.

    Raises:
        ConfError: a line is none of the things a .conf file may hold.
    """
    if not path.is_file():
        return {}
    parsed = _parsed(path.read_text(encoding="utf-8"), path.name)
    return {name: dict(settings) for name, settings in parsed.items()}


@functools.lru_cache(maxsize=256)
def _parsed(text: str, name: str) -> dict[str, Settings]:
    """What a text says. Splunk keeps a conf in memory; here the file is read each time, and the same text is taken apart once."""
    stanzas: dict[str, Settings] = {}
    current = "default"
    for number, line in _logical_lines(text):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        header = _STANZA.match(line.strip())
        if header:
            current = header.group(1)
            stanzas.setdefault(current, {})
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise ConfError(f"{name}:{number}: neither stanza, setting nor comment")
        stanzas.setdefault(current, {})[key.strip()] = value.strip()
    return stanzas


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    held: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        comment = not held and line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            held.append(line[:-1])
            continue
        yield number, "\n".join([*held, line])
        held = []
    if held:
        yield number, "\n".join(held)


def write_conf(path: Path, stanzas: dict[str, Settings]) -> None:
    """Replace one file in a single step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, settings in stanzas.items():
        lines.append(f"[{name}]")
        lines.extend("{} = {}".format(k, v.replace("\n", "\\\n")) for k, v in settings.items())
        lines.append("")
    handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix="." + path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines))
    Path(temporary).replace(path)


def is_true(text: str) -> bool:
    """Whether Splunk takes a setting for true."""
    return text.strip().lower() in ("1", "true", "t", "yes", "y")


class ConfTree:
    """All configuration below `$SPLUNK_HOME/etc`, read anew at each call."""

    def __init__(self, etc: Path) -> None:
        """Look at the folder `etc`; nothing is read yet."""
        self._etc = etc
        self._lock = threading.RLock()

    def has_app(self, app: str) -> bool:
        """Whether an app of this name is installed (`system` counts as one)."""
        return app == "system" or self._folder(app).is_dir()

    def apps(self) -> list[str]:
        """The installed apps, in the order in which a later one wins over an earlier one."""
        return sorted(folder.name for folder in (self._etc / "apps").iterdir() if folder.is_dir())

    def stanzas(self, conf: str, app: str, owner: str = "nobody") -> dict[str, Stanza]:
        """What `app` and `owner` see of a conf: system, other apps' exports, the app, the user; last wins."""
        merged: dict[str, Stanza] = {}
        with self._lock:
            for source, file in self._layers(conf, app, owner):
                for name, settings in read_conf(file).items():
                    if source not in (app, "system") and not self.acl(source, conf, name).exported:
                        continue
                    below = merged[name].settings if name in merged else {}
                    merged[name] = Stanza(source, {**below, **settings})
        default = merged["default"].settings if "default" in merged else {}
        return {name: Stanza(s.app, {**default, **s.settings}) for name, s in merged.items()}

    def own(self, conf: str, app: str) -> dict[str, Settings]:
        """What an app itself says in a conf, its local file over its default one; for files that do not merge."""
        merged: dict[str, Settings] = {}
        with self._lock:
            for layer in ("default", "local"):
                for name, settings in read_conf(self._folder(app) / layer / (conf + ".conf")).items():
                    merged[name] = {**merged.get(name, {}), **settings}
        return merged

    def update(self, conf: str, app: str, stanza: str, settings: Settings, owner: str = "nobody") -> None:
        """Write settings into the stanza of the app's (or the user's) local file."""
        path = self.local(conf, app, owner)
        with self._lock:
            stanzas = read_conf(path)
            stanzas.setdefault(stanza, {}).update(settings)
            write_conf(path, stanzas)

    def remove(self, conf: str, app: str, stanza: str, owner: str = "nobody") -> bool:
        """Remove a stanza from the local file; False where it is not in it (shipped ones stay)."""
        path = self.local(conf, app, owner)
        with self._lock:
            stanzas = read_conf(path)
            if stanzas.pop(stanza, None) is None:
                return False
            write_conf(path, stanzas)
            return True

    def removable(self, conf: str, app: str, stanza: str, owner: str = "nobody") -> bool:
        """Whether `remove` would make the stanza go away: it is the administrator's own, not shipped."""
        shipped = read_conf(self._folder(app) / "default" / (conf + ".conf"))
        return stanza in read_conf(self.local(conf, app, owner)) and (owner != "nobody" or stanza not in shipped)

    def local(self, conf: str, app: str, owner: str = "nobody") -> Path:
        """The file that a write under this owner and app goes to."""
        folder = self._folder(app) if owner == "nobody" else self._etc / "users" / owner / app
        return folder / "local" / (conf + ".conf")

    def acl(self, app: str, conf: str, stanza: str = "") -> Acl:
        """Who may do what, from `metadata/local.meta` over `default.meta`, the most specific section first."""
        wanted = ["{}/{}".format(conf, quote(stanza, safe="")), conf, ""]
        found: dict[str, str] = {}
        default, local = (read_conf(self._folder(app) / "metadata" / name) for name in ("default.meta", "local.meta"))
        for section in wanted:
            settings = {**default.get(section, {}), **local.get(section, {})}
            for verb, roles in _ACCESS.findall(settings.get("access", "")):
                found.setdefault(verb, roles)
            if "export" in settings:
                found.setdefault("export", settings["export"])
        return Acl(
            _roles(found.get("read"), "*"),
            _roles(found.get("write"), "admin"),
            app == "system" or found.get("export") == "system",
        )

    def _folder(self, app: str) -> Path:
        return self._etc / "system" if app == "system" else self._etc / "apps" / app

    def _layers(self, conf: str, app: str, owner: str) -> Iterator[tuple[str, Path]]:
        others = [other for other in self.apps() if other != app]
        for source in ["system"] + others + ([] if app == "system" else [app]):
            for layer in ("default", "local"):
                yield source, self._folder(source) / layer / (conf + ".conf")
        if owner not in ("nobody", "-"):
            yield app, self.local(conf, app, owner)


def _roles(text: Optional[str], otherwise: str) -> tuple[str, ...]:
    if text is None:
        return (otherwise,)
    return tuple(role.strip() for role in text.split(",") if role.strip())
