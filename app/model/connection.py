"""One session with the model, from the connect to the last word: what it may say and hear at each stage."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.model import messages, refusals
from app.model.choice import ModelChoice
from app.model.dialects import ModelTarget
from app.model.endings import error_of
from app.model.messages import BrokenMessageError, ServerMessage, UnknownMessageError
from app.model.opening import ConnectError, open_socket
from app.model.requests import Confirmation
from app.model.socket import ModelSocket
from app.model.translate import Translator, WordedCommand
from app.session.events import Event, ModelLost, ModelReady, ModelSilent, ModelStalled
from app.session.words import Fault, ModelNumber

STALLED_BYTES = 256 * 1024
_LONGEST_SESSION_S = 7 * 24 * 3600.0
"""No provider's session lasts a week: a later end is no Unix time in seconds."""
_WITH_CONSEQUENCES = (messages.ErrorEvent, messages.ResponseDone)


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
        wall_clock: Callable[[], float],
    ) -> None:
        self._number = number
        self._target = choice.target
        self._account = choice.account
        self._translator = Translator(number, choice.setup, choice.target.dialect)
        self._report = report
        self._counts = counts
        self._connect_timeout_s = connect_timeout_s
        self._first_event_timeout_s = first_event_timeout_s
        self._wall_clock = wall_clock
        self._expires_at: object = None
        self._stage = Stage.CONNECTING
        self._socket: ModelSocket | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._stalled = False
        self._is_counted = False

    async def run(self) -> None:
        """Connect and stay until the session is lost or closed; then nothing of it is left."""
        if self._account is not None:
            self._is_counted = self._account.enter()
            if not self._is_counted:
                self._lose("sessions_full", is_crowded=True)
                return
        try:
            await self._run()
        finally:
            self._leave_account()

    async def _run(self) -> None:
        try:
            connection = await _connect(self._target, self._connect_timeout_s)
        except ConnectError as failure:
            if failure.is_crowded:
                self._tell_account()
            self._lose(failure.reason, is_final=failure.is_final, is_crowded=failure.is_crowded)
            return
        try:
            if self._stage is Stage.CONNECTING:
                self._socket = connection
                self._stage = Stage.GREETING
                self._wait_for("first_event_timeout")
                connection.hand_on(self._take, self._gone, self._silent)
                await self._over.wait()
        finally:
            self._wait_for(None)
            await connection.leave()
            self._socket = None  # each knew the other: nothing is left to the garbage collector

    def append(self, audio: bytes) -> None:
        """Send some of the caller's audio; while the session is not open, do nothing. Never waits, never raises."""
        socket = self._socket
        if self._stage is Stage.OPEN and socket is not None:
            socket.send_now(messages.encode_append(audio))
            if socket.unsent_bytes > STALLED_BYTES and not self._stalled:
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
            elif isinstance(message, _WITH_CONSEQUENCES):
                self._take_consequences(message)
            elif isinstance(message, messages.SessionUpdated):
                confirmation = self._confirmed(message)
                for event in [] if confirmation is None else self._translator.settled(confirmation):
                    self._report(event)
            else:
                for event in self._translator.events(message):
                    self._report(event)
        except UnknownMessageError:
            self._counts.unknown += 1
        except BrokenMessageError:
            self._counts.broken += 1

    def _take_consequences(self, message: messages.ErrorEvent | messages.ResponseDone) -> None:
        """Take in what may need an answer of ours, or be the session's end."""
        if isinstance(message, messages.ErrorEvent):
            error, words = message.error, "error"
            if refusals.fault_of(error) is Fault.FATAL:
                self._lose(f"error_{refusals.code_of(error)}", is_final=refusals.is_final(error))
                return
        else:
            error, words = error_of(message.response), "response"
        events = self._translator.events(message)
        self._send_owed()  # before what the session asks for: a response must know what was repaired
        for event in events:
            self._report(event)
        if refusals.fault_of(error) is Fault.FATAL:  # every further response would fail so too
            self._lose(f"{words}_{refusals.code_of(error)}", is_final=refusals.is_final(error))

    def _open(self, message: ServerMessage) -> None:
        match message:
            case messages.ErrorEvent(error):
                self._refused_at_opening(error)
            case messages.SessionCreated(session) if self._stage is Stage.GREETING and self._socket is not None:
                self._expires_at = (session or {}).get("expires_at")
                self._stage = Stage.SETTING_UP
                self._wait_for("settings_timeout")
                self._socket.send_now(self._translator.setup_message())
            case messages.SessionUpdated(session) if self._stage is Stage.SETTING_UP:
                confirmation = self._confirmed(message)
                if confirmation is None:
                    return
                self._stage = Stage.OPEN
                self._wait_for(None)
                expires_in_s = self._expires_in_s((session or {}).get("expires_at") or self._expires_at)
                self._report(ModelReady(self._number, expires_in_s))
                for event in self._translator.differences(confirmation):
                    self._report(event)
            case _:
                pass  # nothing else matters before the settings hold

    def _confirmed(self, message: messages.SessionUpdated) -> Confirmation | None:
        """Take in an answer to settings of ours; None: with these no call can be held, so the session is lost."""
        confirmation = self._translator.settings_hold(message.session)
        if not confirmation.ignored:
            return confirmation
        self._lose(f"settings_ignored_{confirmation.ignored}", is_final=True)
        return None

    def _refused_at_opening(self, error: messages.ErrorBody) -> None:
        fault, words = refusals.fault_of(error), "error"
        if self._stage is Stage.SETTING_UP and fault is Fault.REQUEST:
            self._translator.events(messages.ErrorEvent(error))
            if self._translator.owed:
                self._wait_for("settings_timeout")
                self._send_owed()
                return
            words = "settings_refused"
        # Before our settings nothing was asked but the session itself: what is refused then is refused again.
        is_final = refusals.is_final(error) or fault is Fault.REQUEST
        if refusals.is_crowded(error) and not is_final:
            self._tell_account()
        self._lose("_".join(filter(None, (words, refusals.code_of(error)))), is_final=is_final)

    def _expires_in_s(self, expires_at: object) -> float | None:
        """Return the time left by a session's own word (Unix seconds); None for one that cannot be meant so."""
        if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
            return None
        left_s = expires_at - self._wall_clock()
        return left_s if 0 < left_s < _LONGEST_SESSION_S else None

    def _send_owed(self) -> None:
        owed, self._translator.owed = self._translator.owed, []
        if self._socket is not None:
            for text in owed:
                self._socket.send_now(text)

    def _leave_account(self) -> None:
        if self._is_counted and self._account is not None:
            self._is_counted = False
            self._account.leave()

    def _tell_account(self) -> None:
        if self._account is not None:
            self._account.refused(time.monotonic())

    def _gone(self, reason: str) -> None:
        self._lose(reason, is_final=refusals.is_final_close(reason))

    def _silent(self, silent_s: float) -> None:
        if self._stage is Stage.OPEN:
            self._report(ModelSilent(self._number, silent_s))

    def _wait_for(self, reason: str | None) -> None:
        """Give the model's next step a time limit, with the reason for the loss; None: there is nothing to wait for."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if reason is not None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._first_event_timeout_s, self._lose, reason)

    def _lose(self, reason: str, *, is_final: bool = False, is_crowded: bool = False) -> None:
        if self._stage in (Stage.CLOSING, Stage.LOST):
            self._over.set()
            return
        self._stage = Stage.LOST
        self._leave_account()  # before the call asks for its next session, which a full account has room for then
        self._wait_for(None)
        self._over.set()
        self._report(ModelLost(self._number, reason, is_final, is_crowded))


async def _connect(target: ModelTarget, timeout_s: float) -> ModelSocket:
    """Connect, what the target prepares included, or raise ConnectError."""
    if target.prepare is None:
        return await open_socket(target.url, target.headers, timeout_s)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(timeout_s):
            headers = {**target.headers, **await target.prepare()}
    except TimeoutError as error:
        raise ConnectError("connect_timeout", f"not prepared within {timeout_s} s") from error
    return await open_socket(target.url, headers, max(0.0, timeout_s - (loop.time() - begun)))
