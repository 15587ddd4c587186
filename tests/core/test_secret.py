"""Tests of a string that does not show itself, and of the errors. They must not know what for."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import traceback

import pytest
from parapet import errors
from parapet.errors import Exit, ParapetError
from parapet.secret import Secret, mask
from parapet.settings import check_token

CANARY = "pst_CANARY"
LEAVES = [
    kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, ParapetError) and kind.code
]


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        "{}".format,
        "{0!r:>30}".format,
        lambda s: f"{s}",
        lambda s: str([s]),
        lambda s: str({"a": s}),
    ],
)
def test_a_secret_does_not_show_itself(show):
    """However it is made text; its length neither."""
    assert CANARY not in show(Secret(CANARY))
    assert show(Secret("x")) == show(Secret(CANARY))


def test_a_secret_is_had_by_asking_for_it():
    """In the one place that needs it."""
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize("odd", [chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()])
@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_whatever_a_token_may_hold_none_of_it_is_shown(odd, at):
    """What the check of a token lets pass, the mask covers, up to its end."""
    token = "pst_" + "CANARY1234"[:at] + odd + "CANARY1234"[at:]
    assert check_token(token) == []
    assert mask(f"a {token} b") == "a *** b"
    assert mask(f"tenant={token}") == "tenant=***"


def test_secrets_are_equal_where_their_values_are():
    """So that settings that did not change compare equal."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_not_carried_elsewhere(carry):
    """And the refusal does not show it."""
    with pytest.raises(TypeError) as caught:
        carry(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.type, caught.value, caught.tb))


def test_a_secret_has_nothing_to_look_into():
    """No dictionary of attributes that a debugger would print."""
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


@pytest.mark.parametrize("kind", [ParapetError, errors.SplunkdError])
def test_an_abstract_error_is_never_raised(kind):
    """Each error that happens has a name of its own."""
    with pytest.raises(TypeError, match="is abstract"):
        kind("x")


@pytest.mark.parametrize(
    ("kind", "code", "exit_code"),
    [
        (errors.UsageError, "usage", 2),
        (errors.StdinError, "stdin_invalid", 3),
        (errors.Unreachable, "splunkd_unreachable", 4),
        (errors.Unauthorized, "splunkd_unauthorized", 4),
        (errors.Forbidden, "splunkd_forbidden", 4),
        (errors.NotFound, "splunkd_not_found", 4),
        (errors.OutboxUnavailable, "outbox_unavailable", 6),
        (errors.LockUnavailable, "lock_unavailable", 6),
        (errors.EntryBroken, "entry_broken", 6),
        (errors.EntryTooNew, "entry_too_new", 6),
        (errors.EntryGone, "entry_gone", 6),
        (errors.RowsUnreadable, "rows_unreadable", 6),
    ],
)
def test_an_error_has_a_code_for_the_log_and_an_exit_code(kind, code, exit_code):
    """Customers' searches know the words."""
    error = kind("what happened")
    assert (error.code, error.exit_code, str(error)) == (code, exit_code, "what happened")


def test_every_error_is_in_the_table_and_in_the_modules_tree():
    """A new one is a decision."""
    assert len(LEAVES) == 12
    assert len({kind.code for kind in LEAVES}) == 12
    assert not [kind.__name__ for kind in LEAVES if kind.__name__ not in errors.__doc__]


def test_the_exit_codes_are_those_of_the_design():
    """The search owner sees the number."""
    assert {code.name: code.value for code in Exit} == {
        "OK": 0,
        "USAGE": 2,
        "STDIN": 3,
        "CONFIGURATION": 4,
        "REFUSED": 5,
        "LOST": 6,
        "BUG": 70,
    }
