"""`| parapettest`, as splunkd runs it: a real process that speaks the chunked protocol. Must not test how a search is parsed."""

from __future__ import annotations

import json

import pytest
from parapet import commands, verdict
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant

from tests.process.driver import refusal, rows
from tests.standins.tenant import Answer


def test_a_tenant_that_accepts_the_test_is_ok(scene):
    """With status, time, TLS and the certificate's issuer; the tenant got one test and nothing else."""
    (row,) = rows(scene, "| parapettest tenant=main")
    assert (row["outcome"], row["status"], row["reason"]) == ("ok", "200", "accepted")
    assert row["tls"].startswith("TLSv1.")
    assert row["issuer"].startswith("trustme")
    assert (row["forwarder"], row["host"]) == ("not running", "stand-in")
    assert row["ms"].isdigit()
    assert "todo" not in row
    assert [json.loads(record.body)["test"] for record in scene.tenant.accepted] == [True]


def test_without_a_name_every_tenant_is_tested(scene):
    """One row each, in the order of their names."""
    scene.add_tenant("backup", scene.tenant.url, None)
    assert [(row["tenant"], row["outcome"]) for row in rows(scene, "| parapettest")] == [
        ("backup", "failed"),
        ("main", "ok"),
    ]


def test_a_running_forwarder_is_seen(scene):
    """By whoever holds the outbox, and what it told of itself."""
    scene.start_forwarder()
    assert rows(scene, "| parapettest tenant=main")[0]["forwarder"] == "running"


@pytest.mark.parametrize(
    ("status", "todo"),
    [
        (401, "store a new one"),
        (404, "no webhook at this URL"),
        (302, "final webhook URL"),
        (429, "wait"),
        (500, "wait"),
    ],
)
def test_a_refused_test_says_what_to_do(scene, status, todo):
    """In the words that a deliverer would use."""
    scene.tenant.script(Answer(status))
    (row,) = rows(scene, "| parapettest tenant=main")
    assert (row["outcome"], row["status"], row["reason"]) == ("failed", str(status), f"status_{status}")
    assert todo in row["todo"]


def test_a_tenant_that_is_down_says_so(scene):
    """Without a status, and with what to look at."""
    scene.tenant.pause()
    (row,) = rows(scene, "| parapettest tenant=main")
    assert (row["outcome"], row["reason"]) == ("failed", "refused")
    assert "firewall" in row["todo"]
    assert "status" not in row


def test_an_untrusted_certificate_says_where_the_ca_goes(scene):
    """It is verified, always."""
    scene.configure({"ca_file": ""})
    (row,) = rows(scene, "| parapettest tenant=main")
    assert (row["outcome"], row["reason"]) == ("failed", "certificate")
    assert "ca_file" in row["todo"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda scene: scene.delete_token("main"), "token of tenant main is not stored"),
        (lambda scene: scene.set_token("main", "masked****"), "must start with pst_"),
        (lambda scene: scene.set_tenant("main", webhook_url="http://example.com/webhook/x"), "https://"),
        (lambda scene: scene.configure({"proxy_url": "nonsense"}), "proxy_url"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_said_before_anything_is_sent(scene, change, detail):
    """The same words as in the log."""
    change(scene)
    (row,) = rows(scene, "| parapettest tenant=main")
    assert (row["outcome"], row["reason"]) == ("failed", "configuration")
    assert detail in row["detail"]
    assert "setup page" in row["todo"]
    assert scene.tenant.requests == []


def test_a_paused_tenant_can_be_tested(scene):
    """And the row says that its alerts wait all the same."""
    scene.set_tenant("main", disabled="1")
    (row,) = rows(scene, "| parapettest tenant=main")
    assert row["outcome"] == "ok"
    assert "paused" in row["detail"]


def test_a_tenant_that_nobody_configured_is_named(bare_scene):
    """Also where there is none at all: then it is main that is missing."""
    for query, name in (("| parapettest", "main"), ("| parapettest tenant=west", "west")):
        (row,) = rows(bare_scene, query)
        assert (row["outcome"], row["detail"]) == ("failed", f"tenant {name} is not configured")


def test_a_session_that_may_not_read_tokens_is_told_so(scene):
    """Where an administrator let others run the command: nothing is sent."""
    meta = scene.home.app / "metadata/local.meta"
    meta.write_text("[commands]\naccess = read : [ * ]\nexport = system\n")
    assert "403" in refusal(scene, "| parapettest", user="power")
    assert scene.tenant.requests == []


def test_a_test_ends_before_splunk_web_gives_up():
    """It waits 30 seconds for splunkd, however long a delivery may wait for the tenant."""
    asked = []

    class Client:
        """Notes how long an attempt may take."""

        def post(self, *_args, budget_s):
            """Answer at once."""
            asked.append(budget_s)
            return verdict.Answer(200)

    tenant = Tenant("main", "https://localhost/webhook/acme", Secret("pst_" + "x"))
    settings = Settings(Delivery(read_timeout=300), {"main": tenant})
    assert commands._tested("main", settings, Client())["outcome"] == "ok"
    assert len(asked) == 1
    assert asked[0] < 25
