"""Tests of what an answer means: the table of wire.md, in full. They must not send anything."""

from __future__ import annotations

import pytest
from parapet import webhook
from parapet.verdict import Answer, Kind, classify

CONFIGURATION = {401, 403, 404, 407} | set(range(300, 400))
WAITS = {408, 425} | set(range(500, 600))


def expected(status):
    """The wire contract's table."""
    if 200 <= status < 300:
        return Kind.DELIVERED
    if status in CONFIGURATION:
        return Kind.CONFIGURATION
    if status in WAITS:
        return Kind.ENTRY_WAITS
    return {429: Kind.TENANT_WAITS, 413: Kind.TOO_LARGE}.get(status, Kind.REFUSED)


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_has_the_verdict_of_the_contract(status):
    """Only 2xx is success; a redirect is a configuration error."""
    found = classify(Answer(status))
    assert found.kind is expected(status)
    assert found.reason == f"status_{status}"


@pytest.mark.parametrize("status", [0, 100, 101, 103, 199, 600, 999])
def test_what_is_no_final_status_is_tried_again(status):
    """It is not known whether the body arrived."""
    assert classify(Answer(status)).kind is Kind.ENTRY_WAITS


@pytest.mark.parametrize("status", range(200, 600))
def test_retry_after_holds_the_tenant_with_429_and_503_only(status):
    """Elsewhere it changes nothing."""
    found = classify(Answer(status, retry_after="5")).kind
    assert found is (Kind.TENANT_WAITS if status == 503 else expected(status))


@pytest.mark.parametrize("error", sorted(webhook.ERRORS))
def test_no_answer_holds_the_tenant(error):
    """A certificate at the slow pace, with what to do; the rest with back-off."""
    found = classify(Answer(None, error, webhook.ERRORS[error]))
    assert found.kind is (Kind.TENANT_SLOW if error in ("certificate", "ca_file") else Kind.TENANT_WAITS)
    assert found.reason == error
    assert ("ca_file" in found.todo) == (error in ("certificate", "ca_file"))


def test_an_answer_without_a_word_is_no_answer():
    """Nothing is without a verdict."""
    assert classify(Answer(None)) == (Kind.TENANT_WAITS, "no_answer", "")


@pytest.mark.parametrize("status", sorted(CONFIGURATION))
def test_what_a_person_must_mend_says_how(status):
    """One sentence without the status: that stands beside it."""
    todo = classify(Answer(status)).todo
    assert todo
    assert len(todo.splitlines()) == 1


@pytest.mark.parametrize("status", [200, 408, 413, 425, 429, 500, 503])
def test_what_mends_itself_asks_nobody(status):
    """An outage is not the administrator's."""
    assert classify(Answer(status)).todo == ""
