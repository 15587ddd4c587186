"""The floor under many rows: gunzip, csv.reader and json.dumps, nothing else. Arguments: the results file."""

import csv
import gzip
import json
import sys

with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="") as stream:
    reader = csv.reader(stream)
    header = next(reader)
    for values in reader:
        json.dumps(dict(zip(header, values)))
