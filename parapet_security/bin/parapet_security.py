#!/usr/bin/env python3
"""The alert action's entry: Splunk starts it once for each alert. Must not do anything but hand over."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from parapet import app, capture

if __name__ == "__main__":
    app.end(app.run(lambda: capture.main(sys.argv, getattr(sys.stdin, "buffer", None), sys.stderr, os.environ)))
