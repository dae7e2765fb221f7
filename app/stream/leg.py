"""The caller's leg: reads the carrier's stream, and writes to it without waiting.

`opened` waits for the stream's `start`, which says whose call it is; whether that call may come in is decided at the
door. `use` says how the audio of that call's agent is written. `run` then reports what happens, beginning with what has
come since `start`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.audio.formats import PCM16_24K, AudioFormat
from app.errors import InvariantError, StreamError
from app.session.commands import HangUp, PlayAudio, StreamCommand, TransferCall
from app.session.events import CallerAudio, Event, StreamEnded, StreamStalled
from app.session.words import StreamEnd
from app.stream.messages import Connected, Message, Passed, Start, Stop, decode
from app.stream.receiver import MAX_MESSAGE_BYTES, StreamSocket
from app.stream.translate import CallerEvent, Translator, stream_sid_of

NORMAL, POLICY, TOO_BIG, TRY_LATER = 1000, 1008, 1009, 1013
"""The codes under which a stream is closed (RFC 6455 §7.4.1, and 1013 of IANA's registry)."""

_MAX_WAITING_MESSAGES = 500
"""Ten seconds of frames: how long the call behind the door may take to begin."""


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """What the stream's `start` says of it. parameters: those of our TwiML; they are not signed."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: Mapping[str, str]
    encoding: str
    rate_hz: int
    channels: int


class StreamLeg:
    """One media stream, from the accepted WebSocket on. Reports exactly one StreamEnded, as its last event.

    unknown_messages, broken_messages: what was passed over, binary messages among the broken ones.
    """

    def __init__(self, socket: StreamSocket) -> None:
        self.unknown_messages = 0
        self.broken_messages = 0
        self._socket = socket
        self._identity: asyncio.Future[StreamIdentity] = asyncio.get_running_loop().create_future()
        self._start: Start | None = None
        self._translator: Translator | None = None
        self._report: Callable[[Event], None] | None = None
        # what has come since start, untranslated: in which format, only the call behind the door knows
        self._waiting: deque[Message] = deque()
        self._held: tuple[bytes, ...] = ()
        self._is_stalled = False
        self._end: StreamEnd | None = None
        self._over = asyncio.Event()
        socket.attach(self)

    @property
    def lost_messages(self) -> int:
        """Messages that the carrier's counting says we should have had."""
        return self._translator.lost_messages if self._translator else 0

    @property
    def lost_audio_ms(self) -> int:
        """The most by which the caller's audio was behind the carrier's timestamps."""
        return self._translator.lost_audio_ms if self._translator else 0

    async def opened(self) -> StreamIdentity:
        """Return what `start` says, when it has come. Raises StreamError if the stream ends before."""
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((self._identity, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if self._identity.done():
            return self._identity.result()
        raise StreamError("the media stream ended before its start message; a carrier sends connected, start, media")

    def use(self, audio: AudioFormat) -> None:
        """Say how the audio of CallerAudio and PlayAudio is written: PCM16 at 24 kHz unless said, or G.711 straight.

        Once, between `opened` and the first command or `run`.
        """
        if self._start is None or self._translator is not None:
            raise InvariantError("a stream's audio format is said after its start and before its call begins, once")
        self._translator = Translator(self._start, audio=audio)

    async def run(self, report: Callable[[Event], None]) -> None:
        """Report what happens on the opened stream until the peer has left or we have closed it.

        Begins with the loop's next turn: what has come already waits for whoever starts the legs to begin the call.
        """
        await asyncio.sleep(0)  # the legs are started one behind the other, and the call then begins
        translator = self._translating()
        was_stalled, end = self._is_stalled, self._end
        self._report = report
        while self._waiting:
            self._tell(translator.event(self._waiting.popleft()))
        if was_stalled:
            report(StreamStalled())
        if end is not None:
            report(StreamEnded(end))
        await self._over.wait()

    def perform(self, command: StreamCommand) -> None:
        """Send what the command asks for, at once, audio with its mark. Never waits, never raises; closed, nothing."""
        if self._end is not None or self._start is None:
            return
        if isinstance(command, HangUp | TransferCall):
            # the carrier then asks /twilio/after what is to become of the call
            self._finish(StreamEnd.CLOSED, NORMAL)
            return
        texts = self._translating().messages(command)
        if type(command) is PlayAudio:  # it goes together with its mark, which comes next
            self._held += texts
            return
        if self._held:
            texts, self._held = self._held + texts, ()
        if texts:
            self._socket.send_texts(*texts)

    # --- Receiver -----------------------------------------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        if self._end is not None:
            return
        if len(text) > MAX_MESSAGE_BYTES:
            self._finish(StreamEnd.LOST, TOO_BIG)
            return
        message = decode(text)
        if isinstance(message, Passed):
            self._pass_over(message)
        elif (report := self._report) is not None and (translator := self._translator) is not None:
            event = translator.event(message)
            if type(event) is CallerAudio:  # as nearly always
                report(event)
            else:
                self._tell(event)
        elif self._start is not None:
            self._keep(message)
        elif isinstance(message, Start):
            self._begin(message)
        elif not isinstance(message, Connected):
            self._pass_over(Passed.BROKEN)

    def receive_binary(self, size_bytes: int) -> None:
        if size_bytes > MAX_MESSAGE_BYTES and self._end is None:
            self._finish(StreamEnd.LOST, TOO_BIG)
        else:
            self._pass_over(Passed.BROKEN)

    def stalled(self) -> None:
        if not self._is_stalled and self._end is None:
            self._is_stalled = True
            if self._report is not None:
                self._report(StreamStalled())

    def gone(self, *, by_us: bool) -> None:
        self._finish(StreamEnd.CLOSED if by_us else StreamEnd.LOST)

    # ------------------------------------------------------------------------------------------------------------------

    def _begin(self, message: Start) -> None:
        self._start = message
        start = message.start
        self._identity.set_result(
            StreamIdentity(
                stream_sid=stream_sid_of(message),
                call_sid=start.call_sid,
                account_sid=start.account_sid,
                parameters=start.custom_parameters,
                encoding=start.media_format.encoding,
                rate_hz=start.media_format.sample_rate,
                channels=start.media_format.channels,
            )
        )

    def _translating(self) -> Translator:
        if self._translator is None:
            self.use(PCM16_24K)
            assert self._translator is not None
        return self._translator

    def _tell(self, event: CallerEvent | Passed | None) -> None:
        if event is None:
            return
        if isinstance(event, Passed):
            self._pass_over(event)
        elif isinstance(event, StreamEnded):
            self._finish(event.end)
        elif self._report is not None:
            self._report(event)

    def _keep(self, message: Message) -> None:
        if isinstance(message, Stop):
            self._finish(StreamEnd.STOPPED)
        elif len(self._waiting) < _MAX_WAITING_MESSAGES:
            self._waiting.append(message)
        else:
            self._finish(StreamEnd.LOST, TRY_LATER)

    def _pass_over(self, why: Passed) -> None:
        if why is Passed.UNKNOWN:
            self.unknown_messages += 1
        else:
            self.broken_messages += 1

    def _finish(self, end: StreamEnd, code: int | None = None) -> None:
        """End the leg, once; code: close the socket under it."""
        if self._end is not None:
            return
        self._end = end
        if self._translator is not None:
            self._translator.end()
        if code is not None:
            self._socket.close(code)
        self._over.set()
        if self._report is not None:
            self._waiting.clear()  # the last event is the last, also when it comes amid those that waited
            self._report(StreamEnded(end))
