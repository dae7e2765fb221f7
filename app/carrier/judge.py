"""What truly happened, against what the service believes: the position of each interruption, the disclosure's proof.

The carrier knows to the sample what was heard; the service's record of the call says what it took for heard. The two
meet at the marks: the record names the mark behind the first piece of the item that was sounding, so the item began
where the mark before it stands in the order of sending, or where the first audio after the last `clear` stands. How far
the play-out had come from there when the `clear` arrived is the truth.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.carrier.playout import PlayOut, ReturnedMark, SentMark
from app.carrier.record import NO_RECORD, Claim, Disclosed, ServiceRecord

_GENERATION = re.compile(r"([0-9]{1,18}):[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Interruption:
    """One interruption, judged. at: the sample at which its `clear` arrived; discarded: samples that it threw away.

    truly_heard_ms: of the item that was sounding; error_ms: what the service held for heard, less the truth. None where
    it cannot be known, and `why` says why.
    """

    at: int | None
    discarded: int
    claim: Claim | None
    truly_heard_ms: float | None
    error_ms: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Was the disclosure heard, whole and first? is_proven: None when that cannot be judged.

    returned_at: the sample at which its mark came back; clears: how many came while it was outstanding; before_ms: of
    agent audio that had sounded by then; other_ms: so much of it at least was something else.
    """

    is_proven: bool | None
    why: str
    mark: str | None = None
    returned_at: int | None = None
    clears: int = 0
    before_ms: int = 0
    other_ms: int = 0


def heard_of_item(playout: PlayOut, mark: str) -> tuple[int, int] | None:
    """Return which clear cut an item (its place in `cleared`), and how many samples of the item were heard before it.

    mark: the name of the one behind the item's first piece. None: there was no such mark, or no clear behind it.
    """
    place = next((number for number, sent in enumerate(playout.marks) if sent.name == mark), None)
    if place is None or playout.marks[place].clears >= len(playout.cleared):
        return None
    clears = playout.marks[place].clears
    behind = [mark.offset for mark in playout.marks[max(0, place - 1) : place] if mark.clears == clears]
    began = behind[0] if behind else _after(playout, clears)
    return clears, max(0, playout.cleared[clears].offset - began)


def _after(playout: PlayOut, clears: int) -> int:
    """The offset at which the audio behind so many clears begins."""
    if not clears:
        return 0
    last = playout.cleared[clears - 1]
    return last.offset + last.size


def late_audio(playout: PlayOut, clear: int) -> int:
    """Return how many samples came behind a clear that belong before it, by the generations that the marks name."""
    last = max((_generation(mark) for mark in playout.marks if mark.clears <= clear), default=-1)
    late = [mark.offset for mark in playout.marks if mark.clears == clear + 1 and 0 <= _generation(mark) <= last]
    return max(late, default=_after(playout, clear + 1)) - _after(playout, clear + 1)


def _generation(mark: SentMark) -> int:
    """−1 for a mark that is not named so."""
    name = _GENERATION.fullmatch(mark.name)
    return int(name[1]) if name else -1


def judge_interruptions(playouts: Sequence[PlayOut], record: ServiceRecord | None, missing: str) -> list[Interruption]:
    """Return every interruption of the record; without one every clear, whose truth is then nobody's to compare.

    missing: why there is no record.
    """
    if record is None or record.interruptions is None:
        why = "the service's record lists no interruptions" if record is not None else missing or NO_RECORD
        clears = [cleared for playout in playouts for cleared in playout.cleared]
        return [Interruption(cleared.at, cleared.size, None, None, None, why) for cleared in clears]
    return [_judge(playouts, claim) for claim in record.interruptions]


def _judge(playouts: Sequence[PlayOut], claim: Claim) -> Interruption:
    if claim.mark is None or claim.heard_ms is None:
        return Interruption(None, 0, claim, None, None, "no item was sounding")
    for playout in playouts:
        found = heard_of_item(playout, claim.mark)
        if found is not None:
            cleared, truth_ms = playout.cleared[found[0]], found[1] / 8
            return Interruption(cleared.at, cleared.size, claim, truth_ms, claim.heard_ms - truth_ms, "")
    return Interruption(None, 0, claim, None, None, f"the carrier had no mark {claim.mark} with a clear behind it")


def judge_disclosure(
    playout: PlayOut | None,
    returned: Sequence[ReturnedMark],
    said: Sequence[str],
    record: ServiceRecord | None,
    missing: str,
) -> Proof:
    """Judge whether the disclosure was heard whole and before all else.

    playout: of the first stream, and its marks as they came back; said: what the carrier's own voice had spoken before
    it; missing: why there is no record.
    """
    disclosed = None if record is None else record.disclosure
    if disclosed is None:
        return Proof(None, missing or NO_RECORD)
    if disclosed.mark is None:
        if disclosed.text and any(disclosed.text in text for text in said):
            return Proof(True, "the carrier's own voice spoke it before the stream began")
        return Proof(False, f"the service has no mark for it and calls it {disclosed.result or 'nothing'}")
    sent = next((mark for mark in playout.marks if mark.name == disclosed.mark), None) if playout else None
    if playout is None or sent is None:
        return Proof(False, f"its mark {disclosed.mark} never came to the carrier", disclosed.mark)
    back = next((mark for mark in returned if mark.name == disclosed.mark), None)
    if back is None:
        return Proof(False, "its mark did not come back", disclosed.mark)
    until = back.returned_at + (0 if back.played else 1)
    clears = sum(1 for each in playout.cleared[sent.clears :] if each.at < until)
    before_ms, other_ms = _audio_before(playout, sent, disclosed)
    why = ""
    if not back.played or clears:
        why = "a clear threw it away"
    elif other_ms:
        why = f"at least {other_ms} ms of other audio had sounded before it ended"
    return Proof(not why, why, disclosed.mark, back.returned_at, clears, before_ms, other_ms)


def _audio_before(playout: PlayOut, sent: SentMark, disclosed: Disclosed) -> tuple[int, int]:
    """How many ms had sounded when the mark was reached, and how many of them cannot have been the disclosure."""
    own = sent.offset - _after(playout, sent.clears)
    earlier = _after(playout, sent.clears) - sum(each.size for each in playout.cleared[: sent.clears])
    if disclosed.start_ms is None or disclosed.end_ms is None:
        other = 0
    else:
        other = max(0, own - (disclosed.end_ms - disclosed.start_ms) * 8)
    if sent.clears > disclosed.interruptions:  # else it was cut so often, and is said again
        other += earlier
    return (own + earlier) // 8, other // 8
