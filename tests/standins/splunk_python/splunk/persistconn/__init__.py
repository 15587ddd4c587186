"""Splunk's package for persistent REST handlers."""
