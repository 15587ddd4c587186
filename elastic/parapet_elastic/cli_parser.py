"""The commands, their options and their help. Must not run anything, nor repeat an argument that it does not know."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any, NoReturn

from parapet_elastic import __version__, cli_values
from parapet_elastic import cli_help as texts
from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Parser(argparse.ArgumentParser):
    """Ends with a Failure instead of usage and error on two lines, and does not repeat what it does not know."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(**kwargs)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # A value in there may be a secret that somebody tried to hand over.
            names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
            self.error(f"there is no option {names[0]}" if names else "there is an argument too many")
        return found

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"(?s)(invalid choice): .*(?= \(choose from )", r"\1", message)
        message = re.sub(r"(?s)(ignored explicit argument) .*", r"\1", message)
        raise Failure(message, todo=f"`{self.prog} --help` shows what there is.")


def parser(program: str) -> argparse.ArgumentParser:
    """Return the parser of all commands; `command` of its result is the command's name."""
    top = _Parser(prog=program, description=texts.TOP, epilog=texts.TOP_END)
    top.add_argument("--version", action="version", version=f"{program} {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (short, long, examples) in texts.COMMANDS.items():
        # A percent sign means something to argparse.
        one = commands.add_parser(
            name, help=short, description=long.replace("%", "%%"), epilog="examples:\n" + examples.replace("%", "%%")
        )
        _OPTIONS[name](one)
        _common(one)
    return top


def _common(one: argparse.ArgumentParser) -> None:
    kibana = one.add_argument_group("Kibana")
    kibana.add_argument("--kibana-url", metavar="URL", help="Kibana's address, with its base path (KIBANA_URL)")
    kibana.add_argument("--space", metavar="ID", help="the space's id (KIBANA_SPACE); default: default")
    kibana.add_argument("--ca-file", metavar="FILE", help="PEM file of the authorities to trust (KIBANA_CA_FILE)")
    kibana.add_argument("--proxy", metavar="URL", help="forward proxy (KIBANA_PROXY); no password in here")
    kibana.add_argument(
        "--username", metavar="NAME", help="user of Kibana (KIBANA_USERNAME); the password is asked for"
    )
    kibana.add_argument(
        "--credentials", metavar="FILE", help="lines NAME=value, readable by you only; goes before the environment"
    )
    kibana.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=cli_values.timeout,
        default=60.0,
        help="wait so long for an answer; default: 60",
    )
    kibana.add_argument(
        "--connector-id",
        metavar="ID",
        type=cli_values.connector_id,
        default="parapet-security",
        help="default: parapet-security",
    )
    one.add_argument(
        "--json", action="store_true", help="one JSON document on standard output, everything else on standard error"
    )


def _webhook(one: argparse.ArgumentParser) -> None:
    one.add_argument("--webhook-url", metavar="URL", help="the tenant's webhook, as Parapet shows it")
    one.add_argument("--region", metavar="R", help="instead of the URL: its region, with --tenant-id")
    one.add_argument("--tenant-id", metavar="ID", help="instead of the URL: the tenant's id, with --region")


def _yes(one: argparse.ArgumentParser) -> None:
    one.add_argument("--yes", action="store_true", help="answer the question with yes")


def _changing(one: argparse.ArgumentParser) -> None:
    _yes(one)
    one.add_argument("--dry-run", action="store_true", help="stop after the plan; change nothing")
    one.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where snapshots are kept (PARAPET_ELASTIC_STATE); default: ~/.parapet-elastic",
    )


def _selection(one: argparse.ArgumentParser) -> None:
    rules = one.add_argument_group("which rules (of one option any may match; of several, each must)")
    rules.add_argument(
        "--rule-id",
        metavar="ID",
        action="append",
        default=[],
        help="the id in the rule's address in Kibana; can be repeated",
    )
    rules.add_argument(
        "--name",
        metavar="PATTERN",
        action="append",
        default=[],
        help="as in 'Suspicious *', upper and lower case alike; can be repeated",
    )
    rules.add_argument("--tag", metavar="TAG", action="append", default=[], help="can be repeated")
    rules.add_argument("--kql", metavar="QUERY", help="as in 'alert.attributes.params.severity: critical'")
    rules.add_argument("--all", action="store_true", help="every detection rule of the space")
    rules.add_argument("--enabled-only", action="store_true", help="of those, the enabled ones")


def _template(one: argparse._ActionsContainer, default: str | None) -> None:
    ending = f"; default: {default}" if default else ""
    one.add_argument(
        "--template", metavar="NAME|FILE", default=default, help=f"basic, custom_fields, bulk, or a file{ending}"
    )


def _action(one: argparse._ActionsContainer) -> None:
    one.add_argument(
        "--frequency",
        metavar="alert|run|PERIOD",
        help="a request for each alert, for each run of the rule, or for a period (30m, 1h, 7d)",
    )
    one.add_argument("--force", action="store_true", help="also a template in which `lint` finds errors")
    one.add_argument(
        "--only",
        metavar="KQL",
        type=cli_values.kql,
        help="only alerts that match, as in 'kibana.alert.severity: (high or critical)'; '' for all",
    )


def _variables(one: argparse.ArgumentParser) -> None:
    one.add_argument("--context", metavar="FILE", help="variables of an action, as a JSON object")
    one.add_argument(
        "--sample",
        metavar="NAME",
        help="a built-in alert; `preview --list` shows them; default: per-alert, for bulk summary",
    )
    one.add_argument("--real", action="store_true", help="the newest alert in Kibana")
    one.add_argument("--rule-id", metavar="ID", help="with --real: the newest of this rule")


def _connect(one: argparse.ArgumentParser) -> None:
    _webhook(one)
    one.add_argument(
        "--name", metavar="TEXT", default="Parapet Security", help="the connector's name; default: Parapet Security"
    )
    one.add_argument(
        "--token-in-clear",
        action="store_true",
        help="before 9.2: yes, store the token where readers of connectors see it",
    )
    _yes(one)


def _preview(one: argparse.ArgumentParser) -> None:
    _template(one, "basic")
    one.add_argument("--list", action="store_true", help="the names of the built-in alerts, instead of a body")
    _variables(one)


def _lint(one: argparse.ArgumentParser) -> None:
    one.add_argument("templates", metavar="NAME|FILE", nargs="+", help="basic, custom_fields, bulk, or a file")
    one.add_argument(
        "--kibana",
        metavar="VERSION",
        type=cli_values.version,
        help="the oldest Kibana that it must work on, as in 8.19",
    )


def _test(one: argparse.ArgumentParser) -> None:
    _template(one, "basic")
    _variables(one)


def _attach(one: argparse.ArgumentParser) -> None:
    _selection(one)
    action = one.add_argument_group("what it sends (default: basic for each alert; bulk for each run)")
    _template(action, "basic")
    _action(action)
    _changing(one)


def _update(one: argparse.ArgumentParser) -> None:
    _selection(one)
    action = one.add_argument_group(
        "what is set (what is not given stays; without any, our templates are brought up to date)"
    )
    _template(action, None)
    _action(action)
    _changing(one)


def _detach(one: argparse.ArgumentParser) -> None:
    _selection(one)
    _changing(one)


def _rollback(one: argparse.ArgumentParser) -> None:
    one.add_argument("snapshot", metavar="FILE", nargs="?", help="a snapshot; default: the newest")
    one.add_argument("--list", action="store_true", help="the snapshots that there are")
    one.add_argument("--overwrite", action="store_true", help="also rules whose other actions have changed since")
    _changing(one)


def _status(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--days", metavar="N", type=cli_values.days, default=7, help="failed actions of so many days; default: 7"
    )
    _selection(one)


def _backfill(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--from", dest="start", metavar="TIME", type=cli_values.time, required=True, help="as in 2026-01-28T15:30:00Z"
    )
    one.add_argument("--to", dest="end", metavar="TIME", type=cli_values.time, required=True, help="not included")
    one.add_argument(
        "--rate", metavar="N", type=cli_values.rate, default=5.0, help="so many requests a second at most; default: 5"
    )
    one.add_argument(
        "--failed-only", action="store_true", help="only where Kibana's log says that an action failed soon after"
    )
    _selection(one)
    _changing(one)


def _uninstall(one: argparse.ArgumentParser) -> None:
    one.add_argument("--keep-connector", action="store_true", help="take it off the rules only")
    _changing(one)


_OPTIONS = {
    "doctor": _webhook,
    "connect": _connect,
    "preview": _preview,
    "lint": _lint,
    "test": _test,
    "attach": _attach,
    "update": _update,
    "detach": _detach,
    "rollback": _rollback,
    "status": _status,
    "backfill": _backfill,
    "uninstall": _uninstall,
}
