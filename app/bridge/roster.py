"""The live calls of this process: who is on, and what was the last word to those who were."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from app.session.commands import HangUp, TransferCall
from app.session.events import CallCompleted, Event, ServiceStopping

KEPT_LAST_WORDS = 1000
"""The carrier asks within a second or two; a thousand calls are far more than end in that time."""


class Roster:
    """Everything is by CallSid."""

    def __init__(self) -> None:
        self._live: dict[str, Callable[[Event], None]] = {}
        self._last_words: OrderedDict[str, HangUp | TransferCall | None] = OrderedDict()  # None: it was on, no more
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._live)

    def has(self, call_sid: str) -> bool:
        return call_sid in self._live

    def enter(self, call_sid: str, report: Callable[[Event], None]) -> None:
        """A call is on. report: takes in events from outside its legs."""
        self._live[call_sid] = report
        self._idle.clear()

    def leave(self, call_sid: str) -> None:
        """The call is over."""
        if self._live.pop(call_sid, None) is not None and call_sid not in self._last_words:
            self._keep(call_sid, None)
        if not self._live:
            self._idle.set()

    def say(self, call_sid: str, last_word: HangUp | TransferCall) -> None:
        """Keep the last word to a call, for when the carrier asks how it goes on."""
        self._keep(call_sid, last_word)

    def last_word(self, call_sid: str) -> HangUp | TransferCall | None:
        """Return what was said last to a call; None when nothing was, or the call is not known here."""
        return self._last_words.get(call_sid)

    def was_on(self, call_sid: str) -> bool:
        """Was this call on in this process, or is it still? As far as it is remembered."""
        return call_sid in self._live or call_sid in self._last_words

    def completed(self, call_sid: str) -> None:
        """The carrier says that the call is over. Said twice, or late, it changes nothing."""
        report = self._live.get(call_sid)
        if report is not None:
            report(CallCompleted())

    def end_all(self) -> None:
        """This process ends: so do its calls."""
        for report in list(self._live.values()):
            report(ServiceStopping())

    async def wait_until_empty(self) -> None:
        """Return when no call is on."""
        await self._idle.wait()

    def _keep(self, call_sid: str, last_word: HangUp | TransferCall | None) -> None:
        self._last_words[call_sid] = last_word
        self._last_words.move_to_end(call_sid)
        while len(self._last_words) > KEPT_LAST_WORDS:
            self._last_words.popitem(last=False)
