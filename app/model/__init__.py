"""The agent's leg: a realtime model over a WebSocket."""
