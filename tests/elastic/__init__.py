"""Tests of elastic/, and its stand-ins. They need Python 3.9, as parapet-elastic does."""
