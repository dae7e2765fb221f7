"""The offline carrier: what Twilio does to a service, with a play-out clock, to test and to try agents.

It is the other side of the wire and shares no code with the legs that it talks to, so that one mistake cannot hide
in both.
"""
