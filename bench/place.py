"""Throw-away Splunk homes with the app in them, to measure in, and alerts put into their outboxes. Must not measure."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from parapet import alert as alerts
from parapet.alert import firing_id, trigger_ms
from parapet.disk import make_folders
from parapet.entry import Header, header_line
from parapet.outbox import FOLDERS, Outbox

from bench import ROOT
from bench.processes import Dialogue
from build_tools import package
from tests.scene import Scene, failed_logins
from tests.standins.certs import Certs
from tests.standins.splunk_search import write_results

if TYPE_CHECKING:
    from parapet.alert import Alert

FIELDS = 20
_BLOCK = 1000
_PATH = "/webhook/acme"
TOKEN = "pst_" + "measured"


def row(number: int) -> dict[str, str]:
    """A row of FIELDS fields of 18 to 19 characters, of which ten are random: a search over sign-ins compresses better."""
    digest = sha256(str(number).encode("ascii")).hexdigest()
    return {f"field_{index:02d}": f"value {index} {digest[index : index + 10]}" for index in range(FIELDS)}


def rich_row(number: int) -> dict[str, str | list[str]]:
    """The same with a time, and with two multivalue fields of three values."""
    found: dict[str, str | list[str]] = dict(row(number))
    values = [f"host-{(number + step) % 997:03d}" for step in range(3)]
    return {**found, "field_00": str(1769614200 + number % 3600), "field_18": values, "field_19": values[::-1]}


class Sink(Dialogue):
    """A light tenant that runs; see `sink`. `url` is its webhook, `port` where it listens."""

    path = _PATH

    def __init__(self, certs: Certs, latency_s: float) -> None:
        """Start it."""
        super().__init__([sys.executable, str(ROOT / "bench/sink.py")], {})
        told = {"pem": certs.server.pem, "path": _PATH, "token": TOKEN, "latency_s": latency_s}
        self.port = self.ask(json.dumps(told))
        self.url = f"https://localhost:{self.port}{_PATH}"

    def rate(self, skip: int = 0) -> float:
        """Requests a second from the first (after those to skip) to the last."""
        times = sorted(self.ask("times"))[skip:]
        return (len(times) - 1) / (times[-1] - times[0])


class Place:
    """Installations to measure in, one after another.

    Args:
        folder: an empty folder.

    Attributes:
        certs: the certificates of all of them.
    """

    def __init__(self, folder: Path | str) -> None:
        """Make the app as it is packaged, and the certificates."""
        self.folder, self._number = Path(folder), 0
        self._app = package.stage(self.folder / "package")
        self.certs = Certs(self.folder)
        self.python = sys.executable

    def use_bare_python(self) -> None:
        """From now on Splunk starts an interpreter with nothing in its site-packages: packages there may cost each start some milliseconds.

        It has started the app before: the app's modules are compiled, as they are from the first minute on after an installation.
        """
        folder = self.folder / "python"
        command = [str(Path(sys.executable).resolve()), "-m", "venv", "--without-pip", str(folder)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self.python = str(folder / "bin/python")
        subprocess.run([self.python, "-m", "compileall", "-q", str(self._app)], check=True, stdin=subprocess.DEVNULL)

    def sink(self, latency_s: float = 0.0) -> Sink:
        """A light tenant."""
        return Sink(self.certs, latency_s)

    def installed(self, tenants: dict[str, str], *, workers: int = 4, ca_file: bool = True) -> Scene:
        """An installation without a stand-in for a tenant.

        Args:
            tenants: their URLs by name; each accepts TOKEN, or the stand-in's own.
            workers: how many connections.
            ca_file: whether the setting names the authority; else it is added to the bundle that ships with the app.
        """
        self._number += 1
        scene = Scene(self.folder / f"splunk{self._number}", self._app, self.certs, tenant=False, python=self.python)
        settings = {"workers": str(workers), "retry_first": "0.1"}
        if ca_file:
            settings["ca_file"] = self.certs.ca_file
        else:
            with self.bundle(scene).open("a", encoding="ascii") as stream:
                stream.write("\n" + Path(self.certs.ca_file).read_text(encoding="ascii"))
        scene.configure(settings)
        for name, url in tenants.items():
            scene.add_tenant(name, url, TOKEN)
        return scene

    @staticmethod
    def bundle(scene: Scene) -> Path:
        """The CA bundle that ships with the app."""
        return Path(scene.home.app / "lib/certifi/cacert.pem")

    def results(self, path: Path, rows: int) -> Path:
        """Write a results file of so many rich rows, as Splunk does, with a companion column for every field.

        The same thousand rows come again and again, much further apart than gzip can see; the file is made of gzip members, one
        for each time, which is quick to write and read like any other.

        Raises:
            ValueError: `rows` is beyond a thousand, and no whole number of thousands.
        """
        block = min(rows, _BLOCK)
        if rows % block:
            raise ValueError(f"{rows} rows are not whole blocks of {block}")
        write_results(path, (rich_row(number) for number in range(block)))
        head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
        member = gzip.compress(body)
        path.write_bytes(gzip.compress(head + b"\n") + member * (rows // block))
        return path

    def alert(self, scene: Scene, rows: int = 1, **search: object) -> Alert:
        """A firing of a search with so many rows; those of more than one row send them all."""
        fired = failed_logins(
            rows=[row(0)], result_count=rows, params={"send": "all" if rows > 1 else "first"}, **search
        )
        return alerts.from_payload(scene.splunk.payload(fired, ""))[0]

    def put(self, scene: Scene, rows: int, count: int = 1, *, tenant: str = "main") -> None:
        """Put so many alerts into the outbox, as the action does; those of more than one row with a results file of plain rows."""
        results = scene.home.path / "results.csv.gz"
        if rows > 1:
            with gzip.open(str(results), "wt", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, list(row(0)))
                writer.writeheader()
                writer.writerows(row(number) for number in range(rows))
        alert = self.alert(scene, rows)._replace(tenant=tenant)
        outbox = Outbox(str(scene.outbox))
        for number in range(count):
            one = alert._replace(sid=f"{alert.sid}_{number}")
            outbox.put(one, results_path=str(results) if rows > 1 else "", captured_ms=0)

    def fill(self, scene: Scene, count: int) -> None:
        """Let so many alerts of one row wait in pending/, as after an outage; without an fsync for each, which would take minutes."""
        make_folders(str(scene.outbox), FOLDERS)
        alert = self.alert(scene)
        for number in range(count):
            one = alert._replace(sid=f"{alert.sid}_w{number}")
            path = scene.outbox / "pending" / f"{trigger_ms(one):013d}-{firing_id(one, '')}.alert"
            path.write_bytes(header_line(Header(one, rows=False, captured_ms=0, fault="")))
