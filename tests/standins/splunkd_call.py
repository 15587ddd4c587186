"""One request to splunkd's REST interface, taken apart.

Must not answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from tests.standins.splunkd_answers import Refused, feed

if TYPE_CHECKING:
    from tests.standins.splunkd_access import Session
    from tests.standins.splunkd_answers import Answer, Entry

# Splunk's own default for `count`: a list without it ends after thirty entries.
_PAGE = 30
# Arguments that steer the answer and never become settings.
_CONTROL = ("output_mode",)


class Call(NamedTuple):
    """A request whose session is known. `owner` and `app` are None where the path names no namespace."""

    method: str
    resource: tuple[str, ...]
    owner: Optional[str]
    app: Optional[str]
    query: list[tuple[str, str]]
    body: str
    session: Session
    key: str

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body's arguments."""
        return parse_qsl(self.body, keep_blank_values=True)

    @property
    def args(self) -> dict[str, str]:
        """Query and form arguments, without those that only steer the answer."""
        return {k: v for k, v in self.query + self.form if k not in _CONTROL}

    @property
    def as_json(self) -> bool:
        """Whether the caller asked for JSON; splunkd answers Atom otherwise."""
        return dict(self.query + self.form).get("output_mode") == "json"

    @property
    def namespace(self) -> tuple[str, str]:
        """Owner and app; without a namespace in the path a call lands in `search` (contract section 2.1)."""
        return self.owner or "nobody", self.app or "search"

    def accept(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, str]:
        """The arguments, when they are the ones that the handler knows.

        Raises:
            Refused: 400 for a missing or an unknown one.
        """
        missing = [name for name in required if not self.args.get(name)]
        if missing:
            raise Refused(400, "The following required arguments are missing: {}.".format(", ".join(missing)))
        for name in self.args:
            if name not in required and name not in optional:
                raise Refused(400, f'Argument "{name}" is not supported by this handler.')
        return self.args

    def page(self, entries: Sequence[Entry]) -> Answer:
        """A list's answer, cut as `count` (0 and -1 are all) and `offset` say."""
        offset = int(self.args.get("offset", 0))
        count = int(self.args.get("count", _PAGE))
        end = offset + count if count > 0 else None
        return feed(entries[offset:end], self.as_json, total=len(entries), offset=offset)


def take_apart(target: str) -> tuple[tuple[str, ...], Optional[str], Optional[str], list[tuple[str, str]]]:
    """Resource, owner, app and query of a request target.

    Raises:
        Refused: 404 for a path outside `/services` and `/servicesNS`.
    """
    url = urlsplit(target)
    segments = [unquote_plus(segment) for segment in url.path.split("/") if segment]
    query = parse_qsl(url.query, keep_blank_values=True)
    if segments[:1] == ["services"]:
        return tuple(segments[1:]), None, None, query
    if segments[:1] == ["servicesNS"] and len(segments) > 3:
        return tuple(segments[3:]), segments[1], segments[2], query
    raise Refused(404, "Not Found")


def dispatch(call: Call, handlers: Mapping[tuple[str, int], Callable[[Call], Answer]]) -> Answer:
    """Answer with the handler of this method and depth of the path. Raises Refused: 405 where there is none."""
    handler = handlers.get((call.method, len(call.resource)))
    if handler is None:
        raise not_allowed()
    return handler(call)


def not_allowed() -> Refused:
    """The answer to a method that an endpoint does not have."""
    return Refused(405, "Method Not Allowed")


def not_found(name: str) -> Refused:
    """The answer to an entity that is not there."""
    return Refused(404, f"Could not find object id={name}")
