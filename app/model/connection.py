"""One session with the model, from the connect to the last word: what it may say and hear at each stage."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.model import messages, refusals
from app.model.choice import ModelChoice
from app.model.messages import BrokenMessageError, ServerMessage, UnknownMessageError
from app.model.socket import ConnectError, ModelSocket, open_socket
from app.model.translate import Translator, WordedCommand
from app.session.events import Event, ModelLost, ModelReady, ModelStalled
from app.session.words import Fault, ModelNumber

STALLED_BYTES = 256 * 1024


class Stage(Enum):
    CONNECTING = "connecting"
    GREETING = "greeting"
    """Connected; the model speaks first."""
    SETTING_UP = "setting_up"
    """Our settings are sent and not confirmed: audio sent now would be read in the model's default format."""
    OPEN = "open"
    CLOSING = "closing"
    """We are done with it. What still comes, such as the bill of the last response, is passed on."""
    LOST = "lost"


@dataclass(slots=True)
class MessageCounts:
    """Messages of the model that were passed over."""

    unknown: int = 0
    broken: int = 0


class Connection:
    """One session with the model, of the given number. `run` opens it and ends with it; `perform` is for its middle.

    report: must not raise; it is called from the transport's callbacks.
    """

    def __init__(
        self,
        number: ModelNumber,
        choice: ModelChoice,
        report: Callable[[Event], None],
        counts: MessageCounts,
        *,
        connect_timeout_s: float,
        first_event_timeout_s: float,
    ) -> None:
        self._number = number
        self._target = choice.target
        self._translator = Translator(number, choice.setup)
        self._report = report
        self._counts = counts
        self._connect_timeout_s = connect_timeout_s
        self._first_event_timeout_s = first_event_timeout_s
        self._stage = Stage.CONNECTING
        self._socket: ModelSocket | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._stalled = False

    async def run(self) -> None:
        """Connect and stay until the session is lost or closed; then nothing of it is left."""
        try:
            connection = await open_socket(self._target.url, self._target.headers, self._connect_timeout_s)
        except ConnectError as failure:
            self._lose(failure.reason)
            return
        try:
            if self._stage is Stage.CONNECTING:
                self._socket = connection
                self._stage = Stage.GREETING
                self._wait_for("first_event_timeout")
                connection.hand_on(self._take, self._lose)
                await self._over.wait()
        finally:
            self._wait_for(None)
            await connection.leave()
            self._socket = None  # each knew the other: nothing is left to the garbage collector

    def append(self, audio: bytes) -> None:
        """Send some of the caller's audio; while the session is not open, do nothing. Never waits, never raises."""
        if self._stage is Stage.OPEN and self._socket is not None:
            self._socket.send_now(messages.encode_append(audio))
            if self._socket.unsent_bytes > STALLED_BYTES and not self._stalled:
                self._stalled = True
                self._report(ModelStalled(self._number))

    def perform(self, command: WordedCommand) -> None:
        """Send what the command asks for, under the same terms."""
        if self._stage is Stage.OPEN and self._socket is not None:
            self._socket.send_now(self._translator.message(command))

    def close(self) -> None:
        """End the session; `run` returns once the model has agreed, or a second later. No ModelLost comes of it."""
        if self._stage in (Stage.CLOSING, Stage.LOST):
            return
        self._stage = Stage.CLOSING
        self._wait_for(None)
        if self._socket is not None:
            self._socket.close_begun()
        self._over.set()

    @property
    def is_connecting(self) -> bool:
        return self._socket is None

    # --- what comes from the model ------------------------------------------------------------------------------------

    def _take(self, data: bytes | bytearray | memoryview) -> None:
        try:
            message = messages.decode(data)
            if message is None or self._stage is Stage.LOST:
                return
            if self._stage is Stage.GREETING or self._stage is Stage.SETTING_UP:
                self._open(message)
            elif isinstance(message, messages.ErrorEvent) and refusals.fault_of(message.error) is Fault.FATAL:
                self._lose(f"error_{refusals.code_of(message.error)}")
            else:
                for event in self._translator.events(message):
                    self._report(event)
        except UnknownMessageError:
            self._counts.unknown += 1
        except BrokenMessageError:
            self._counts.broken += 1

    def _open(self, message: ServerMessage) -> None:
        match message:
            case messages.ErrorEvent(error):
                refused = self._stage is Stage.SETTING_UP and refusals.fault_of(error) is Fault.REQUEST
                words = ["settings_refused" if refused else "error", refusals.code_of(error)]
                self._lose("_".join(filter(None, words)))
            case messages.SessionCreated() if self._stage is Stage.GREETING and self._socket is not None:
                self._stage = Stage.SETTING_UP
                self._wait_for("settings_timeout")
                self._socket.send_now(self._translator.setup_message())
            case messages.SessionUpdated() if self._stage is Stage.SETTING_UP:
                self._stage = Stage.OPEN
                self._wait_for(None)
                self._report(ModelReady(self._number))
            case _:
                pass  # nothing else matters before the settings hold

    def _wait_for(self, reason: str | None) -> None:
        """Give the model's next step a time limit, with the reason for the loss; None: there is nothing to wait for."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if reason is not None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._first_event_timeout_s, self._lose, reason)

    def _lose(self, reason: str) -> None:
        if self._stage in (Stage.CLOSING, Stage.LOST):
            self._over.set()
            return
        self._stage = Stage.LOST
        self._wait_for(None)
        self._over.set()
        self._report(ModelLost(self._number, reason))
