"""The commands of the documentation, run as they stand: by bash and curl, against splunkd and a tenant.

Must not change a command but for what is the reader's own: address, log-in, token, URL.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap

import pytest

from build_tools.project import ROOT, child_environment
from tests.conf import parse
from tests.scene import CONF, decode, failed_logins
from tests.standins.tenant import Tenant

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the commands are for bash and curl"
)
PLACEHOLDER = "https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID"
BLOCK = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)


class Reader:
    """Somebody who follows a page, at the keyboard of an installation.

    Args:
        scene: an installation that nobody has configured.
        tenant: the tenant that is theirs.
    """

    def __init__(self, scene, tenant):
        """Log in once; curl's question for a password cannot be answered here."""
        self.scene, self.tenant = scene, tenant
        self._login = scene.home.path / "login"
        self._login.write_text("Authorization: Splunk " + scene.splunkd.session("admin"), encoding="utf-8")

    def run(self, block, typed=""):
        """Run one block of a page; returns what it printed.

        Args:
            block: as in the page.
            typed: what the reader types where the block asks for something.
        """
        script = block.replace("https://localhost:8089", self.scene.splunkd.uri).replace(PLACEHOLDER, self.tenant.url)
        script = script.replace("-u admin", f"-H @{self._login}").replace(
            "curl --config -", f"curl -s --cacert {self.tenant.ca_file} --config -"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            env=child_environment(SPLUNK_HOME=str(self.scene.home.path)),
            input=typed + "\n",
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def blocks(page, *words):
    """The blocks of a page that hold all these words."""
    text = re.sub(r"^ {3}(?= {4})", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [block for block in BLOCK.findall(text) if all(word in block for word in words)]
    assert found, f"{page} has no block with {words}"
    return found


@pytest.fixture
def reader(bare_scene, certs):
    """A reader with a tenant whose certificate is of a private CA."""
    with Tenant(certs) as tenant:
        bare_scene.configure({"ca_file": certs.ca_file})
        yield Reader(bare_scene, tenant)


def test_two_calls_without_splunk_web_configure_a_tenant_that_gets_alerts(reader):
    """The next alert arrives, with the token that was typed."""
    (url,) = blocks("docs/configure.md", "name=tenant:main")
    token, _ = blocks("docs/configure.md", "storage/passwords", "Service token")
    reader.run(url)
    assert reader.run(token, typed=reader.tenant.token).strip() == "201"
    fired = reader.scene.fire()
    assert fired.exit_code == 0, fired.stderr
    assert len(reader.tenant.accepted) == 1


def test_the_pages_replace_a_token_and_keep_it_off_the_screen(reader):
    """409 where one is stored already; the call for that replaces it."""
    first, second = blocks("docs/configure.md", "storage/passwords", "Service token")
    reader.run(blocks("docs/configure.md", "name=tenant:main")[0])
    assert reader.run(first, typed="pst_an-old-one").strip() == "201"
    assert reader.run(first, typed=reader.tenant.token).strip() == "409"
    assert reader.run(second, typed=reader.tenant.token).strip() == "200"
    assert reader.scene.fire().exit_code == 0
    assert len(reader.tenant.accepted) == 1


def test_the_pages_change_pause_and_set(reader):
    """The other calls of configure.md and operate.md arrive where they say."""
    create, change = blocks("docs/configure.md", "webhook_url=")
    reader.run(create)
    reader.run(change)
    (pause,) = blocks("docs/configure.md", "-d disabled=1")
    (setting,) = blocks("docs/configure.md", "-d read_timeout=60")
    (retry,) = blocks("docs/operate.md", "retry_dead=")
    for block in (pause, setting, retry):
        reader.run(block)
    stanzas = {entry["name"]: entry["content"] for entry in reader.scene.call("GET", CONF)["entry"]}
    assert str(stanzas["tenant:main"]["disabled"]).lower() in ("1", "true")
    assert stanzas["delivery"]["read_timeout"] == "60"
    assert int(stanzas["delivery"]["retry_dead"]) > 0


def test_the_pages_store_the_proxys_password(reader):
    """Under the realm that the app reads it from."""
    (block,) = blocks("docs/configure.md", "parapet_security_proxy")
    assert reader.run(block, typed="a password").strip() == "201"


def test_the_pages_add_the_action_to_a_detection_and_leave_its_others_on(reader):
    """By REST, where `actions` is the whole list, and in the file, where it is a line."""
    saved = "/servicesNS/nobody/search/saved/searches"
    reader.scene.call("POST", saved, name="NAME", search="index=main", actions="notable,risk")
    read, write = blocks("docs/enterprise-security.md", "saved/searches/NAME")
    page = [block.replace("/APP/", "/search/") for block in (read, write)]
    listed = reader.run(page[0]).strip().partition(">")[2]
    assert f"actions={listed},parapet_security " in page[1]
    reader.run(page[1])
    content = reader.scene.call("GET", f"{saved}/NAME")["entry"][0]["content"]
    assert sorted(content["actions"].split(",")) == ["notable", "parapet_security", "risk"]
    assert content["action.parapet_security.param.send"] == "all"
    (lines,) = blocks("docs/enterprise-security.md", "[NAME]")
    assert set(parse(textwrap.dedent(lines))["NAME"]) <= set(content)


def test_the_curl_test_tells_a_right_token_from_a_wrong_one(reader):
    """The guide's own test, without the token in an argument."""
    (block,) = blocks("docs/troubleshoot.md", '"test": true')
    assert " 200 OK" in reader.run(block, typed=reader.tenant.token)
    assert " 401 " in reader.run(block, typed="pst_wrong")


def test_no_command_has_a_secret_among_its_arguments():
    """A token is typed or read from a file: arguments and history are for everybody to see."""
    pages = ("docs/configure.md", "docs/enterprise-security.md", "docs/operate.md", "docs/splunk-cloud.md")
    for page in (*pages, "docs/troubleshoot.md"):
        for block in blocks(page, "curl"):
            assert not re.search(r"pst_|Bearer (?!%s)|(-d|--data\S*) '?\"?password=", block)


def test_option_b_of_the_page_makes_the_tenant_main(reader):
    """In this app's own file, as a customer of the guide has it; the log warns."""
    (block,) = blocks("docs/configure.md", "param.webhook_url", "param.token")
    text = block.replace(PLACEHOLDER, reader.tenant.url).replace("pst_YOUR_TOKEN", reader.tenant.token)
    local = reader.scene.home.app / "local"
    local.mkdir(exist_ok=True)
    (local / "alert_actions.conf").write_text(re.sub(r"^ {4}", "", text, flags=re.MULTILINE), encoding="utf-8")
    fired = reader.scene.fire(failed_logins())
    assert fired.exit_code == 0, fired.stderr
    assert "lies in plain text" in fired.stderr
    assert decode(reader.tenant.accepted[0])["search"]["name"] == "Failed SSH Logins"
