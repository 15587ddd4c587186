"""What Kibana makes of a template, and what is wrong with one. Must not know that there is a Kibana to talk to."""
