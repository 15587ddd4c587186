"""A process that attaches: for the tests that kill one. Must not hold a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "elastic"))

from parapet_elastic.apply import Options, attach
from parapet_elastic.kibana import Access, Kibana
from parapet_elastic.rule_actions import EACH_ALERT, Wanted
from parapet_elastic.rules import Selection
from parapet_elastic.screen import Screen
from parapet_elastic.secret import Secret

if __name__ == "__main__":
    url, state, key = sys.argv[1], sys.argv[2], sys.stdin.readline().strip()
    kibana = Kibana(Access(url, api_key=Secret(key), timeout=20))
    wanted = Wanted("parapet-security", '{"source": "elastic"}', EACH_ALERT)
    screen = Screen(json=True, yes=True)
    sys.exit(attach(kibana, screen, Selection(everything=True), wanted, options=Options(state_dir=state)))
