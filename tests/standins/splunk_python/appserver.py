"""The process in which splunkd keeps one persistent REST handler: a line of JSON in, a line of JSON out.

Must not catch what a handler raises: the process ends, and splunkd answers 500.
"""

import importlib
import json
import sys

from splunk.persistconn.application import PersistentServerConnectionApplication


def main(argv):
    """Serve `<bin folder> <module.Class>` until stdin ends."""
    bin_folder, name = argv[1:]
    sys.path[0] = bin_folder
    module, _, class_name = name.rpartition(".")
    handler_class = getattr(importlib.import_module(module), class_name)
    if not issubclass(handler_class, PersistentServerConnectionApplication):
        raise TypeError(name + " is not a PersistentServerConnectionApplication")
    handler = handler_class(" ".join(argv), name)
    for line in sys.stdin:
        answer = handler.handle(line.rstrip("\n"))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    handler.done()


if __name__ == "__main__":
    main(sys.argv)
