"""Every target under inputs that Hypothesis makes up, and under each one that was found once.

They are the same ones in every run, a hundred for each target, and other ones in each Python.
"""

from __future__ import annotations

import signal
import sys
import traceback

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from build_tools import fuzz
from tests.fuzz import place
from tests.fuzz.strategies import inputs
from tests.fuzz.targets import CORPUS, TARGETS, corpus, seeds

EACH = 100
# A thousand times what an input takes, also where other tests run beside this one.
SECONDS_MOST = 15
# Threads reserve address space that they do not use.
BYTES_MORE = 1 << 30

needs_alarm = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing ends what hangs here")
pytestmark = needs_alarm

KEPT = [(name, file) for name in sorted(TARGETS) for file in corpus(name)]


def finding(name, data):
    """What an input finds, in ASCII: what it holds may be nothing that a report can show. None where every promise is kept."""
    try:
        with place.within(SECONDS_MOST):
            TARGETS[name](data)
    except (Exception, place.TooSlow):  # noqa: BLE001  whatever comes out is what is looked for
        return ascii(data)[:3000] + "\n" + traceback.format_exc().encode("ascii", "backslashreplace").decode("ascii")
    return None


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_hostile_input_breaks_no_promise(name):
    """No traceback, no hang, no memory without end, and what the target promises."""

    @seed(sys.version_info[1] * 10)
    @settings(
        max_examples=EACH,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(inputs(name))
    def feed(data):
        found = finding(name, data)
        assert found is None, found

    with place.memory(BYTES_MORE):
        feed()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_target_takes_what_it_begins_with(name):
    """A seed that is refused at once would teach a fuzzer nothing."""
    assert seeds(name)
    assert [found for found in (finding(name, data) for data in seeds(name)) if found] == []


@pytest.mark.parametrize(("name", "file"), KEPT)
def test_what_was_found_once_stays_mended(name, file):
    """The corpus is small, and each file in it broke something."""
    with place.memory(BYTES_MORE):
        found = finding(name, corpus(name)[file])
    assert found is None, found


def test_the_command_knows_every_target():
    """It names them before the fuzzer is there."""
    assert tuple(sorted(TARGETS)) == fuzz.TARGETS


def test_the_corpus_belongs_to_targets():
    """A folder with a slip in its name would never be replayed."""
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)
    assert all(path.stat().st_size < 100_000 for path in CORPUS.glob("*/*"))
