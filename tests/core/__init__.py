"""Tests of the pure core: no process, socket or clock. They must not need a stand-in."""
