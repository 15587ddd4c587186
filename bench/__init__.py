"""What the product reaches in speed and memory, measured. Must not do anything at import but say where the product is."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "parapet_security" / "bin"))
