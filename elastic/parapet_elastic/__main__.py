"""`python -m parapet_elastic`. Must not hold any logic."""

import sys

from parapet_elastic.cli import main

sys.exit(main())
