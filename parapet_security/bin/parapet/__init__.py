"""The package behind the app's entry scripts: capture → outbox → deliver. Must not do anything on import."""
