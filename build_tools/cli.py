"""The command line of build.py: reads the arguments, calls what does the work, and words an expected failure.

It must not do any of that work itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.goals import GROUPS
from build_tools import bench, check, elastic, environment, fuzz, mutation, package, suite
from build_tools.project import ROOT, BuildError, run_openly

if TYPE_CHECKING:
    from typing import Any, Callable

_INTERRUPTED = 130

_EXAMPLES = """\
commands:
  (none)   make dist/parapet_security-<version>.spl, with its SHA-256 and SBOM (CycloneDX) beside it
  demo     build the app, install it into a throw-away Splunk home, and watch an alert reach an embedded tenant;
           --keep leaves it running, with the setup page for your browser
  test     run the tests in every Python found of 3.7, 3.9 and 3.13, and once those in a browser (Chromium)
  check    linters, types, Python 3.7 syntax, and Splunk AppInspect under every tag
  bench    measure speed and memory in Python 3.9 and 3.13, each number beside the floor that it is held against
  mutate   change the core's code in small ways, and count how many of these changes its tests notice
  fuzz     try hostile input of every kind, guided by coverage: 100,000 inputs in some minutes

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
  python3 build.py test --crash 1000 --python 3.9     the crash tests only, as docs/durability.md reports them
  python3 build.py test -- --lf                       those that failed last time

The tests in a browser need Chromium or Chrome on the PATH. On Debian and Ubuntu, root gets the package chromium by
apt-get. Where there is none, all other tests run, and that these did not counts as a failure.
"""

_MUTATE = f"""\
Changes a module's code in one small way after another (with Cosmic Ray, in a copy of its own) and runs the tests that
belong to it each time: a change that no test notices is one that nobody would notice. Writes figures and survivors into
docs/mutation.md, which git tracks. All modules together take about an hour on one core.
Modules: {", ".join(mutation.TESTS)}.
Exit code: 0 at least {mutation.LEAST} % of each module's mutants were killed, 1 not so, 130 interrupted."""

_BENCH = """\
Measures speed and memory, each number as a ratio to its floor: a small script in bench/floors/ that does nothing else.
Both run in turns, so that what slows the machine slows both. The table shows medians and, in brackets, quartiles; the
goals are those of the design, and a goal that is not reached is no failure. Takes half an hour, and wants a machine
that does nothing else; with --quick one to two minutes.
Exit code: 0 everything was measured, 1 not so, 130 interrupted."""

_BENCH_EXAMPLES = """\
examples:
  python3 build.py bench --quick
  python3 build.py bench --python 3.9 --only action --only direct
  python3 build.py bench --json before.json
"""

_FUZZ = """\
Runs the targets of tests/fuzz under atheris: what comes from outside is made up, with the package's coverage as the
guide, and a target calls the product with it and holds it to its promises (docs/fuzzing.md). It needs Linux and Python
3.13. All targets together take some minutes.
An input that breaks a promise is kept in tests/fuzz/corpus, where every test run replays it.
Exit code: 0 nothing was found, 1 something was, 130 interrupted."""


_CHECK = """\
Judges the code without running it: ruff (rules and format), mypy, Python 3.7's syntax where there is one, and Splunk
AppInspect on the package, under every tag. Changes no file. Takes some minutes.
Exit code: 0 every tool is content, 1 not so, 130 interrupted."""


def main(arguments: list[str]) -> int:
    """Does what the arguments ask for and returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        return elastic.run(arguments[1:]) if arguments[:1] == ["elastic"] else _command_of_ours(arguments)
    except (BuildError, OSError) as exc:
        print(f"build.py: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _command_of_ours(arguments: list[str]) -> int:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = _parser().parse_known_args(arguments[:at])
    # Our own options are all long ones, so a long one that is unknown is a slip, and no venv need be made to find out.
    strange = [text for text in rest if options.command != "test" or text.startswith("--")] + (
        arguments[at:] if options.command != "test" else []
    )
    if strange:
        hint = f"; pytest's own go after --, as in: test -- {strange[0]}" if options.command == "test" else ""
        options.parser.error(f"unknown argument: {strange[0]}{hint}")
    missing = suite.not_there(rest)
    if missing:
        options.parser.error(f"no such file or folder: {missing[0]}")
    return _run(options, rest + arguments[at + 1 :])


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    does: dict[str, Callable[[], int]] = {
        "test": lambda: _test(options, rest),
        "bench": lambda: bench.run(options.python, quick=options.quick, only=options.only, file=options.json),
        "check": check.run,
        "demo": lambda: _demo(keep=options.keep),
        "mutate": lambda: mutation.run(options.modules),
        "fuzz": lambda: fuzz.run(options.inputs, options.target, options.seed),
    }
    if options.command:
        return does[options.command]()
    path = package.build(ROOT / "dist", splunkbase=options.splunkbase)
    print(path.relative_to(ROOT))
    return 0


def _test(options: argparse.Namespace, rest: list[str]) -> int:
    variables = {"PARAPET_SEED": str(options.seed)} if options.seed else {}
    if options.crash:
        variables["PARAPET_CRASH"] = str(options.crash)
        rest = [*suite.CRASH, *rest]
    return suite.run(options.python, rest, **variables)


def _demo(*, keep: bool) -> int:
    """Runs the demo in an environment that has what the stand-ins need, on the first supported Python that is here."""
    found = [version for version in ("3.9", "3.13", "3.7") if environment.interpreter(version)]
    python = environment.for_tests(found[0] if found else environment.running())
    return run_openly(
        [str(python), "-c", f"import sys; from build_tools.demo import main; sys.exit(main(keep={keep}))"]
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 up is wanted, not {text!r}")
    return int(text)


def _module(text: str) -> str:
    if text not in mutation.TESTS:
        raise argparse.ArgumentTypeError(f"no tests are known for {text!r}; there are {', '.join(mutation.TESTS)}")
    return text


def _python(supported: tuple[str, ...]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in supported:
            raise argparse.ArgumentTypeError(f"one of {', '.join(supported)} is wanted, not {text!r}")
        if environment.interpreter(text) is None:
            raise argparse.ArgumentTypeError(environment.not_found(text))
        return text

    return checked


def _new_file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir() or path.is_dir():
        raise argparse.ArgumentTypeError(f"a file in a folder that is there is wanted, not {text!r}")
    return path


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
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(dest="command", metavar="[command]")
    demo = _command(commands, "demo", description=_DEMO)
    demo.add_argument(
        "--keep",
        action="store_true",
        help="leave it running at the end until Ctrl-C, with the setup page for your browser",
    )
    mutate = _command(commands, "mutate", description=_MUTATE)
    mutate.add_argument(
        "modules",
        nargs="*",
        type=_module,
        metavar="module",
        help="change these only (default: all of them)",
    )
    fuzzing = _command(commands, "fuzz", description=_FUZZ)
    fuzzing.add_argument(
        "--inputs", type=_count, default=fuzz.INPUTS, metavar="N", help="how many in all (default: %(default)s)"
    )
    fuzzing.add_argument(
        "--target",
        choices=fuzz.TARGETS,
        action="append",
        default=[],
        metavar="T",
        help="only these: " + ", ".join(fuzz.TARGETS) + "; can be given more than once",
    )
    fuzzing.add_argument("--seed", type=_count, default=1, metavar="S", help="another seed, other inputs (default: 1)")
    _command(commands, "check", description=_CHECK)
    test = _command(
        commands,
        "test",
        usage="build.py test [--python 3.X] [--crash N] [--seed S] [file or folder ...] [-- pytest's options]",
        description=_TEST,
        epilog=_TEST_EXAMPLES,
    )
    test.add_argument(
        "--python",
        type=_python(environment.SUPPORTED),
        action="append",
        default=[],
        metavar="3.X",
        help="run in this Python only, and not in the browser; can be given more than once "
        "(default: each of 3.7, 3.9, 3.13 that is found, and the browser)",
    )
    test.add_argument(
        "--crash",
        type=_count,
        metavar="N",
        help="run the crash tests only: N processes killed, N runs of the outbox's model, a power cut after every call",
    )
    test.add_argument("--seed", type=_count, metavar="S", help="draw as the run did that printed PARAPET_SEED=S")
    _add_bench(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, **words: Any
) -> argparse.ArgumentParser:
    """Adds a command; whoever finds a slip later tells it with this command's usage."""
    parser = commands.add_parser(
        name, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **words
    )
    parser.set_defaults(parser=parser)
    return parser


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "bench", description=_BENCH, epilog=_BENCH_EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="few pairs and small loads")
    parser.add_argument(
        "--python",
        type=_python(bench.PYTHONS),
        action="append",
        default=[],
        metavar="3.X",
        help="measure in this Python; can be given more than once",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=GROUPS,
        metavar="GROUP",
        help="only these: " + ", ".join(GROUPS) + "; can be given more than once",
    )
    parser.add_argument(
        "--json",
        type=_new_file,
        default=bench.DEFAULT,
        metavar="FILE",
        help="where the JSON goes (default: dist/bench.json)",
    )
