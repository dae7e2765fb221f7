"""How we see it run: logs, metrics and the story of a call, read from the journal."""
