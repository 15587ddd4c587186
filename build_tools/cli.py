"""The command line of build.py: reads the arguments, calls what does the work, and words an expected failure.

It must not do any of that work itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.goals import GROUPS
from build_tools import bench, check, elastic, environment, fuzz, mutation, package, suite, words
from build_tools.project import ROOT, BuildError, run_openly

if TYPE_CHECKING:
    from typing import Any, Callable

_INTERRUPTED = 130


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
        "demo": lambda: _demo(options),
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


def _demo(options: argparse.Namespace) -> int:
    if not options.elastic:
        return _play("demo", f"keep={options.keep}", ("3.9", "3.13", "3.7"))
    environment.for_elastic()
    return _play("demo_elastic", "", ("3.9", "3.13"), PYTHONPATH=str(ROOT / "elastic"))


def _play(module: str, arguments: str, versions: tuple[str, ...], **variables: str) -> int:
    """Runs a demo in an environment that has what the stand-ins need, on the first of these Pythons that is here."""
    found = next((version for version in versions if environment.interpreter(version)), None)
    python = environment.for_tests(found or environment.running())
    call = f"import sys; from build_tools.{module} import main; sys.exit(main({arguments}))"
    return run_openly([str(python), "-c", call], **variables)


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
        epilog=words.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--splunkbase", action="store_true", help="make the package for Splunkbase: it looks for updates"
    )
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(dest="command", metavar="[command]")
    demo = _command(commands, "demo", description=words.DEMO)
    either = demo.add_mutually_exclusive_group()
    either.add_argument(
        "--keep",
        action="store_true",
        help="leave it running at the end until Ctrl-C, with the setup page for your browser",
    )
    either.add_argument(
        "--elastic", action="store_true", help="the Kibana side: parapet-elastic and a stand-in for Kibana"
    )
    mutate = _command(commands, "mutate", description=words.MUTATE)
    mutate.add_argument(
        "modules",
        nargs="*",
        type=_module,
        metavar="module",
        help="change these only (default: all of them)",
    )
    fuzzing = _command(commands, "fuzz", description=words.FUZZ)
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
    _command(commands, "check", description=words.CHECK)
    test = _command(
        commands,
        "test",
        usage="build.py test [--python 3.X] [--crash N] [--seed S] [file or folder ...] [-- pytest's options]",
        description=words.TEST,
        epilog=words.TEST_EXAMPLES,
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
    parser = _command(commands, "bench", description=words.BENCH, epilog=words.BENCH_EXAMPLES)
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
