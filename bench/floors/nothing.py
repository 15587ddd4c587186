"""The floor under everything: an interpreter that starts and ends."""
