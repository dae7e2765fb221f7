"""Journals written by hand, for whatever reads them."""

from collections.abc import Sequence

from app.session.commands import (
    ClearPlayback,
    CloseModel,
    Command,
    NoteBargeIn,
    NoteDisclosure,
    NoteEnd,
    NoteToolCall,
    NoteTurn,
    OpenModel,
    PlayAudio,
    SendMark,
    SpeakPhrase,
)
from app.session.events import (
    AgentAudio,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    DeadlinePassed,
    Event,
    ModelLost,
    ModelReady,
    ModelStalled,
    PlaybackReached,
    ResponseEnded,
    ResponseStarted,
    SpeechAudio,
    StreamEnded,
    StreamStarted,
    ToolCallRequested,
    TranscriptionBilled,
)
from app.session.journal import Journal, JournalHead, Reader
from app.session.words import (
    DisclosureResult,
    ItemId,
    ModelNumber,
    Outcome,
    Phrase,
    PieceNumber,
    ResponseId,
    ResponseStatus,
    Speaker,
    StreamEnd,
    ToolCallId,
    ToolStatus,
)

HEAD = JournalHead(
    call_sid="CA0123456789abcdef0123456789abcdef",
    agent="acme-orders",
    agent_version="3f2a91c0",
    language="en-US",
    started_at=1_772_357_400.0,  # 2026-03-01T09:30:00Z
    at=100.0,
    disclosure_text="You are speaking with an automated AI assistant.",
)
FIRST = ModelNumber(1)
SECOND = ModelNumber(2)
DISCLOSURE = PieceNumber(1)

Moment = tuple[float, Event, Sequence[Command]]
"""Seconds from the stream's start, what happened, what it called for."""

SOUND = PlayAudio(b"\x01" * 960)
TAIL = PlayAudio(b"\x01" * 960, ends=True)


def write(moments: Sequence[Moment], *readers: Reader, head: JournalHead = HEAD) -> Journal:
    """Write the moments down in a journal that starts with the stream, and close its last run of frames."""
    journal = Journal(head, readers)
    for after_s, event, commands in moments:
        journal.note(head.at + after_s, event, commands)
    journal.close_run()
    return journal


def response(number: int) -> ResponseId:
    return ResponseId(f"resp_{number}")


def item(number: int) -> ItemId:
    return ItemId(f"item_{number}")


def audio_of(number: int) -> AgentAudio:
    """A delta of the response and item of that number."""
    return AgentAudio(FIRST, response(number), item(number), 0, b"\x02" * 4800)


ARGUMENTS = '{"order_number": "1042"}'

TYPICAL: list[Moment] = [
    (0.0, StreamStarted(), [SpeakPhrase(DISCLOSURE, Phrase.DISCLOSURE), OpenModel(FIRST)]),
    (0.012, SpeechAudio(DISCLOSURE, b"\x01" * 9600), [SOUND, SendMark(1, 1)]),
    (0.25, ModelReady(FIRST), []),
    (2.9, SpeechAudio(DISCLOSURE, b""), [TAIL, SendMark(1, 2)]),
    (
        3.2,
        PlaybackReached(1, 2),
        [NoteDisclosure(DisclosureResult.HEARD, start_ms=12, end_ms=3150, mark="1:2", interruptions=0)],
    ),
    (4.0, CallerSpeechStarted(FIRST, item(1), 3900), []),
    (6.0, CallerSpeechStopped(FIRST, item(1), 5500), []),
    (6.1, ResponseStarted(FIRST, response(2)), []),
    (
        6.2,
        ToolCallRequested(
            FIRST, response(2), item(2), ToolCallId("call_1"), "lookup_order", '{"order_number": "1042"}'
        ),
        [],
    ),
    (
        6.25,
        TranscriptionBilled(FIRST, {"input_tokens": 20, "output_tokens": 6}),
        [
            NoteToolCall(
                "lookup_order",
                arguments=ARGUMENTS,
                result='{"status": "shipped"}',
                status=ToolStatus.OK,
                duration_ms=31,
            )
        ],
    ),
    (6.3, ResponseStarted(FIRST, response(3)), []),
    (6.45, audio_of(3), [SOUND, SendMark(1, 3)]),
    (
        6.5,
        CallerTranscript(FIRST, item(1), "Where is my order 1042?"),
        [NoteTurn(Speaker.CALLER, None, "Where is my order 1042?", start_ms=3900, end_ms=5500)],
    ),
    (
        8.0,
        CallerSpeechStarted(FIRST, item(4), 7900),
        [
            ClearPlayback(),
            NoteBargeIn(response(3), item(3), heard_ms=1500, generated_ms=4000, first_mark="1:3"),
            NoteTurn(
                Speaker.AGENT,
                "Your order has shipped and comes on Friday.",
                "Your order has shipped",
                start_ms=6450,
                end_ms=7950,
                interrupted=True,
            ),
        ],
    ),
    (
        8.1,
        ResponseEnded(FIRST, response(3), ResponseStatus.CANCELLED, "", {"input_tokens": 100, "output_tokens": 40}),
        [],
    ),
    (8.8, CallerSpeechStopped(FIRST, item(4), 8300), []),
    (8.9, ResponseStarted(FIRST, response(5)), []),
    (9.5, audio_of(5), [TAIL, SendMark(2, 4)]),
    (
        10.0,
        CallerDigit("7"),
        [NoteTurn(Speaker.CALLER, None, None, start_ms=7900, end_ms=8300)],
    ),
    (
        11.0,
        PlaybackReached(2, 4),
        [NoteTurn(Speaker.AGENT, "You are welcome. Goodbye.", "You are welcome. Goodbye.", 9500, 10900)],
    ),
    (12.0, StreamEnded(StreamEnd.STOPPED), []),
    (
        12.4,
        ResponseEnded(FIRST, response(5), ResponseStatus.COMPLETED, "", {"input_tokens": 150, "output_tokens": 30}),
        [NoteEnd(Outcome.CALLER_HUNG_UP, duration_ms=12_000, cost_usd=0.0125)],
    ),
]
"""A call with everything in it: disclosure, order lookup, barge-in, an answer, a digit, the caller hangs up."""

LOSSES: list[tuple[list[Moment], int]] = [
    ([(1.0, ModelLost(FIRST, "a"), [CloseModel(FIRST)])], 1),
    ([(1.0, ModelReady(FIRST), []), (2.0, ModelLost(FIRST, "a"), []), (2.1, ModelLost(FIRST, "a"), [])], 1),
    ([(1.0, ModelStalled(FIRST), [CloseModel(FIRST)]), (1.1, ModelLost(FIRST, "a"), [])], 1),
    ([(1.0, ModelStalled(FIRST), [])], 0),
    # we give up one that is slow, or of no use
    ([(1.0, DeadlinePassed(), [CloseModel(FIRST)]), (2.0, ModelLost(FIRST, "a"), [])], 1),
    ([(1.0, ModelReady(FIRST), []), (2.0, DeadlinePassed(), [CloseModel(FIRST), OpenModel(SECOND)])], 1),
    ([(1.0, ModelReady(FIRST), []), (2.0, DeadlinePassed(), [CloseModel(FIRST), NoteEnd(Outcome.IDLE, 2000)])], 0),
    (
        [
            (1.0, ModelReady(FIRST), [OpenModel(SECOND)]),
            (2.0, ModelReady(SECOND), []),
            (3.0, DeadlinePassed(), [CloseModel(FIRST)]),
        ],
        0,
    ),
    ([(1.0, StreamEnded(StreamEnd.STOPPED), []), (2.0, ModelLost(FIRST, "a"), [])], 0),
    # an attempt to mend a loss is none
    ([(1.0, ModelLost(FIRST, "a"), [OpenModel(SECOND)]), (2.0, ModelLost(SECOND, "a"), [])], 1),
    (
        [
            (1.0, ModelLost(FIRST, "a"), [OpenModel(SECOND)]),
            (2.0, ModelReady(SECOND), []),
            (3.0, ModelLost(SECOND, "a"), []),
        ],
        2,
    ),
    # a second session beside a good one: its failure takes nothing away, and then the first may go
    (
        [
            (1.0, ModelReady(FIRST), [OpenModel(SECOND)]),
            (2.0, ModelLost(SECOND, "a"), []),
        ],
        0,
    ),
    (
        [
            (1.0, ModelReady(FIRST), [OpenModel(SECOND)]),
            (2.0, ModelReady(SECOND), []),
            (3.0, ModelLost(FIRST, "a"), []),
        ],
        0,
    ),
]
"""What happens to the models of a call whose stream's start has opened the first, and how many losses that is."""
