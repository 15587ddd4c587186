"""From the options of a command to the call that does it. Must not do any of the work itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parapet_elastic import cli_lint, connect, doctor, preview, status, tryout, uninstall
from parapet_elastic.addresses import webhook_url, webhook_url_of
from parapet_elastic.backfilling import backfill
from parapet_elastic.editing import apply, rollback
from parapet_elastic.editing.rule_actions import Change, Wanted, parse_frequency
from parapet_elastic.editing.rules import Selection
from parapet_elastic.errors import Failure
from parapet_elastic.kibana import Kibana
from parapet_elastic.preview import Source
from parapet_elastic.rendering import templates
from parapet_elastic.settings import Given, Settings, read_file

if TYPE_CHECKING:
    from parapet_elastic.errors import Exit
    from parapet_elastic.screen import Screen


def _settings(options: Any, screen: Screen) -> Settings:
    given = Given(
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
    url = _webhook(options)
    with _kibana(_settings(options, screen), screen) as kibana:
        return doctor.doctor(kibana, screen, options.connector_id, url)


def _connect(options: Any, screen: Screen) -> Exit:
    url = _webhook(options)
    if url is None:
        raise Failure("no webhook", todo="Give --webhook-url URL, or --region R and --tenant-id T.")
    settings = _settings(options, screen)
    wish = connect.Wish(options.connector_id, options.name, url, in_clear=options.token_in_clear)
    with _kibana(settings, screen) as kibana:
        return connect.connect(kibana, screen, wish, settings.token)


def _chosen(options: Any) -> bool:
    return bool(options.rule_id or options.name or options.tag or options.kql)


def _selection(options: Any) -> Selection:
    chosen = Selection(
        ids=tuple(options.rule_id),
        names=tuple(options.name),
        tags=tuple(options.tag),
        kql=options.kql,
        everything=options.all,
    )
    if not options.enabled_only:
        return chosen
    enabled = "alert.attributes.enabled: true"
    return replace(chosen, kql=f"({options.kql}) AND {enabled}" if options.kql else enabled)


def _preview(options: Any, screen: Screen) -> Exit:
    if options.list:
        return preview.names(screen)
    source = _source(options)
    if not options.real:
        return preview.preview(None, screen, options.template, source)
    with _kibana(_settings(options, screen), screen) as kibana:
        return preview.preview(kibana, screen, options.template, source)


def _test(options: Any, screen: Screen) -> Exit:
    source = _source(options)
    with _kibana(_settings(options, screen), screen) as kibana:
        return tryout.tryout(kibana, screen, options.connector_id, options.template, source)


def _source(options: Any) -> Source:
    if sum(map(bool, (options.context, options.sample, options.real))) > 1:
        raise Failure("--context, --sample and --real exclude each other")
    if options.rule_id and not options.real:
        raise Failure("--rule-id goes with --real")
    return Source(context=options.context, sample=options.sample, real=options.real, rule_id=options.rule_id)


def _lint(options: Any, screen: Screen) -> Exit:
    return cli_lint.lint_all(screen, options.templates, options.kibana)


def _status(options: Any, screen: Screen) -> Exit:
    chosen = _chosen(options) or options.enabled_only
    options.all = True
    selection = _selection(options) if chosen else None
    with _kibana(_settings(options, screen), screen) as kibana:
        return status.status(kibana, screen, options.connector_id, selection, options.days)


def _template(options: Any) -> templates.Template:
    template = templates.load(options.template)
    cli_lint.require_sound(template, options.template, force=options.force)
    return template


def _attach(options: Any, screen: Screen) -> Exit:
    selection = _selection(options)
    template = _template(options)
    frequency = parse_frequency(options.frequency or ("run" if template.name in templates.SUMMARIES else "alert"))
    wanted = Wanted(options.connector_id, template.text, frequency, options.only or None)
    with _kibana(_settings(options, screen), screen) as kibana:
        return apply.attach(kibana, screen, selection, wanted, options=_changing(options))


def _update(options: Any, screen: Screen) -> Exit:
    selection = _selection(options)
    template = _template(options) if options.template else None
    frequency = parse_frequency(options.frequency) if options.frequency else None
    refresh = template is None and frequency is None and options.only is None
    newest = {name: templates.load(name).text for name in templates.NAMES} if refresh else {}
    change = Change(template.text if template else None, frequency, options.only, newest)
    with _kibana(_settings(options, screen), screen) as kibana:
        return apply.update(kibana, screen, selection, options.connector_id, change, options=_changing(options))


def _detach(options: Any, screen: Screen) -> Exit:
    selection = _selection(options)
    with _kibana(_settings(options, screen), screen) as kibana:
        return apply.detach(kibana, screen, selection, options.connector_id, options=_changing(options))


def _rollback(options: Any, screen: Screen) -> Exit:
    if options.list:
        return rollback.snapshots(screen, options=_changing(options))
    back = rollback.Back(options.snapshot, overwrite=options.overwrite)
    with _kibana(_settings(options, screen), screen) as kibana:
        return rollback.rollback(kibana, screen, options.connector_id, back, options=_changing(options))


def _backfill(options: Any, screen: Screen) -> Exit:
    if not _chosen(options):
        options.all = True  # only rules that send have anything to send
    selection = _selection(options)
    period = backfill.Period(options.start, options.end, options.rate, failed_only=options.failed_only)
    with _kibana(_settings(options, screen), screen) as kibana:
        return backfill.backfill(kibana, screen, options.connector_id, selection, period, options=_changing(options))


def _uninstall(options: Any, screen: Screen) -> Exit:
    with _kibana(_settings(options, screen), screen) as kibana:
        return uninstall.uninstall(
            kibana, screen, options.connector_id, _changing(options), keep=options.keep_connector
        )


def _changing(options: Any) -> apply.Options:
    in_file = read_file(Path(options.credentials)) if options.credentials else {}
    state_dir = options.state_dir or in_file.get("PARAPET_ELASTIC_STATE")
    return apply.Options(dry_run=options.dry_run, state_dir=state_dir)


COMMANDS = {
    "doctor": _doctor,
    "connect": _connect,
    "preview": _preview,
    "test": _test,
    "lint": _lint,
    "attach": _attach,
    "update": _update,
    "detach": _detach,
    "rollback": _rollback,
    "status": _status,
    "backfill": _backfill,
    "uninstall": _uninstall,
}
