"""A call comes in: the webhooks, the media WebSocket, and who is let through."""
