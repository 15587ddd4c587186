"""The persistent REST handlers of one splunkd: which path is whose, what they are passed, and their processes.

Must not read a request's socket, nor decide who may log in.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Optional

from tests.standins.splunkd_access import SYSTEM_USER, need
from tests.standins.splunkd_answers import Answer, Refused
from tests.standins.splunkd_persist import HandlerPool, load_endpoints

if TYPE_CHECKING:
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_access import Access
    from tests.standins.splunkd_call import Call
    from tests.standins.splunkd_persist import Endpoint
    from tests.standins.splunkd_resources import ServerInfo


class Handlers:
    """What restmap.conf named when splunkd last started; nothing before `restart()`."""

    def __init__(
        self,
        home: SplunkHome,
        access: Access,
        info: ServerInfo,
        *,
        python: str,
        processes: int,
        env: Optional[dict[str, str]],
    ) -> None:
        """Start nothing yet."""
        self._home, self._access, self._info = home, access, info
        self._python, self._size, self._env = python, processes, env
        self._endpoints: list[Endpoint] = []
        self._pools: dict[str, HandlerPool] = {}
        self._lock = threading.Lock()
        self._system_key = ""

    @property
    def pids(self) -> list[int]:
        """The living processes."""
        return [pid for pool in list(self._pools.values()) for pid in pool.pids]

    def restart(self) -> None:
        """End every process and read restmap.conf anew."""
        self.close()
        self._endpoints = load_endpoints(self._home)

    def close(self) -> None:
        """End every process."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def find(self, resource: tuple[str, ...]) -> Optional[Endpoint]:
        """The handler of a path."""
        return next((e for e in self._endpoints if resource[: len(e.match)] == e.match), None)

    def serve(self, endpoint: Endpoint, call: Call, port: int) -> Answer:
        """One call of a handler; `port` is splunkd's own."""
        capability = endpoint.capability(call.method)
        if capability:
            need(call.session, capability)
        with self._lock:
            if endpoint.name not in self._pools:
                pool = HandlerPool(self._home, endpoint, self._python, self._size, self._env)
                self._pools[endpoint.name] = pool
            pool = self._pools[endpoint.name]
        answer = pool.call(self._request(endpoint, call, port))
        payload = answer.get("payload", "")
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return Answer(answer["status"], text.encode("utf-8"), "application/json; charset=UTF-8")

    def _request(self, endpoint: Endpoint, call: Call, port: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "output_mode": "json",
            "output_mode_explicit": call.as_json,
            "server": {
                "rest_uri": f"https://127.0.0.1:{port}",
                "hostname": self._info.name,
                "servername": self._info.name,
                "guid": self._info.guid,
            },
            "connection": {"src_ip": "127.0.0.1", "ssl": True, "listening_port": port},
            "method": call.method,
            "rest_path": "/" + "/".join(call.resource),
            "query": call.query,
            "form": call.form,
        }
        if call.key:
            request["session"] = {"user": call.session.user, "authtoken": call.key}
        if endpoint.says("passSystemAuth", "false"):
            request["system_authtoken"] = self._system_token()
        # restmap.conf.spec: the raw body goes along only where the stanza asks for it.
        if endpoint.says("passPayload", "false"):
            request["payload"] = call.body
        return request

    def _system_token(self) -> str:
        try:
            self._access.session("Splunk " + self._system_key)
        except Refused:
            self._system_key = self._access.open(SYSTEM_USER)
        return self._system_key
