"""Which rules have our action, and how they get, change and lose it. Must not know what a template says."""
