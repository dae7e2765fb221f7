"""The one hierarchy of errors. A message says what was expected, what came, and what to do about it."""


class VoiceAgentError(Exception):
    """Anything that goes wrong by our own account."""


class SettingsError(VoiceAgentError):
    """A setting or an agent file is missing or senseless; the message is for whoever configures the service."""


class CallRefused(VoiceAgentError):  # noqa: N818 - not an error of ours: a caller is turned away at the door
    """Turned away at the door: signature, ticket, no room. `reason` is a short snake_case word for logs and metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PeerError(VoiceAgentError):
    """The other side broke its word or left; the call ends politely and the record says so."""


class StreamError(PeerError):
    """The carrier's media stream broke its word or left."""


class ModelError(PeerError):
    """The realtime model broke its word, refused us or left."""


class ToolError(VoiceAgentError):
    """A tool could not do its work; the text is what the model is told."""


class InvariantError(VoiceAgentError):
    """Our own bug: end the call loudly, keep the journal."""
