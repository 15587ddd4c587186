#!/usr/bin/env python3
"""The one entry point of this project: packages, tests, checks and demonstrates the app.

It holds no logic (that is build_tools) and must parse on any Python, so that an old one gets a sentence and no traceback.
"""

import sys

if sys.version_info < (3, 7):
    sys.exit("build.py: needs Python 3.7 or newer, and this is %d.%d" % sys.version_info[:2])

from build_tools.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
