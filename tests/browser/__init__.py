"""The tests that need a browser, and what they share."""
