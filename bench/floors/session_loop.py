"""The floor under the forwarder: a bare loop on one requests.Session. Stdin: JSON with url, token, ca_file, count and body."""

import json
import sys

import requests

told = json.load(sys.stdin)
session = requests.Session()
session.trust_env = False
session.verify = told["ca_file"]
session.headers.update({"Authorization": "Bearer " + told["token"], "Content-Type": "application/json"})
body = told["body"].encode()
for _ in range(told["count"]):
    session.post(told["url"], data=body).raise_for_status()
