"""Sends later what Kibana has dropped. Must not edit a rule."""
