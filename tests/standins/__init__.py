"""Stand-ins for what the product talks to; each is as strict as the real thing."""
