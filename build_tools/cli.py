"""The command line of build.py: reads the arguments, calls what does the work, and words an expected failure.

It must not do any of that work itself.
"""

from __future__ import annotations

import argparse
import sys

from build_tools import check, environment, package, suite
from build_tools.project import ROOT, BuildError, run_openly

_INTERRUPTED = 130

_EXAMPLES = """\
commands:
  (none)   make dist/parapet_security-<version>.spl, with its SHA-256 and SBOM (CycloneDX) beside it
  demo     build the app, install it into a throw-away Splunk home, and watch an alert reach an embedded tenant;
           --keep leaves it running, with the setup page for your browser
  test     run the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser (Chromium)
  check    linters, types, Python 3.7 syntax, and Splunk AppInspect under every tag

examples:
  python3 build.py
  python3 build.py --splunkbase             the package to upload to Splunkbase
  python3 build.py demo --keep
  python3 build.py test --python 3.9        this Python only, and no browser
  python3 build.py test --help              more of these

Packages that a command needs are installed into .venv, at the versions and digests pinned in requirements/.
"""

_DEMO = """\
Builds the app, installs it into a throw-away Splunk home, starts a stand-in for splunkd and a tenant (both https, on
this machine), configures it as an administrator would, and fires the guide's alert "Failed SSH Logins" three times:
with the forwarder, without it, and during an outage of the tenant. Takes well under a minute.
("The guide" is "Splunk Integration" of Parapet Security's documentation.)
Exit code: 0 everything happened as promised, 1 something did not, 130 interrupted."""

_TEST = """\
Runs the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser. All of it takes a quarter of an
hour to twenty minutes on two cores. Files and folders decide what runs at all. pytest's short options can be given as
they are, its long ones after --.
Exit code: 0 everything that was asked for ran and passed, 1 not so, 130 interrupted."""

_TEST_EXAMPLES = """\
examples:
  python3 build.py test
  python3 build.py test --python 3.9 --python 3.13    these Pythons, and no browser
  python3 build.py test --python 3.9 -k outbox -x     tests with this word, to the first failure
  python3 build.py test tests/test_build.py -n 0      one file, one test after another
  python3 build.py test tests/browser                 the browser only; its screenshots are in .screens/
  python3 build.py test -- --lf                       those that failed last time

The tests in a browser need Chromium or Chrome on the PATH. On Debian and Ubuntu, root gets the package chromium by
apt-get. Where there is none, all other tests run, and that these did not counts as a failure.
"""


def main(arguments: list[str]) -> int:
    """Does what the arguments ask for and returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    parser = _parser()
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = parser.parse_known_args(arguments[:at])
    # Our own options are all long ones, so a long one that is unknown is a slip, and no venv need be made to find out.
    strange = [text for text in rest if options.command != "test" or text.startswith("--")] + (
        arguments[at:] if options.command != "test" else []
    )
    if strange:
        hint = f"; pytest's own go after --, as in: test -- {strange[0]}" if options.command == "test" else ""
        parser.error(f"unknown argument: {strange[0]}{hint}")
    try:
        return _run(options, rest + arguments[at + 1 :])
    except (BuildError, OSError) as exc:
        print(f"build.py: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    if options.command == "test":
        return suite.run(options.python, rest)
    if options.command == "check":
        return check.run()
    if options.command == "demo":
        return _demo(keep=options.keep)
    path = package.build(ROOT / "dist", splunkbase=options.splunkbase)
    print(path.relative_to(ROOT))
    return 0


def _demo(*, keep: bool) -> int:
    """Runs the demo in an environment that has what the stand-ins need, on the first supported Python that is here."""
    found = [version for version in ("3.9", "3.13", "3.7") if environment.interpreter(version)]
    python = environment.for_tests(found[0] if found else environment.running())
    return run_openly(
        [str(python), "-c", f"import sys; from build_tools.demo import main; sys.exit(main(keep={keep}))"]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build.py",
        description="Packages, tests, checks and demonstrates Parapet Security for Splunk.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--splunkbase", action="store_true", help="make the package for Splunkbase: it looks for updates"
    )
    commands = parser.add_subparsers(dest="command", metavar="[command]")
    raw = argparse.RawDescriptionHelpFormatter
    demo = commands.add_parser("demo", description=_DEMO, formatter_class=raw, allow_abbrev=False)
    demo.add_argument(
        "--keep",
        action="store_true",
        help="leave it running at the end until Ctrl-C, with the setup page for your browser",
    )
    commands.add_parser("check", description="Exits with 0 only if every tool is content.", allow_abbrev=False)
    test = commands.add_parser(
        "test",
        usage="build.py test [--python 3.X] [file or folder ...] [-- pytest's options]",
        description=_TEST,
        epilog=_TEST_EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    test.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="3.X",
        help="run in this Python only, and not in the browser; can be given more than once "
        "(default: each of 3.7, 3.9, 3.13 that is found, and the browser)",
    )
    return parser
