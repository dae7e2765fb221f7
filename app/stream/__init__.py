"""The caller's leg: Twilio Media Streams."""
