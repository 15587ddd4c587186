"""Tests of the outbox: its files, its lock, and the holder's index of what waits."""
