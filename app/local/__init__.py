"""The embedded realtime model: a server in a process of its own, with a recogniser, rules and voices of its own."""
