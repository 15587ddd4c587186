"""The fault table: what can go wrong around an alert, and what then becomes of it."""
