"""From the options of a command to the call that does it. Must not do any of the work itself.

The modules of a command are imported when it runs: `--help` and `preview` stay quick, and a command needs only its own.
"""

# ruff: noqa: PLC0415
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic.errors import Exit, Failure
from parapet_elastic.settings import Options, Settings, webhook_url, webhook_url_of

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen


def _settings(options: Any, screen: Screen) -> Settings:
    given = Options(
        url=options.kibana_url,
        space=options.space,
        ca_file=options.ca_file,
        proxy=options.proxy,
        username=options.username,
        credentials=options.credentials,
        timeout=options.timeout,
    )
    return Settings(given, screen)


def _kibana(settings: Settings, screen: Screen) -> Kibana:
    from parapet_elastic.kibana import Kibana

    def waiting(seconds: float, why: str) -> None:
        screen.note(f"{why}; waiting {seconds:.0f} s.")

    return Kibana(settings.access(), on_wait=waiting)


def _webhook(options: Any) -> str | None:
    if options.webhook_url and (options.region or options.tenant_id):
        raise Failure("--webhook-url says it all: leave out --region and --tenant-id")
    if options.webhook_url:
        return webhook_url(options.webhook_url)
    if bool(options.region) != bool(options.tenant_id):
        raise Failure("--region and --tenant-id go together")
    return webhook_url_of(options.region, options.tenant_id) if options.region else None


def _doctor(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import doctor

    url = _webhook(options)
    return doctor.doctor(_kibana(_settings(options, screen), screen), screen, options.connector_id, url)


def _connect(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import connect

    url = _webhook(options)
    if url is None:
        raise Failure("no webhook", todo="Give --webhook-url URL, or --region R and --tenant-id T.")
    settings = _settings(options, screen)
    kibana = _kibana(settings, screen)
    wish = connect.Wish(options.connector_id, options.name, url, in_clear=options.token_in_clear)
    return connect.connect(kibana, screen, wish, settings.token)


def _selection(options: Any) -> Any:
    from parapet_elastic.rules import Selection

    if not (options.rule_id or options.name or options.tag or options.kql or options.all):
        raise Failure("no rules are named", todo="Say which: --rule-id, --name, --tag, --kql, or --all.")
    kql = options.kql
    if options.enabled_only:
        enabled = "alert.attributes.enabled: true"
        kql = f"({kql}) AND {enabled}" if kql else enabled
    return Selection(
        ids=tuple(options.rule_id), names=tuple(options.name), tags=tuple(options.tag), kql=kql, everything=options.all
    )


def _preview(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import preview

    if options.list:
        return preview.samples(screen)
    source = _source(options)
    kibana = _kibana(_settings(options, screen), screen) if options.real else None
    return preview.preview(kibana, screen, options.template, source)


def _test(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import tryout

    source = _source(options)
    kibana = _kibana(_settings(options, screen), screen)
    return tryout.tryout(kibana, screen, options.connector_id, options.template, source)


def _source(options: Any) -> Any:
    from parapet_elastic.preview import Source

    if sum(map(bool, (options.context, options.sample, options.real))) > 1:
        raise Failure("--context, --sample and --real exclude each other")
    if options.rule_id and not options.real:
        raise Failure("--rule-id goes with --real")
    return Source(context=options.context, sample=options.sample, real=options.real, rule_id=options.rule_id)


def _lint(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import cli_lint

    return cli_lint.lint(screen, options.templates, options.kibana)


def _status(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import status

    chosen = options.rule_id or options.name or options.tag or options.kql
    options.all = options.all or not chosen
    selection = _selection(options)
    return status.status(
        _kibana(_settings(options, screen), screen), screen, options.connector_id, selection, options.days
    )


def _uninstall(options: Any, screen: Screen) -> Exit:
    from parapet_elastic import uninstall

    kibana = _kibana(_settings(options, screen), screen)
    return uninstall.uninstall(kibana, screen, options.connector_id, _changing(options), keep=options.keep_connector)


def _changing(options: Any) -> Any:
    from parapet_elastic.apply import Options as Changing

    return Changing(dry_run=options.dry_run, state_dir=options.state_dir)


COMMANDS = {
    "doctor": _doctor,
    "connect": _connect,
    "preview": _preview,
    "test": _test,
    "lint": _lint,
    "status": _status,
    "uninstall": _uninstall,
}
