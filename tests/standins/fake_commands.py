"""A search command in the shape of ours, added to the tiny app for the stand-ins' own tests.

Must not be used by the product's tests: they install the real ones.
"""

from __future__ import annotations

# `| parapetsay how=…` does what it is told, by the bare protocol.
_SAY = r"""
import json, os, re, sys, time

ROWS = 'name,__mv_name,tags,__mv_tags,_time,__mv__time\r\n"one ""1""\nline",,"a\nb$c",$a$;$b$$c$,1769614200.5,\r\ntwo,,,,,\r\n'

def read():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    size, body = re.match(rb"chunked 1\.0,(\d+),(\d+)\n$", line).groups()
    assert body == b"0"
    return json.loads(sys.stdin.buffer.read(int(size)).decode())

def write(metadata, body="", cut=0):
    document, body = json.dumps(metadata).encode(), body.encode()
    out = b"chunked 1.0,%d,%d\n" % (len(document), len(body)) + document + body
    sys.stdout.buffer.write(out[:-cut] if cut else out)
    sys.stdout.buffer.flush()

asked = read()
assert asked["action"] == "getinfo" and asked["preview"] is False
info = asked["searchinfo"]
how = dict(a.split("=", 1) for a in info["args"] if "=" in a).get("how", "rows")
print("stderr of", how, file=sys.stderr)
setup = {"type": "stateful", "generating": True}
if how == "print": print("hello", flush=True)
if how == "type": setup["type"] = "eventing"
if how == "streaming": setup["generating"] = False
if how == "body": write(setup, "x"); read()
if how == "list": write([1]); read()
if how == "error": setup["error"] = "cannot"
if how == "refuse":
    write({**setup, "inspector": {"messages": [["ERROR", "Unrecognized option: x=1"]]}})
    sys.exit(1)
write(setup)
asked = read()
assert asked == {"action": "execute", "finished": True}, asked
if how == "exit": sys.exit(3)
if how == "gone": sys.exit(0)
if how == "stuck":
    open(os.path.join(os.environ["SPLUNK_HOME"], "stuck"), "w").close()
    time.sleep(600)
if how == "cut": write({"finished": True}, ROWS, cut=5); sys.exit(0)
if how == "csv": write({"finished": True}, 'a,b\r\n1\r\n')
if how == "twice": write({"finished": True}, 'a,a\r\n1,2\r\n')
if how == "nameless": write({"finished": True}, 'a,\r\n1,\r\n')
if how == "stray": write({"finished": True}, 'a,__mv_b\r\n1,\r\n')
if how == "half": write({"finished": True}, 'a,__mv_a\r\n1,$x$;y\r\n')
if how == "level": write({"inspector": {"messages": [["LOUD", "x"]]}, "finished": True})
if how == "unfinished": write({})
if how == "late": write({"finished": True}); print("bye")
if how == "complain":
    write({"inspector": {"messages": [["ERROR", "no such tenant"], ["INFO", "try main"]]}, "finished": True})
    sys.exit(1)
if how == "info":
    shown = {**info, "cwd": os.getcwd(), "environ": sorted(os.environ), "argv": sys.argv[1:],
             "key": info["session_key"], "ls": os.path.isdir(info["dispatch_dir"])}
    text = json.dumps(shown).replace('"', '""')
    write({"finished": True}, 'info,__mv_info\r\n"%s",\r\n' % text)
if how == "many":
    write({"finished": False}, "n,__mv_n\r\n" + "".join("%d,\r\n" % n for n in range(100)))
    read()
    write({"finished": True}, "n,__mv_n\r\n" + "".join("%d,\r\n" % n for n in range(100, 120)))
write({"finished": True}, ROWS) if how == "rows" else None
"""

# The same with Splunk's SDK, as our commands are written.
_SDK = """
import sys
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, dispatch

@Configuration(type="reporting")
class Sdk(GeneratingCommand):
    tenant = Option(require=False)
    def generate(self):
        if self.tenant == "none":
            self.error_exit(ValueError("x"), "no such tenant")
        if self.tenant == "boom":
            raise ValueError("boom")
        yield {"tenant": self.tenant or "", "who": self.metadata.searchinfo.username,
               "held": ["a: b", "c; $d$"], "name": self.service.token and self.service.info["serverName"]}

dispatch(Sdk, sys.argv, sys.stdin, sys.stdout, __name__)
"""

COMMANDS = {
    "bin/parapetsay.py": _SAY,
    "bin/sdk_command.py": _SDK,
    "default/commands.conf": """\
        [parapetsay]
        chunked = true
        python.version = python3
        python.required = 3.9, 3.13

        [parapetsdk]
        chunked = true
        filename = sdk_command.py

        [parapetlost]
        chunked = true
        filename = ../bin/parapetsay.py
        """,
    "default/macros.conf": """\
        [parapet_index]
        definition = index=_internal
        iseval = 0
        [hidden]
        definition = index=_internal
        """,
    "default/props.conf": """\
        [source::...(/|\\\\)var(/|\\\\)log(/|\\\\)splunk(/|\\\\)parapet_security.log(.\\d+)?]
        sourcetype = parapet_security:log
        [parapet_security:log]
        KV_MODE = auto_escaped
        EXTRACT-log_level = ^\\S+\\s(?<log_level>DEBUG|INFO|WARN|ERROR|FATAL)\\s
        """,
    "metadata/default.meta": """\
        []
        access = read : [ * ], write : [ admin, sc_admin ]
        [commands]
        access = read : [ admin, sc_admin ], write : [ admin, sc_admin ]
        export = system
        [commands/parapetsdk]
        export = none
        [macros/hidden]
        access = read : [ admin, sc_admin ], write : [ admin ]
        """,
}
