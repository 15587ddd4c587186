"""The floor under the action: read JSON from stdin, write one file, fsync file and folder, rename. Arguments: the file."""

import json
import os
import sys

target = sys.argv[1]
payload = json.load(sys.stdin)
with open(target + ".tmp", "w") as file:
    json.dump(payload, file)
    file.flush()
    os.fsync(file.fileno())
os.rename(target + ".tmp", target)
folder = os.open(os.path.dirname(target), os.O_RDONLY)
os.fsync(folder)
os.close(folder)
