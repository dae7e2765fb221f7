"""What remains of a call: its record, kept as the journal tells it, filed and shown."""
