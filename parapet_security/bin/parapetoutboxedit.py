#!/usr/bin/env python3
"""The entry of the search command `| parapetoutboxedit`, which changes entries of the outbox. Must not do anything but hand over."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from parapet import search_command

if __name__ == "__main__":
    sys.exit(search_command.main(search_command.OutboxEdit))
