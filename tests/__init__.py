"""The tests of parapet_security."""
