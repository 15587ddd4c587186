"""The real SDK works against the splunkd stand-in.

Must not speak to it in any other way.
"""

from __future__ import annotations

import pytest
from splunklib import binding, client

from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    SECRET,
    call_fixture,
    home_fixture,
    splunkd_fixture,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def service(splunkd, user="admin", **more):
    """The SDK's service in our app's namespace."""
    port = int(splunkd.uri.rpartition(":")[2])
    token = "Splunk " + splunkd.session(user)
    options = {
        "host": "127.0.0.1",
        "port": port,
        "token": token,
        "owner": "nobody",
        "app": "parapet_security",
        "verify": False,
    }
    return client.Service(**{**options, **more})


def test_the_sdk_creates_reads_lists_updates_and_deletes_passwords(splunkd):
    """StoragePasswords of the real SDK works from end to end."""
    passwords = service(splunkd).storage_passwords
    created = passwords.create(SECRET, "main", "parapet_security")
    assert (created.name, created.realm, created.username) == ("parapet_security:main:", "parapet_security", "main")
    created.update(password="pst_other")
    listed = passwords.list()
    assert [one.clear_password for one in listed] == ["pst_other"]
    assert listed[0].access.app == "parapet_security"
    assert passwords["parapet_security:main:"].clear_password == "pst_other"
    with pytest.raises(binding.HTTPError) as refused:
        passwords.create(SECRET, "main", "parapet_security")
    assert refused.value.status == 409
    passwords.delete("main", "parapet_security")
    assert passwords.list() == []


def test_the_sdk_reads_and_writes_confs(splunkd, home):
    """Configurations, ConfigurationFile and Stanza of the real SDK work."""
    confs = service(splunkd).confs
    assert "parapet_security" in confs
    assert "no_such" not in confs
    conf = confs["parapet_security"]
    assert {"default", "delivery", "tenant:main"} <= {stanza.name for stanza in conf}
    stanza = conf["tenant:main"]
    assert stanza["webhook_url"] == "https://tenant.invalid/a b"
    assert stanza["color"] == "blue"
    stanza.submit({"webhook_url": "https://x.invalid/1=2&3"})
    assert conf["tenant:main"]["webhook_url"] == "https://x.invalid/1=2&3"
    conf.create("tenant:eu")
    assert "tenant:eu" in conf
    conf.delete("tenant:eu")
    with pytest.raises(KeyError):
        conf["tenant:eu"]
    assert "1=2&3" in (home.app / "local/parapet_security.conf").read_text()


def test_the_sdk_reads_info_messages_saved_searches_and_jobs(splunkd):
    """The rest of what the app asks for works with the real SDK, too."""
    sid = "scheduler__admin__search__RMD5abc_at_1_2"
    splunkd.jobs[sid] = {"resultCount": 7, "eventSearch": "search x"}
    splunkd.saved_searches["search", "My <rule> & more/1"] = {"search": "index=main", "alert.severity": "4"}
    sdk = service(splunkd, owner=None, app=None)
    assert sdk.info["guid"] == splunkd.info.guid
    assert sdk.splunk_version == (9, 2, 1)
    sdk.messages.create("parapet_a", value="Do <this>", severity="warn")
    assert sdk.messages["parapet_a"].value == "Do <this>"
    sdk.messages.delete("parapet_a")
    assert splunkd.messages == {}
    job = sdk.job(sid)
    assert (job["resultCount"], job["eventSearch"], job.is_done()) == ("7", "search x", True)
    assert [one.sid for one in sdk.jobs] == [sid]
    saved = service(splunkd, owner="admin", app="search").saved_searches["My <rule> & more/1"]
    assert (saved["search"], saved["alert.severity"]) == ("index=main", "4")


def test_the_sdk_logs_in_with_a_password_and_not_with_another(splunkd):
    """auth/login gives a session key for the right password only."""
    port = int(splunkd.uri.rpartition(":")[2])
    options = {"host": "127.0.0.1", "port": port, "username": "power", "verify": False}
    sdk = client.connect(password=splunkd.access.users["power"].password, **options)
    assert sdk.info["serverName"] == "stand-in"
    with pytest.raises(binding.AuthenticationError):
        client.connect(password="wrong", **options)


def test_the_sdk_sees_splunkds_words_in_an_error(splunkd):
    """An error in Atom carries the text where the SDK looks for it."""
    context = binding.Context(
        host="127.0.0.1", port=int(splunkd.uri.rpartition(":")[2]), token="Splunk x", verify=False
    )
    with pytest.raises(binding.AuthenticationError) as refused:
        context.get("/services/server/info")
    assert b"call not properly authenticated" in refused.value.body
