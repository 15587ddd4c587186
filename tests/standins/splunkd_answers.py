"""What splunkd's REST interface answers with: entries as Atom or JSON, and messages.

Must not decide anything: it renders what it is given.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Sequence
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

_FEED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"'
    ' xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">\n'
)
_ENTRY = '<entry xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest">'
_UPDATED = "2026-01-01T00:00:00+00:00"


class Refused(Exception):
    """An answer that is an error: status, splunkd's words, and its message type."""

    def __init__(self, status: int, text: str, kind: str = "ERROR") -> None:
        """Say what splunkd says; `kind` is the message's type."""
        super().__init__(f"{status} {text}")
        self.status, self.text, self.kind = status, text, kind


class Entry(NamedTuple):
    """One entity. `resource` is its collection's path, without namespace and leading slash.

    `can_write` and `removable` are about the session that asks, `read` and `write` about everybody.
    """

    resource: str
    name: str
    content: dict[str, Any]
    app: str = "system"
    owner: str = "nobody"
    sharing: str = "app"
    read: Sequence[str] = ("*",)
    write: Sequence[str] = ("admin",)
    can_write: bool = True
    removable: bool = True

    @property
    def link(self) -> str:
        """The entity's path, its name percent-encoded as splunkd does."""
        return "/servicesNS/{}/{}/{}/{}".format(self.owner, self.app, self.resource, quote(self.name, safe=""))

    def acl(self) -> dict[str, Any]:
        """The access list as it stands in an answer."""
        return {
            "app": self.app,
            "can_list": True,
            "can_write": self.can_write,
            "modifiable": self.can_write,
            "owner": self.owner,
            "perms": {"read": list(self.read), "write": list(self.write)},
            "removable": self.can_write and self.removable,
            "sharing": self.sharing,
        }


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str


def json_answer(document: Any, status: int = 200) -> Answer:
    """Any document as JSON."""
    return Answer(status, json.dumps(document).encode("utf-8"), "application/json; charset=UTF-8")


def xml_answer(text: str, status: int = 200) -> Answer:
    """Any text as XML."""
    return Answer(status, text.encode("utf-8"), "text/xml; charset=UTF-8")


def message(refused: Refused, as_json: bool) -> Answer:
    """An error as `messages`."""
    if as_json:
        return json_answer({"messages": [{"type": refused.kind, "text": refused.text}]}, refused.status)
    line = f'<msg type="{refused.kind}">{escape(refused.text)}</msg>'
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<response>\n  <messages>\n    {}\n  </messages>\n</response>\n'
    return xml_answer(text.format(line), refused.status)


def feed(entries: Sequence[Entry], as_json: bool, *, status: int = 200, total: int = -1, offset: int = 0) -> Answer:
    """Entries in a feed. `total` is how many there are in all, where `entries` is one page of them."""
    total = len(entries) if total < 0 else total
    if as_json:
        document = {
            "links": {},
            "origin": entries[0].resource if entries else "",
            "updated": _UPDATED,
            "generator": {"build": "0", "version": "0"},
            "entry": [_json_entry(entry) for entry in entries],
            "paging": {"total": total, "perPage": 30, "offset": offset},
            "messages": [],
        }
        return json_answer(document, status)
    parts = [_FEED, "<title>feed</title>"]
    for name, value in (("totalResults", total), ("itemsPerPage", 30), ("startIndex", offset)):
        parts.append(f"<opensearch:{name}>{value}</opensearch:{name}>")
    parts.append("<s:messages/>")
    parts.extend(f"<entry>{_atom_inner(entry)}</entry>" for entry in entries)
    parts.append("</feed>")
    return xml_answer("\n".join(parts), status)


def lone(entry: Entry, as_json: bool) -> Answer:
    """A search job: in Atom the entry itself is the root, not a feed."""
    if as_json:
        return feed([entry], True)
    return xml_answer(f'<?xml version="1.0" encoding="UTF-8"?>\n{_ENTRY}{_atom_inner(entry)}</entry>')


def _json_entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "id": "https://127.0.0.1:8089" + entry.link,
        "updated": _UPDATED,
        "links": {"alternate": entry.link, "list": entry.link, "edit": entry.link, "remove": entry.link},
        "author": entry.owner,
        "acl": entry.acl(),
        "content": {**entry.content, "eai:acl": None},
    }


def _atom_inner(entry: Entry) -> str:
    parts = [f"<title>{escape(entry.name)}</title>", f"<id>https://127.0.0.1:8089{escape(entry.link)}</id>"]
    parts.append(f"<updated>{_UPDATED}</updated>")
    links = ("alternate", "list", "edit", "remove")
    parts.extend(f'<link href={quoteattr(entry.link)} rel="{rel}"/>' for rel in links)
    parts.append(f"<author><name>{escape(entry.owner)}</name></author>")
    content = {"eai:acl": entry.acl(), **entry.content}
    parts.append(f'<content type="text/xml">{_atom_value(content)}</content>')
    return "".join(parts)


def _atom_value(value: Any) -> str:
    if isinstance(value, dict):
        keys = (f"<s:key name={quoteattr(k)}>{_atom_value(v)}</s:key>" for k, v in value.items())
        return "<s:dict>{}</s:dict>".format("".join(keys))
    if isinstance(value, (list, tuple)):
        items: list[str] = [f"<s:item>{_atom_value(item)}</s:item>" for item in value]
        return "<s:list>{}</s:list>".format("".join(items))
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else escape(str(value))
