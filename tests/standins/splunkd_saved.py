"""splunkd's `saved/searches`: the searches of savedsearches.conf, shared in an app or private to a user.

Must not run or schedule a search, nor write one that an app's validation refuses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, NamedTuple, Optional

from tests.standins.splunk_conf import is_true, read_conf
from tests.standins.splunkd_access import need, need_acl
from tests.standins.splunkd_answers import Entry, Refused, feed
from tests.standins.splunkd_call import dispatch, not_found

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Acl, Settings
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call

Validate = Callable[[Mapping[str, str]], Optional[str]]

_CONF = "savedsearches"
# What the REST interface calls otherwise than the file (savedsearches.conf.spec).
_FILE_NAMES = {
    "alert_comparator": "relation",
    "alert_threshold": "quantity",
    "alert_type": "counttype",
    "is_scheduled": "enableSched",
}
_REST_NAMES = {file: rest for rest, file in _FILE_NAMES.items()}
_NAMES = (
    *("actions", "alert_condition", "allow_skew", "auto_summarize", "cron_schedule", "defer_scheduled_searchable_idxc"),
    *("description", "disabled", "dispatchAs", "displayview", "is_visible", "max_concurrent", "realtime_schedule"),
    *("restart_on_searchpeer_add", "run_n_times", "run_on_startup", "schedule_as", "schedule_priority"),
    *("schedule_window", "search", "vsid", "workload_pool"),
)
_FAMILIES = re.compile(r"(action|alert|args|auto_summarize|dispatch|display|durable|request)\..+")
_BOOLEANS = ("disabled", "is_scheduled", "is_visible")
# savedsearches.conf.spec's defaults of what a page reads first.
_DEFAULTS = {"is_visible": "1", "is_scheduled": "0", "disabled": "0", "alert.severity": "3", "alert_type": "always"}


class _Found(NamedTuple):
    """One saved search: `owner` is nobody where its app shares it; `settings` have their REST names."""

    app: str
    owner: str
    name: str
    settings: Settings


class SavedSearches:
    """The saved searches of one home.

    Args:
        home: whose savedsearches.conf.
        validate: says why settings must not be written, None where they may.

    Attributes:
        saved: (app, name) → content: searches that a test puts there without a file; nobody can change them.
    """

    def __init__(self, home: SplunkHome, validate: Validate) -> None:
        """Serve the searches of this home."""
        self._home, self._conf, self._validate = home, home.conf, validate
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}

    def serve(self, call: Call) -> Answer:
        """`saved/searches[/<name>]`."""
        app = call.namespace[1]
        if app != "-" and not self._conf.has_app(app):
            raise Refused(404, f"Application does not exist: {app}")
        handlers = {
            ("GET", 2): self._list,
            ("POST", 2): self._create,
            ("GET", 3): self._read,
            ("POST", 3): self._update,
            ("DELETE", 3): self._delete,
        }
        if len(call.resource) > 3:
            raise Refused(404, "Not Found")
        return dispatch(call, handlers)

    def _list(self, call: Call) -> Answer:
        found = {(one.app, one.owner, one.name): one for one in self._visible(call)}
        return call.page([*self._put_there(call), *(self._entry(call, one) for one in found.values())])

    def _read(self, call: Call) -> Answer:
        put = [entry for entry in self._put_there(call) if entry.name == call.resource[2]]
        return feed(put or [self._entry(call, self._find(call))], call.as_json)

    def _create(self, call: Call) -> Answer:
        args = call.args
        missing = [name for name in ("name", "search") if not args.get(name)]
        if missing:
            raise Refused(400, "The following required arguments are missing: {}.".format(", ".join(missing)))
        name = args.pop("name")
        owner, app = self._owner(call), call.namespace[1]
        if "-" in (owner, app):
            raise Refused(400, "Cannot write to a wildcarded namespace")
        self._may_write(call, owner, app, name)
        if any((one.owner, one.app, one.name) == (owner, app, name) for one in self._visible(call)):
            text = "Unable to create saved search with name '{}'. A saved search with that name already exists."
            raise Refused(409, "In handler 'savedsearch': " + text.format(name))
        return self._write(call, _Found(app, owner, name, {}), args, 201)

    def _update(self, call: Call) -> Answer:
        found = self._find(call)
        self._may_write(call, found.owner, found.app, found.name)
        return self._write(call, found, call.args, 200)

    def _delete(self, call: Call) -> Answer:
        found = self._find(call)
        self._may_write(call, found.owner, found.app, found.name)
        if not self._removable(found):
            raise Refused(403, f"Object id={found.name} is not removable")
        self._conf.remove(_CONF, found.app, found.name, found.owner)
        return feed([], call.as_json)

    def _write(self, call: Call, found: _Found, args: dict[str, str], status: int) -> Answer:
        for name in args:
            if name not in _NAMES and name not in _FILE_NAMES and not _FAMILIES.fullmatch(name):
                raise Refused(400, f'Argument "{name}" is not supported by this handler.')
        changes = _with_actions(args, found.settings)
        settings = {**found.settings, **changes}
        if is_true(settings.get("is_scheduled", "0")):
            # authorize.conf.spec 9.0.3: it "lets a user schedule saved searches, create and update alerts".
            need(call.session, "schedule_search")
        said = self._validate(settings)
        if said is not None:
            raise Refused(400, said)
        in_file = {_FILE_NAMES.get(key, key): value for key, value in changes.items()}
        self._conf.update(_CONF, found.app, found.name, in_file, found.owner)
        return feed([self._entry(call, found._replace(settings=settings))], call.as_json, status=status)

    def _owner(self, call: Call) -> str:
        """Without a namespace a search is its maker's own."""
        return call.owner or call.session.user

    def _may_write(self, call: Call, owner: str, app: str, name: str) -> None:
        if owner == "nobody":
            need_acl(call.session, "write", self._acl(app, name), f"/nobody/{app}/{_CONF}/{name}")
        elif owner != call.session.user:
            need(call.session, "admin_all_objects")

    def _find(self, call: Call) -> _Found:
        found = [one for one in self._visible(call) if one.name == call.resource[2]]
        if not found:
            raise not_found(call.resource[2])
        # A user's own goes before a shared one of its name.
        return found[-1]

    def _visible(self, call: Call) -> Iterator[_Found]:
        app = call.namespace[1]
        for one in self._conf.apps() if app == "-" else [app]:
            for name, stanza in self._conf.stanzas(_CONF, one).items():
                if name != "default" and call.session.is_in(self._acl(stanza.app, name).read):
                    yield _Found(stanza.app, "nobody", name, _rest(stanza.settings))
            for owner in self._owners(call):
                for name, settings in read_conf(self._conf.local(_CONF, one, owner)).items():
                    yield _Found(one, owner, name, _rest(settings))

    def _owners(self, call: Call) -> list[str]:
        """Whose private searches are in the namespace, as far as the session may see them."""
        owner = self._owner(call)
        folder = self._home.etc / "users"
        users = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        wanted = users if owner == "-" else [owner]
        every = call.session.may("admin_all_objects")
        return [user for user in wanted if user in users and (every or user == call.session.user)]

    def _put_there(self, call: Call) -> list[Entry]:
        app = call.namespace[1]
        return [
            Entry("saved/searches", key[1], {"disabled": False, "is_scheduled": True, **content}, key[0])
            for key, content in self.saved.items()
            if app in ("-", key[0])
        ]

    def _removable(self, found: _Found) -> bool:
        return self._conf.removable(_CONF, found.app, found.name, found.owner)

    def _acl(self, app: str, name: str) -> Acl:
        return self._conf.acl(app, _CONF, name)

    def _entry(self, call: Call, found: _Found) -> Entry:
        acl = self._acl(found.app, found.name)
        content: dict[str, Any] = {**_DEFAULTS, "search": "", "description": "", **found.settings}
        content.update({name: is_true(content[name]) for name in _BOOLEANS})
        content["actions"] = ",".join(_enabled(found.settings))
        if found.owner != "nobody":
            mine = found.owner == call.session.user or call.session.may("admin_all_objects")
            whose = (found.owner,)
            return Entry(
                "saved/searches", found.name, content, found.app, found.owner, "user", whose, whose, can_write=mine
            )
        return Entry(
            "saved/searches",
            found.name,
            content,
            found.app,
            sharing="global" if acl.exported else "app",
            read=acl.read,
            write=acl.write,
            can_write=call.session.is_in(acl.write),
            removable=self._removable(found),
        )


def _rest(settings: Settings) -> Settings:
    return {_REST_NAMES.get(key, key): value for key, value in settings.items()}


def _enabled(settings: Settings) -> list[str]:
    found = (re.fullmatch(r"action\.([^.]+)", key) for key, value in settings.items() if is_true(value))
    return sorted(match.group(1) for match in found if match)


def _with_actions(args: dict[str, str], before: Settings) -> Settings:
    """`actions` lists those that are on; the file has a line for each, and not the list."""
    changes = {key: value for key, value in args.items() if key != "actions"}
    if "actions" in args:
        wanted = [name.strip() for name in args["actions"].split(",") if name.strip()]
        for name in [*_enabled(before), *wanted]:
            changes["action." + name] = "1" if name in wanted else "0"
    return changes
