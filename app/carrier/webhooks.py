"""Asks the service over HTTP as Twilio does: signed form posts, redirects followed, one retry of a failed connect."""

import asyncio
import secrets
import socket
import ssl
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from app.carrier.signature import sign, signed_url
from app.errors import PeerError

Form = Sequence[tuple[str, str]]

_CONNECT_S = 5.0
_TOTAL_S = 15.0
_MOST_REDIRECTS = 10


class WebhookError(PeerError):
    """The service did not answer as a webhook must; `code` is Twilio's number for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """url: where it came from in the end, which relative URLs in it are relative to."""

    url: str
    status: int
    content_type: str
    body: bytes


@lru_cache(maxsize=2)
def tls_context(secure: bool) -> ssl.SSLContext:
    """Return the one TLS context of the process; loading the authorities takes 20 ms, which plain HTTP need not pay."""
    return ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Webhooks:
    """The HTTP side of one call; keeps its cookies. Use as an async context manager."""

    def __init__(self, url: str, auth_token: str | None) -> None:
        self._auth_token = auth_token
        self._client = httpx.AsyncClient(
            verify=tls_context(urlsplit(url).scheme == "https"),
            timeout=httpx.Timeout(_TOTAL_S, connect=_CONNECT_S),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> "Webhooks":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, method: str, url: str, form: Form) -> Answer:
        """Return the service's answer, of any status in 2xx. Raises WebhookError."""
        token = str(uuid.uuid4())
        try:
            async with asyncio.timeout(_TOTAL_S):
                for _ in range(_MOST_REDIRECTS + 1):
                    response = await self._request(method, url, form, token)
                    if not response.has_redirect_location:
                        return self._checked(response)
                    url = urljoin(url, response.headers["location"])
                    method = method if response.status_code in (307, 308) else "GET"
        except (httpx.TimeoutException, TimeoutError) as error:
            raise WebhookError(11205, f"{method} {url}: no answer within {_TOTAL_S:.0f} s") from error
        except httpx.ConnectError as error:
            code, hint = _reason(error)
            raise WebhookError(code, f"{method} {url}: cannot connect ({error}); {hint}") from error
        except httpx.UnsupportedProtocol as error:
            raise WebhookError(21205, f"{url!r} is no http or https URL") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookError(11200, f"{method} {url}: {error or type(error).__name__}") from error
        raise WebhookError(11215, f"{method} {url}: more than {_MOST_REDIRECTS} redirects")

    def _checked(self, response: httpx.Response) -> Answer:
        request = response.request
        if not response.is_success:
            words = " ".join(response.text.split())[:200]
            raise WebhookError(11200, f"{request.method} {request.url} answered {response.status_code} {words}".strip())
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(str(request.url), response.status_code, kind, response.content)

    async def _request(self, method: str, url: str, form: Form, token: str) -> httpx.Response:
        try:
            return await self._client.send(self._build(method, url, form, token))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return await self._client.send(self._build(method, url, form, token))  # one retry, as by default

    def _build(self, method: str, url: str, form: Form, token: str) -> httpx.Request:
        url = url.partition("#")[0]
        headers = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*", "I-Twilio-Idempotency-Token": token}
        content = None
        if method == "GET":
            url += ("&" if urlsplit(url).query else "?") + urlencode(form)
            form = ()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
            content = urlencode(form).encode()
        if self._auth_token:
            headers["X-Twilio-Signature"] = sign(signed_url(url), form, self._auth_token)
        return self._client.build_request(method, url, content=content, headers=headers)


def _reason(error: BaseException | None) -> tuple[int, str]:
    """Twilio's number for a failed connect, and what to look at; httpx keeps the reason among the causes."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return 11220, "is the certificate in order?"
        if isinstance(error, socket.gaierror):
            return 11210, "is the host's name right?"
        error = error.__cause__ or error.__context__
    return 11205, "is the service running there?"


def call_form(
    *, call_sid: str, account_sid: str, to_number: str, from_number: str, status: str
) -> list[tuple[str, str]]:
    """Return the parameters that Twilio sends about an inbound call, blank ones among them."""
    form = [
        ("AccountSid", account_sid),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", call_sid),
        ("CallStatus", status),
        ("Direction", "inbound"),
        ("From", from_number),
        ("To", to_number),
        ("Caller", from_number),
        ("Called", to_number),
    ]
    for side, number in (("From", from_number), ("Caller", from_number), ("To", to_number), ("Called", to_number)):
        country = "US" if number.startswith("+1") else ""
        form += [(f"{side}City", ""), (f"{side}State", ""), (f"{side}Zip", ""), (f"{side}Country", country)]
    if status == "ringing":
        form += [("CallToken", secrets.token_urlsafe(24)), ("StirVerstat", "TN-Validation-Passed-A")]
    return form
