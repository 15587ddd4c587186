"""The app's version, for the User-Agent. Must not read a file: build.py and a test keep it equal to app.manifest."""

VERSION = "1.0.0"
USER_AGENT = f"parapet-security-splunk/{VERSION}"
