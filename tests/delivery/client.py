"""A Webhook as the deliverers build it, with short limits. Must not hold a test."""

from __future__ import annotations

import contextlib
import json

from parapet.secret import Secret
from parapet.settings import Delivery
from parapet.webhook import Webhook

AGENT = "parapet-security-splunk/1.0.0"
TOKEN = "pst_" + "stand-in-tenant"
QUICK = {"connect_timeout": 0.5, "read_timeout": 0.5}


def body(name="test-0000000000000001"):
    """A body that every tenant accepts."""
    return json.dumps({"source": "splunk", "id": name, "test": True}).encode()


@contextlib.contextmanager
def client(ca_file="", password=None, **delivery):
    """A Webhook that is closed at the end; yields a function that sends one body to a URL."""
    settings = Delivery(ca_file=ca_file or "", **delivery)
    webhook = Webhook(settings, Secret(password) if password else None, AGENT)

    def post(url, name="test-0000000000000001", *, token=TOKEN, budget_s=None):
        return webhook.post(url, Secret(token), body(name), name, budget_s=budget_s)

    try:
        yield post
    finally:
        webhook.close()
