"""The embedded realtime model: a server that hears a small English vocabulary and answers by rules."""
