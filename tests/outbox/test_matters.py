"""What needs a person, and how often Splunk Web's bulletin board is told. Must not talk to a splunkd."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from parapet import matters
from parapet.backlog import Hold
from parapet.bulletin import Bulletin
from parapet.entry import Header, header_line
from parapet.errors import Unreachable
from parapet.matters import Matter, Matters

from tests.outbox.conftest import TRIGGER, make_alert, put

FIRST = "The tenant refuses the token: store a new one for this tenant on the setup page"


class Board:
    """A splunkd with a bulletin board, and what was done there."""

    def __init__(self, clock, *, keys=("message", "timeCreated_epochSecs")):
        """Start with an empty board, whose entries have these keys."""
        self.clock, self.keys = clock, keys
        self.up, self.calls, self.broken = {}, [], False
        self.answers = threading.Event()
        self.answers.set()

    def _call(self, *call):
        assert self.answers.wait(30)
        if self.broken:
            raise Unreachable("splunkd answered 503")
        self.calls.append(call)

    def messages(self):
        """As splunkd tells them."""
        self._call("get")
        return {name: {key: value[key] for key in self.keys if key in value} for name, value in self.up.items()}

    def server_info(self):
        """Only the name counts."""
        return {"serverName": "sh1"}

    def set_message(self, name, text, severity):
        """Replaces."""
        self._call("post", name, text)
        at = str(int(self.clock.wall))
        self.up[name] = {"message": text, name: text, "severity": severity, "timeCreated_epochSecs": at}

    def delete_message(self, name):
        """Takes down."""
        self._call("delete", name)
        self.up.pop(name, None)

    @property
    def posts(self):
        """The texts that were put up, without the host."""
        return [call[2].partition(": ")[2] for call in self.calls if call[0] == "post"]

    @property
    def texts(self):
        """What stands: {matter: text}."""
        return {name: value["message"] for name, value in self.up.items()}


@pytest.fixture
def board(time):
    """An empty board."""
    return Board(time)


class Patient(Bulletin):
    """Whoever tells it something waits until it is on the board: the clock of these tests is turned between two calls."""

    def tell(self, matters):
        """As usual."""
        super().tell(matters)
        self.wait(30)


@pytest.fixture
def bulletin(board, log, time):
    """Makes a process's view of the board."""
    return lambda of=None: Patient(of or board, log, time.clock)


def found(**texts):
    """What needs a person, each with a text."""
    return Matters({name: Matter(text) for name, text in texts.items()})


def last(**texts):
    """The same, told for the last time."""
    return found(**texts)._replace(is_last=True)


def test_new_matter_is_put_up_at_once_with_the_hosts_name(bulletin, board):
    """And no more as long as it stays the same."""
    told = bulletin()
    for _ in range(100):
        told.tell(found(dead="1 dead letter."))
    assert board.texts == {"parapet_security_dead": "Parapet Security on sh1: 1 dead letter."}
    assert [call[0] for call in board.calls] == ["get", "post"]


def test_changed_number_is_told_once_a_minute_at_most_and_the_last_one_stays(bulletin, board, time):
    """A flood of dead letters is no flood of messages."""
    told = bulletin()
    for second in range(100):
        told.tell(found(dead=f"{second} dead letters."))
        time.turn(1)
    for _ in range(100):
        told.tell(found(dead="200 dead letters."))
        time.turn(1)
    assert board.posts == ["0 dead letters.", "60 dead letters.", "200 dead letters."]


def test_what_has_ended_is_taken_down_when_it_has_stayed_so(bulletin, board, time):
    """A hold that comes back within seconds, with a probe in between, is one message all along."""
    told = bulletin()
    for _ in range(20):
        told.tell(found(held_main="a"))
        time.turn(5)
        told.tell(found())
        time.turn(4)
    assert (board.posts, len(board.up)) == (["a"], 1)
    for _ in range(6):
        told.tell(found())
        time.turn(1)
    assert board.up == {}
    assert [call[0] for call in board.calls] == ["get", "post", "delete"]


def test_what_has_ended_is_taken_down_at_once_by_a_process_that_ends(bulletin, board):
    """The deliver handler lives no longer than its turn."""
    told = bulletin()
    told.tell(found(held_main="a"))
    told.tell(last())
    assert board.up == {}


def test_what_stands_is_taken_over_as_it_is(bulletin, board, time):
    """The next process puts up nothing that is up, and takes down what was mended meanwhile."""
    board.up["restart_required"] = {"message": "Splunk must be restarted"}
    bulletin().tell(last(held_main="a", dead="1 dead letter."))
    time.turn(10)
    told = bulletin()
    told.tell(found(dead="1 dead letter."))
    told.tell(last(dead="1 dead letter."))
    assert board.posts == ["a", "1 dead letter."]
    assert sorted(board.up) == ["parapet_security_dead", "restart_required"]


def test_calls_of_the_handler_keep_to_a_minute_too(bulletin, board, time):
    """Each is a process's first look: what Splunk says about the time of the message counts."""
    for number in range(1, 121):
        bulletin().tell(last(dead=f"{number} dead letters."))
        time.turn(1)
    assert board.posts == ["1 dead letters.", "61 dead letters."]


@pytest.mark.parametrize(("keys", "posts"), [(("message",), 1), (("parapet_security_dead",), 1), ((), 2)])
def test_board_that_tells_less_is_written_more_often_and_not_wrongly(bulletin, time, keys, posts):
    """Where a text is not told, each process puts its own up once; where a time is not told, a new number goes up at once."""
    board = Board(time, keys=keys)
    for _ in range(2):
        told = bulletin(board)
        told.tell(found(dead="1 dead letter."))
        told.tell(last(dead="1 dead letter."))
    assert len(board.posts) == posts
    bulletin(board).tell(last(dead="2 dead letters."))
    assert board.texts == {"parapet_security_dead": "Parapet Security on sh1: 2 dead letters."}


def test_nothing_is_taken_down_or_changed_before_all_was_looked_at(bulletin, board, time):
    """A process that has just begun has not read what waits: what it has not found may be there."""
    bulletin().tell(last(held_main="2 alerts", held_eu="1 alert"))
    time.turn(3600)
    told = bulletin()
    told.tell(Matters({}, sure=False))
    told.tell(Matters({"held_main": Matter("1 alert"), "held_lab": Matter("1 alert")}, sure=False, is_last=True))
    assert board.posts == ["2 alerts", "1 alert", "1 alert"]
    assert len(board.up) == 3
    told.tell(found(held_main="2 alerts", held_eu="1 alert"))
    assert len(board.posts) == 3


def test_what_is_no_news_stays_where_it_stands_only(bulletin, board, time):
    """Between two limits, and while nobody can know."""
    told = bulletin()
    told.tell(Matters({"full": Matter("75 %", is_news=False), "held_main": matters.UNKNOWN}))
    assert board.up == {}
    told.tell(found(full="82 %", held_main="a"))
    time.turn(61)
    for _ in range(20):
        told.tell(Matters({"full": Matter("75 %", is_news=False), "held_main": matters.UNKNOWN}))
        time.turn(1)
    assert sorted(text[25:] for text in board.texts.values()) == ["75 %", "a"]


def test_board_that_fails_is_tried_again_after_a_while(bulletin, board, log, time):
    """Not with every turn of the loop, and nothing is forgotten."""
    told, board.broken = bulletin(), True
    for _ in range(11):
        told.tell(found(dead="1 dead letter."))
        time.turn(1)
    assert len(log.lines("bulletin.failed")) == 3
    board.broken = False
    time.turn(5)
    told.tell(found(dead="1 dead letter."))
    assert len(board.up) == 1


def test_board_that_hangs_delays_nobody_and_has_the_last_word_in_the_end(board, log, time):
    """Nor does it collect threads or old news: while it is asked for the first, only the newest of the others waits."""
    told = Bulletin(board, log, time.clock)
    board.answers.clear()
    before = threading.active_count()
    for number in range(1, 100):
        told.tell(found(dead=f"{number} dead letters."))
    told.wait(0)
    assert threading.active_count() <= before + 2
    assert board.calls == []
    told.tell(last(full="82 %"))
    board.answers.set()
    told.wait(30)
    assert board.texts == {"parapet_security_full": "Parapet Security on sh1: 82 %"}
    assert len(board.posts) <= 2


# -- what is found --------------------------------------------------------------------------------


def hold(
    scene,
    tenant="main",
    kind="configuration",
    todo="the tenant refuses the token: store a new one for this tenant on the setup page",
):
    """Hold a tenant that is configured and not paused."""
    scene.turn.backlog.lane(tenant).blocked = ""
    scene.turn.backlog.hold(
        tenant, Hold(kind, scene.time.steady + 9e9, attempts=1, reason="status_401", since=TRIGGER, todo=todo)
    )


def told(scene):
    """What is told last."""
    scene.time.turn(61)
    scene.chores()
    return scene.told[-1]


def texts(scene):
    """What is told last, in words."""
    return {name: matter.text for name, matter in told(scene).found.items()}


def test_held_tenant_says_how_many_wait_since_when_and_what_to_do(made, outbox):
    """In two sentences."""
    scene = made()
    put(outbox, 0)
    scene.look()
    hold(scene)
    since = "since 2026-01-28 15:30 UTC"
    assert texts(scene) == {"held_main": f"1 alert for tenant main waits, the oldest {since}. {FIRST}."}
    put(outbox, 120)
    put(outbox, 240)
    scene.look()
    scene.turn.backlog.lane("main").blocked = ""
    assert texts(scene) == {"held_main": f"3 alerts for tenant main wait, the oldest {since}. {FIRST}."}


def test_alert_without_a_time_has_waited_for_an_unknown_time(made, outbox):
    """Splunk gave none, and 1970 helps nobody."""
    scene = made()
    put(outbox, trigger_time="", sid="1.2")
    scene.look()
    hold(scene)
    assert texts(scene)["held_main"].startswith("1 alert for tenant main waits. ")


def test_number_is_counted_once_a_minute_and_a_new_matter_at_once(made, outbox):
    """A backlog of a hundred thousand is not counted each second."""
    scene = made()
    put(outbox, 0)
    scene.look()
    hold(scene)
    scene.time.turn(1)
    scene.chores()
    scene.turn.backlog.add("1769614999000-" + "0" * 20)
    scene.turn.backlog.assign("1769614999000-" + "0" * 20, "main", due=0.0)
    scene.time.turn(2)
    scene.chores()
    counts = [matters_.found["held_main"].text[0] for matters_ in scene.told[-2:]]
    assert counts == ["1", "1"]
    assert texts(scene)["held_main"][0] == "2"


@pytest.mark.parametrize("trouble", ["paused", "mended", "nothing waits", "no answer"])
def test_nobody_is_told_of_what_needs_nobody(made, outbox, trouble):
    """Of a tenant that does not answer nothing new is known: what stands about it stays."""
    scene = made()
    if trouble != "nothing waits":
        put(outbox)
    scene.look()
    hold(scene, kind="wait" if trouble == "no answer" else "configuration")
    if trouble == "paused":
        scene.turn.backlog.lane("main").blocked = "paused"
    if trouble == "mended":
        scene.turn.backlog.release("main")
        scene.turn.backlog.lane("main").blocked = "paused"
    assert told(scene).found == ({"held_main": matters.UNKNOWN} if trouble == "no answer" else {})


def test_tenant_that_is_not_configured_says_so(made, outbox):
    """The alert names it."""
    scene = made()
    put(outbox, tenant="lab")
    scene.look()
    assert texts(scene) == {
        "unconfigured": "1 alert waits, the oldest since 2026-01-28 15:30 UTC, for a tenant that is not configured: lab."
        " Add what is missing on the app's setup page, or name another tenant in the alert."
    }


def test_tenants_that_are_not_configured_are_one_message_with_the_first_names(made, outbox):
    """A result row may choose the name: they are no reason for a board full of messages."""
    scene = made()
    for number in range(120):
        put(outbox, number, tenant=f"user-{number % 60:02}")
    scene.look()
    ((name, text),) = texts(scene).items()
    assert name == "unconfigured"
    assert text.startswith(
        "120 alerts wait, the oldest since 2026-01-28 15:30 UTC, for 60 tenants that are not configured: user-00, "
    )
    shown, rest = re.search(r"configured: (user-\d\d(?:, user-\d\d)*) \((\d+) more\)\. Add", text).groups()
    assert len(shown.split(", ")) + int(rest) == 60
    assert len(text) < 500


def test_tenant_for_which_nothing_waits_any_more_is_not_named(made, outbox):
    """Its alerts went, or were dropped."""
    scene = made()
    names = [put(outbox, number, tenant=tenant) for number, tenant in enumerate(("lab", "new"))]
    scene.look()
    scene.turn.backlog.remove(names[0])
    scene.look()
    assert "for a tenant that is not configured: new. " in texts(scene)["unconfigured"]
    scene.turn.backlog.remove(names[1])
    Path(outbox.path("pending", names[1] + ".alert")).unlink()
    scene.look()
    assert texts(scene) == {}


def test_tenant_that_is_configured_and_cannot_be_used_has_a_message_of_its_own(made, outbox):
    """What to mend is its own."""
    scene = made()
    put(outbox)
    scene.look()
    scene.turn.backlog.lane("main").blocked = "the token of tenant main is not stored"
    assert list(texts(scene)) == ["held_main"]


@pytest.mark.parametrize(
    ("count", "most", "text"),
    [(0, 5, ""), (3, 5, "a,b (1 more)"), (3, 6, "a,b,c"), (3, 1, "a (2 more)"), (1, 0, "a")],
)
def test_list_of_names_is_cut_at_a_whole_name(count, most, text):
    """It never says nothing where there is something."""
    assert matters.listed("cba"[3 - count :], most) == text


def test_what_looks_like_a_token_takes_no_name_with_it():
    """It is masked by itself."""
    assert matters.listed(["lab", "pst_0123456789", "us"], 100) == "lab,***,us"


def test_token_in_the_place_of_a_tenants_name_is_shown_nowhere(made, outbox):
    """Neither in the text nor in the name, which needs no encoding in a URL."""
    scene = made()
    put(outbox, tenant="pst_0123456789abcdef")
    scene.look()
    ((name, text),) = texts(scene).items()
    assert "0123456789" not in name + text
    name = matters.held("pst_0123456789abcdef")
    assert quote(name, safe="") == name == "held_xxx"


def test_name_of_every_tenant_can_stand_in_a_url():
    """As it is."""
    for tenant in ("main", "a", "9-_", "x" * 64):
        assert re.match(r"held_[a-z0-9_-]+\Z", matters.held(tenant))


def test_first_and_last_dead_letter_are_told_at_once_and_the_number_within_a_minute(made, outbox):
    """Who is to mend something must not wait for the next count."""
    scene = made(dead_days=9)
    scene.look()
    names = [scene.dead(number) for number in range(3)]
    scene.time.turn(1.1)
    scene.chores()
    assert scene.told[-1].found["dead"].text.startswith("3 dead letters: ")
    assert "| parapetoutbox" in scene.told[-1].found["dead"].text
    assert scene.told[-1].found["dead"].text.endswith("kept 9 days.")
    scene.holder.remove(names[0], "dead")
    assert texts(scene)["dead"].startswith("2 dead letters: ")
    for name in names:
        scene.holder.remove(name, "dead")
    scene.time.turn(1.1)
    scene.chores()
    assert scene.told[-1].found == {}


def test_outbox_is_nearly_full_from_80_to_below_70_percent(made, outbox, holder):
    """Between the two it is no news, and not mended."""
    scene = made(outbox_max_bytes=1048576)
    path = Path(outbox.path("new", put(outbox) + ".alert"))
    seen = []
    for percent in (69, 70, 79, 80, 99, 130):
        path.write_bytes(b"")
        size = 1048576 * percent // 100 + 1
        path.write_bytes(header_line(Header(make_alert(description="x" * size), False, 1, ""))[: size - 1] + b"\n")
        matter = told(scene).found.get("full")
        seen.append(matter and (re.match(r"the outbox is (\d+) % full\. ", matter.text).group(1), matter.is_news))
    assert seen == [None, ("70", False), ("79", False), ("80", True), ("99", True), ("130", True)]


def test_nothing_is_sure_before_what_waits_was_read(made, outbox):
    """But for an endless flood, which has a minute."""
    scene = made()
    put(outbox)
    scene.turn.backlog.add("1769614999000-" + "0" * 20)
    scene.chores()
    scene.time.turn(59)
    scene.chores()
    scene.time.turn(2)
    scene.chores()
    assert [item.sure for item in scene.told] == [False, False, True]


def test_count_at_the_end_of_a_turn_is_the_last(made):
    """So that a process takes down what it has mended."""
    scene = made()
    scene.look()
    scene.chores.census()
    assert [item.is_last for item in scene.told[-2:]] == [False, True]


def test_note_of_a_later_version_is_reported_and_never_replaced(made, outbox, log):
    """It holds nobody here; the process remembers its own hold, and the later version finds what it wrote."""
    made()
    path = Path(outbox.path("holds", "main.json"))
    path.write_text(json.dumps({"v": 2, "kind": "wait", "until": "some day"}))
    before = path.read_bytes()
    scene = made()
    (line,) = log.lines("outbox.too_new")
    assert "entry=holds/main.json" in line
    assert scene.holder.hold("main") == {}
    for document in ({"kind": "wait"}, None):
        scene.holder.set_hold("main", document)
        assert path.read_bytes() == before
