"""How Hypothesis makes up inputs for each target: samples with wounds, and whole inputs of its own form. Must not judge them."""

from __future__ import annotations

import gzip

from hypothesis import strategies as st
from parapet.alert import Alert
from parapet.entry import State
from parapet.log import EVENTS
from parapet.notable import ATTRIBUTES
from parapet.settings import NUMBERS, TEXTS

from tests.fuzz.place import joined
from tests.fuzz.stuff import anything, encoded, inside, objects, scalars, texts, utf8, wounded
from tests.fuzz.targets import seeds

_ROW = (
    "_time",
    "_raw",
    "user",
    "urgency",
    "severity",
    "orig_sid",
    "orig_rid",
    "event_id",
    "rule_title",
    "rule_name",
    "risk_score",
    "risk_object",
)
_ANNOTATED = (
    *_ROW,
    "annotations",
    "annotations.mitre_attack",
    "mitre_technique_id",
    "All_Risk.risk_object",
    "drilldown_searches",
    "security_domain",
)
_PARAMS = (*Alert._fields[:16], "token", "webhook_url")
_KEYS = (
    "app",
    "owner",
    "sid",
    "search_name",
    "search_uri",
    "results_link",
    "results_file",
    "result_id",
    "server_host",
    "session_key",
    "user",
)

# A saved search that is mostly a correlation search, whose lists are often lists.
searches = st.builds(
    lambda on, lists, others: {"action.notable": on, **lists, **others},
    st.sampled_from(("1", "1", "0")),
    st.dictionaries(
        st.sampled_from([name for name in ATTRIBUTES if name.endswith(("_risk", "searches", "annotations"))]), inside
    ),
    objects(*ATTRIBUTES, "map", "earliest"),
)


@st.composite
def payloads(draw):
    """A payload of Splunk's shape, in which any value may be anything."""
    document = draw(objects(*_KEYS))
    document["configuration"] = draw(objects(*_PARAMS) | anything)
    document["result"] = draw(objects(*_ROW) | anything)
    return encoded(document)


@st.composite
def tables(draw):
    """A results file: a header and rows that need not have its length, quoted or not, with companions of multivalue fields."""
    names = draw(
        st.lists(
            st.sampled_from(("host", "__mv_host", "_time", "_cd", "__mv_", "a b", "")) | texts, min_size=1, max_size=6
        )
    )
    cells = texts | st.sampled_from(("$a$;$b$", "$a$$b$;$c$", "$a", "$$", "$a$;$", '"', '""', "a\nb"))
    rows = draw(st.lists(st.lists(cells, max_size=7), max_size=5))
    quote = draw(st.sampled_from(('"', "")))
    lines = [",".join(quote + cell + quote for cell in row) for row in (names, *rows)]
    text = (
        draw(st.sampled_from(("\n", "\r\n", "\r")))
        .join(lines)
        .encode(draw(st.sampled_from(("utf-8", "utf-16"))), "surrogatepass")
    )
    if draw(st.booleans()):
        return b"z" + draw(wounded([gzip.compress(text, 1)]))
    return draw(st.sampled_from((b"t", b"c", b"f"))) + text


@st.composite
def http(draw):
    """An answer: a status line, headers, a body, each perhaps not what it should be."""
    status = draw(
        st.sampled_from(("HTTP/1.1 {} x", "HTTP/1.0 {}", "HTTP/9 {}", "{} x", "HTTP/1.1 {}" + "x" * 70000, "ICY {}"))
    )
    code = draw(st.integers(100, 599) | st.sampled_from((0, 99, 600, 999, 1000, -1, "2OO", "")))
    headers = draw(
        st.lists(
            st.tuples(
                st.sampled_from(
                    (
                        "Retry-After",
                        "Content-Length",
                        "Transfer-Encoding",
                        "Content-Encoding",
                        "Location",
                        "Set-Cookie",
                        "Connection",
                    )
                )
                | texts,
                texts
                | st.sampled_from(
                    ("chunked", "gzip", "br", "5", "close", "keep-alive", "1, 2", "Wed, 28 Jan 2026 15:30:00 GMT")
                ),
            ),
            max_size=6,
        )
    )
    end = draw(st.sampled_from(("\r\n", "\n", "\r")))
    head = end.join([status.format(code), *(f"{name}: {value}" for name, value in headers)])
    body = draw(
        st.sampled_from((b"", b"{}", b"5\r\nabcde\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n", gzip.compress(b"x" * 10**5)))
        | st.binary(max_size=9)
    )
    return utf8(head + draw(st.sampled_from((end * 2, end, "")))) + body


@st.composite
def documents(draw):
    """An answer of splunkd's REST interface."""
    names = st.sampled_from(("delivery", "tenant:main", "tenant:x", "default", "parapet_security_dead")) | texts
    keys = (
        *NUMBERS,
        *TEXTS,
        "webhook_url",
        "disabled",
        "clear_password",
        "param.token",
        "param.webhook_url",
        "version",
        "guid",
        "serverName",
    )
    content = objects(*keys, "resultCount", "earliestTime", "search", "message", "timeCreated_epochSecs", *ATTRIBUTES)
    acl = st.fixed_dictionaries({"app": st.just("parapet_security") | scalars})
    entry = st.fixed_dictionaries({"name": names, "content": content, "acl": acl})
    found = {"entry": draw(st.lists(entry | anything, max_size=3) | anything)}
    return joined(
        draw(st.sampled_from((b"200",) * 6 + (b"401", b"403", b"404", b"500"))),
        encoded(draw(st.just(found) | anything)),
    )


def _lines(pairs):
    return utf8("\n".join(map(" = ".join, pairs)))


@st.composite
def confs(draw):
    """The stanzas of a conf file, and a token."""
    numbers = st.tuples(st.sampled_from(tuple(NUMBERS)), texts | st.floats().map(str) | st.integers(0, 10**10).map(str))
    others = st.tuples(
        st.sampled_from(TEXTS) | texts,
        texts | st.sampled_from(("http://h:1", "https://h:99999", "debug", "http://h:1/x")),
    )
    own = st.tuples(
        st.sampled_from(("webhook_url", "disabled")) | texts, texts | texts.map("https://h{}/webhook/x".format)
    )
    token = texts | texts.map("pst_{}".format)
    return joined(
        _lines(draw(st.lists(numbers | others, max_size=6))),
        _lines(draw(st.lists(own, max_size=3))),
        utf8(draw(token)),
    )


VERSIONS = st.sampled_from((1,) * 9 + (2, 0, -1, True, "1", None, 1.0))


@st.composite
def headers(draw):
    """The header line of an entry."""
    alert = {**dict.fromkeys(Alert._fields, ""), "tenant": "main", "row": None, **draw(objects(*Alert._fields))}
    header = {**draw(objects("rows", "captured_ms", "fault")), "v": draw(VERSIONS), "alert": alert}
    return encoded(draw(st.just(header) | anything))


@st.composite
def states(draw):
    """The lines of a state."""
    lines = [{"v": draw(VERSIONS), "head": draw(objects("search", "result_count"))}]
    numbers = st.dictionaries(st.sampled_from(State._fields[1:]), st.sampled_from((-1, 3, 10**15, True)))
    steps = draw(st.lists(numbers | objects(*State._fields[1:]), max_size=3))
    return b"".join(encoded(line) + b"\n" for line in (*lines, *({"limit": 65536, **step} for step in steps)))


holds = objects("kind", "until_ms", "since_ms", "attempts", "reason", "detail", "todo", "settings").map(
    lambda found: encoded({"v": 1, **found})
)
usages = objects("bytes", "max", "role").map(encoded)


def _joined(given):
    return joined(*given)


def _outbox(given):
    return joined(given[0] + b"\n", *given[1:])


def _shaped(name):
    return {
        "stdin": payloads(),
        "results": tables(),
        "security": st.tuples(objects(*_ANNOTATED), searches).map(lambda two: joined(*map(encoded, two))),
        "guides_form": st.tuples(
            st.lists(
                st.tuples(
                    st.sampled_from(("param.token", "param.webhook_url", "search_name", "result_count")) | texts, texts
                ),
                max_size=5,
            ),
            objects("result", "results", *_KEYS) | anything,
        ).map(lambda two: joined(_lines(two[0]), encoded(two[1]))),
        "tenant": http(),
        "splunkd_wire": http(),
        "splunkd_json": documents(),
        "settings": confs(),
        "server_uri": texts.map(utf8),
        "retry_after": texts.map(utf8),
        # Few parts at once: what takes too many choices to make, Hypothesis gives up.
        "outbox": st.tuples(headers(), states() | st.just(b""), holds, usages).map(_outbox),
        "formats": st.tuples(headers(), st.just(b"")).map(_joined) | st.tuples(st.just(b""), states()).map(_joined),
        "deliver_call": st.fixed_dictionaries(
            {
                "method": st.sampled_from(("POST", "GET")) | anything,
                "system_authtoken": texts | anything,
                "server": objects("rest_uri") | anything,
            }
        ).map(encoded),
        "log": st.tuples(st.integers(0, len(EVENTS) - 1), st.lists(texts, min_size=1, max_size=9)).map(
            lambda two: bytes([two[0]]) + b"\n--\n".join(map(utf8, two[1]))
        ),
        "command": st.tuples(
            st.sampled_from(("edit", "outbox", "test")),
            st.lists(
                st.tuples(st.sampled_from(("action", "id", "tenant", "summary", "record")) | texts, texts).map("=".join)
                | texts,
                max_size=4,
            ),
        ).map(lambda two: utf8("\n".join([two[0], *two[1]]))),
    }.get(name)


def inputs(name):
    """Everything that is tried on a target."""
    shaped = _shaped(name)
    found = wounded(seeds(name))
    return found if shaped is None else found | shaped
