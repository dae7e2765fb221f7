"""Is this really Twilio? And under which URLs does it know us?

Everything is checked against the configured PUBLIC_URL, never against Host or forwarded headers, which whoever asks can
write. Without an auth token nothing can be checked, and only what arrives on a loopback address is served.
Source: Twilio, "Webhooks security" and "Media Streams – security".
"""

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from app.errors import CallRefused, SettingsError

_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Where Twilio reaches us. prefix: the path that PUBLIC_URL carries, "" or such as "/voice"."""

    scheme: str
    host: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the parts of PUBLIC_URL. Raises SettingsError when it is none that Twilio could use."""
        parts = urlsplit(url)
        if parts.scheme not in _SOCKET_SCHEMES or not parts.hostname or parts.query or parts.fragment or "@" in url:
            raise SettingsError(
                f"PUBLIC_URL is {url!r}; write where Twilio reaches this service, such as https://voice.example.com"
            )
        # small letters, for Twilio signs the host as the stack that sent the request wrote it
        return cls(parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"))

    def page(self, path: str) -> str:
        """Return the URL of a webhook. path: of the route, such as /twilio/voice."""
        return f"{self.scheme}://{self.host}{self.prefix}{path}"

    def socket(self, path: str) -> str:
        """Return the URL of a WebSocket: wss for https, ws for http."""
        return f"{_SOCKET_SCHEMES[self.scheme]}://{self.host}{self.prefix}{path}"

    def as_requested(self, path: str, raw_path: bytes, query: bytes) -> str:
        """Return the URL that was requested of a route, with escapes and query as they were sent.

        path: the route's; raw_path: as it reached us. A proxy may have taken the prefix off or left it.
        """
        prefix = "" if unquote_to_bytes(raw_path) == (self.prefix + path).encode() else self.prefix
        url = f"{self.scheme}://{self.host}{prefix}{raw_path.decode('latin-1')}"
        return f"{url}?{query.decode('latin-1')}" if query else url


class Signatures:
    """Checks the signatures of one account's requests. auth_token: None when none is configured."""

    def __init__(self, auth_token: str | None) -> None:
        self._validator = RequestValidator(auth_token) if auth_token else None

    def check_form(
        self, url: str, form: FormData, signature: str | None, server: tuple[str, int | None] | None
    ) -> None:
        """Let a webhook through, or raise CallRefused.

        url: as requested; form: as starlette gives it, since blank values and repeated names are signed too;
        server: the address on which the request arrived.
        """
        if self._needs_signature(signature, server):
            self._check((url,), form, signature)

    def check_handshake(self, url: str, signature: str | None, server: tuple[str, int | None] | None) -> None:
        """Let a media socket's handshake through, or raise CallRefused.

        url: of the socket, as our TwiML wrote it. Twilio signs that, or, says its documentation, that and a slash.
        """
        if self._needs_signature(signature, server):
            self._check((url, url + "/"), FormData(), signature)

    def precheck(self, signature: str | None, server: tuple[str, int | None] | None) -> None:
        """Raise CallRefused for a request that cannot be let through whatever it holds: its body need not be read."""
        self._needs_signature(signature, server)

    def _needs_signature(self, signature: str | None, server: tuple[str, int | None] | None) -> bool:
        if self._validator is None:
            if is_loopback(server):
                return False
            raise CallRefused(
                "no_auth_token", "without TWILIO_AUTH_TOKEN only requests to a loopback address are served; set it"
            )
        if not signature:
            raise CallRefused("unsigned", "the request carries no X-Twilio-Signature")
        return True

    def _check(self, urls: tuple[str, ...], form: FormData, signature: str | None) -> None:
        assert self._validator is not None
        try:
            if any(self._validator.validate(url, form, signature) for url in urls):
                return
        except (TypeError, ValueError):
            pass  # a form that cannot have been signed: a file among its fields, characters that no URL has
        raise CallRefused(
            "wrong_signature", "X-Twilio-Signature does not fit this request, TWILIO_AUTH_TOKEN and PUBLIC_URL"
        )


def is_loopback(server: tuple[str, int | None] | None) -> bool:
    """Say whether a request arrived on an address that only this machine can reach."""
    if server is None:
        return False
    try:
        address = ipaddress.ip_address(server[0].partition("%")[0])
    except ValueError:  # the path of a Unix socket, or a name
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
