"""What build.py says of itself and of its commands: the texts of its help. Must not hold anything but texts."""

from __future__ import annotations

from build_tools import mutation

EXAMPLES = """\
commands:
  (none)   make dist/parapet_security-<version>.spl, with its SHA-256 and SBOM (CycloneDX) beside it
  demo     build the app, install it into a throw-away Splunk home, and watch an alert reach an embedded tenant;
           --keep leaves it running, with the setup page for your browser; --elastic shows the Kibana side instead
  test     run the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser (Chromium)
  check    linters, types, Python 3.7 syntax, and Splunk AppInspect under every tag
  bench    measure speed and memory in Python 3.9 and 3.13, each number beside the floor that it is held against
  mutate   change the core's code in small ways, and count how many of these changes its tests notice
  fuzz     try hostile input of every kind, guided by coverage: 100,000 inputs in some minutes
  elastic  run parapet-elastic, which sets up Kibana; what follows is its own: elastic --help

examples:
  python3 build.py
  python3 build.py --splunkbase             the package to upload to Splunkbase
  python3 build.py demo --keep
  python3 build.py elastic preview --template basic
  python3 build.py test --python 3.9        this Python only, and no browser
  python3 build.py test --help              more of these

Packages that a command needs are installed into .venv, at the versions and digests pinned in requirements/.
"""

DEMO = """\
Builds the app, installs it into a throw-away Splunk home, starts a stand-in for splunkd and a tenant (both https, on
this machine), configures it as an administrator would, and fires the guide's alert "Failed SSH Logins" three times:
with the forwarder, without it, and during an outage of the tenant. Takes well under a minute.
("The guide" is "Splunk Integration" of Parapet Security's documentation.)
With --elastic: starts a stand-in for Kibana with 300 detection rules and a tenant (both https, on this machine), and
lets parapet-elastic do all of it: doctor, connect, test, attach, an alert in each mode, attach again, rollback.
Exit code: 0 everything happened as promised, 1 something did not, 130 interrupted."""

TEST = """\
Runs the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser. All of it takes a quarter of an
hour to twenty minutes on two cores. Files and folders decide what runs at all. pytest's short options can be given as
they are, its long ones after --.
Exit code: 0 everything that was asked for ran and passed, 1 not so, 130 interrupted."""

TEST_EXAMPLES = """\
examples:
  python3 build.py test
  python3 build.py test --python 3.9 --python 3.13    these Pythons, and no browser
  python3 build.py test --python 3.9 -k outbox -x     tests with this word, to the first failure
  python3 build.py test tests/test_build.py -n 0      one file, one test after another
  python3 build.py test tests/browser                 the browser only; its screenshots are in .screens/
  python3 build.py test --crash 1000 --python 3.9     the crash tests only, as docs/durability.md reports them
  python3 build.py test -- --lf                       those that failed last time

The tests in a browser need Chromium or Chrome on the PATH. On Debian and Ubuntu, root gets the package chromium by
apt-get. Where there is none, all other tests run, and that these did not counts as a failure.
"""

MUTATE = f"""\
Changes a module's code in one small way after another (with Cosmic Ray, in a copy of its own) and runs the tests that
belong to it each time: a change that no test notices is one that nobody would notice. Writes figures and survivors into
docs/mutation.md, which git tracks. All modules together take about an hour on one core.
Modules: {", ".join(mutation.TESTS)}.
Exit code: 0 at least {mutation.LEAST} % of each module's mutants were killed, 1 not so, 130 interrupted."""

BENCH = """\
Measures speed and memory, each number as a ratio to its floor: a small script in bench/floors/ that does nothing else.
Both run in turns, so that what slows the machine slows both. The table shows medians and, in brackets, quartiles; the
goals are those of the design, and a goal that is not reached is no failure. Takes half an hour, and wants a machine
that does nothing else; with --quick one to two minutes.
Exit code: 0 everything was measured, 1 not so, 130 interrupted."""

BENCH_EXAMPLES = """\
examples:
  python3 build.py bench --quick
  python3 build.py bench --python 3.9 --only action --only direct
  python3 build.py bench --json before.json
"""

FUZZ = """\
Runs the targets of tests/fuzz under atheris: what comes from outside is made up, with the package's coverage as the
guide, and a target calls the product with it and holds it to its promises (docs/fuzzing.md). It needs Linux and Python
3.13. All targets together take some minutes.
An input that breaks a promise is kept in tests/fuzz/corpus, where every test run replays it.
Exit code: 0 nothing was found, 1 something was, 130 interrupted."""


CHECK = """\
Judges the code without running it: ruff (rules and format), mypy, Python 3.7's syntax where there is one, and Splunk
AppInspect on the package, under every tag. Changes no file. Takes some minutes.
Exit code: 0 every tool is content, 1 not so, 130 interrupted."""
