"""Measurements that are run by hand. Must not judge: what is a test is in tests/."""
