"""Has Kibana send the alerts of Elastic Security to Parapet Security, and shows that it does. Must not import anything."""

__version__ = "1.0.0"
