"""The little of Splunk's own Python package that a persistent REST handler imports."""
