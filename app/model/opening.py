"""Opening a socket to the model: which address by which way, for how long, and why it did not come about."""

import asyncio
import functools
import ipaddress
import logging
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus, ProxyError

from app.errors import ModelError
from app.model.refusals import judge_status
from app.model.socket import CLOSE_TIMEOUT_S, PING_INTERVAL_S, ModelSocket

MAX_MESSAGE_BYTES = 16 * 1024 * 1024

# A logger of its own, never below INFO: at DEBUG the library writes headers, the key among them, and every message.
_logger = logging.getLogger("websockets.client.model")
_logger.setLevel(logging.INFO)


class ConnectError(ModelError):
    """No connection came about. reason: a short word for logs: http_401, connect_timeout, …

    is_final: another try would end the same way. is_crowded: there are too many sessions, says the provider.
    """

    def __init__(self, reason: str, message: str, *, is_final: bool = False, is_crowded: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_final = is_final
        self.is_crowded = is_crowded


class _Connect(connect):
    """Opens a ModelSocket. Redirects are refused: a key must not follow one to another host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(url: str, headers: Mapping[str, str], connect_timeout_s: float) -> ModelSocket:
    """Connect, or raise ConnectError. connect_timeout_s: for name, TCP, TLS and the upgrade together."""
    address = urlsplit(url)
    try:
        async with asyncio.timeout(connect_timeout_s):
            tls: ssl.SSLContext | None = None
            if address.scheme == "wss":
                # Reading the system's certificates takes 20 ms the first time: not on the loop that carries calls.
                tls = await asyncio.get_running_loop().run_in_executor(None, tls_context)
            connection = await _Connect(
                url,
                additional_headers=headers,
                compression=None,
                proxy=None if is_loopback(address.hostname or "") else True,
                open_timeout=None,
                ping_interval=PING_INTERVAL_S,
                ping_timeout=None,  # ours: see ModelSocket.keepalive
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=MAX_MESSAGE_BYTES,
                logger=_logger,
                create_connection=ModelSocket,
                ssl=tls,
            )
    except TimeoutError as error:
        raise ConnectError("connect_timeout", f"no answer within {connect_timeout_s} s") from error
    except InvalidStatus as error:
        reason, is_final, is_crowded = judge_status(error.response.status_code, bytes(error.response.body or b""))
        raise ConnectError(reason, str(error), is_final=is_final, is_crowded=is_crowded) from error
    except (ProxyError, InvalidProxy, ImportError) as error:  # ImportError: a SOCKS proxy without its library
        raise ConnectError("proxy_failed", str(error)) from error
    except InvalidHandshake as error:
        raise ConnectError("handshake_failed", str(error)) from error
    except socket.gaierror as error:
        raise ConnectError("dns_failed", str(error)) from error
    except ssl.SSLError as error:
        raise ConnectError("tls_failed", str(error)) from error
    except ConnectionRefusedError as error:
        raise ConnectError("connect_refused", str(error)) from error
    except OSError as error:
        raise ConnectError("connect_failed", str(error)) from error
    assert isinstance(connection, ModelSocket)
    return connection


def is_loopback(host: str) -> bool:
    """Is this name or address this very machine, by its spelling alone?"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the one that trusts the system's authorities. Reading them takes 20 ms the first time."""
    return ssl.create_default_context()
