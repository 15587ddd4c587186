"""The command line. Must not do any of the work itself."""

from __future__ import annotations


def main() -> int:
    """Read the arguments, do what they ask for, and return the exit code."""
    return 2
