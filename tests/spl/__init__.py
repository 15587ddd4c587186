"""Splunk's search language and its reading of log files, as far as the searches that the app ships need them, for tests."""
