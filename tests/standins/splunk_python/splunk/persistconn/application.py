"""The base class of a persistent REST handler, with the methods that Splunk's has.

Must not do anything by itself.
"""


class PersistentServerConnectionApplication:
    """What a handler derives from; its `__init__` takes nothing, a handler's own takes two arguments."""

    def handle(self, in_string):
        """Answer one request, a JSON text, with a dict of `payload` and `status`."""
        raise NotImplementedError

    def done(self):
        """Called when the connection ends."""
