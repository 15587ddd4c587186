"""A plain client for the stand-in's own tests. Must not know Kibana: each test says what it sends."""

from __future__ import annotations

import requests


class Talk:
    """Sends requests to a Kibana as its user with all rights, by API key."""

    def __init__(self, kibana, space="default", **headers):
        """Talk to `kibana`; `headers` (with _ for -) are sent too, None leaves one out."""
        self._base = kibana.url + ("" if space == "default" else "/s/" + space)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = kibana.ca_file
        self._session.headers.update({"kbn-xsrf": "true", "x-elastic-internal-origin": "Kibana"})
        self._session.headers.update({"Authorization": "ApiKey " + kibana.api_key})
        self._session.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def __call__(self, method, path, body=None, **query):
        """Send; returns (status, JSON or text or None)."""
        answer = self._session.request(method, self._base + path, params=query, json=body, timeout=10)
        try:
            return answer.status_code, answer.json() if answer.content else None
        except ValueError:
            return answer.status_code, answer.text
