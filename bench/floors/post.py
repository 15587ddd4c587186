"""The floor under direct delivery: one bare POST over TLS. Arguments: host, port, path, trust store; stdin: a line with the token, then the body."""

import http.client
import ssl
import sys

host, port, path, trust = sys.argv[1:]
token, body = sys.stdin.read().split("\n", 1)
connection = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=trust))
headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
connection.request("POST", path, body.encode(), headers)
answer = connection.getresponse()
answer.read()
sys.exit(answer.status != 200)
