"""The command line of build.py: reads the arguments, calls what does the work, and words an expected failure.

It must not do any of that work itself.
"""

from __future__ import annotations

import argparse
import sys

from build_tools import check, environment, package, suite
from build_tools.project import ROOT, BuildError, run_openly

_EXAMPLES = """\
commands:
  (none)   make dist/parapet_security-<version>.spl, with its SHA-256 and SBOM (CycloneDX) beside it
  demo     build the app, install it into a throw-away Splunk home, and watch an alert reach an embedded tenant;
           --keep leaves it running, with the setup page for your browser
  test     run the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser (Chromium);
           further arguments are pytest's, and files or folders among them decide what runs at all
  check    linters, types, Python 3.7 syntax, and Splunk AppInspect under every tag

examples:
  python3 build.py
  python3 build.py --splunkbase             the package to upload to Splunkbase
  python3 build.py test --python 3.9 -k outbox -x
  python3 build.py test tests/test_build.py -n 0
  python3 build.py test tests/browser       the browser only; its screenshots are in .screens/
  python3 build.py demo --help

Packages that a command needs are installed into .venv, at the versions and digests pinned in requirements/.
"""


def main(arguments: list[str]) -> int:
    """Does what the arguments ask for and returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if "--" in rest:
        rest.remove("--")  # it has told our arguments from pytest's, and is neither
    if rest and options.command not in {"test", "demo"}:
        parser.error(f"unknown argument: {rest[0]}")
    try:
        return _run(options, rest)
    except (BuildError, OSError) as exc:
        print(f"build.py: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: interrupted", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    if options.command == "test":
        return suite.run(options.python, rest)
    if options.command == "check":
        return check.run()
    if options.command == "demo":
        return _demo(rest)
    path = package.build(ROOT / "dist", splunkbase=options.splunkbase)
    print(path.relative_to(ROOT))
    return 0


def _demo(rest: list[str]) -> int:
    """Runs the demo in an environment that has what the stand-ins need, on the first supported Python that is here."""
    found = [version for version in ("3.9", "3.13", "3.7") if environment.interpreter(version)]
    python = environment.for_tests(found[0] if found else environment.running())
    start = "import sys; from build_tools.demo import main; sys.exit(main(sys.argv[1:]))"
    return run_openly([str(python), "-c", start, *rest])


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
    commands.add_parser("demo", add_help=False, allow_abbrev=False)
    commands.add_parser("check", description="Exits with 0 only if every tool is content.", allow_abbrev=False)
    test = commands.add_parser("test", description="Further arguments go to pytest.", allow_abbrev=False)
    test.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="3.X",
        help="run in this Python only, and not in the browser; can be given more than once "
        "(default: each of 3.7, 3.9, 3.13 that is found, and the browser)",
    )
    return parser
