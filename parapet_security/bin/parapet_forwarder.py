#!/usr/bin/env python3
"""The forwarder's entry, a modular input: Splunk starts it and keeps it running. Must not do anything but hand over."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from parapet.modular_input import Forwarder

if __name__ == "__main__":
    sys.exit(Forwarder().run(sys.argv))
