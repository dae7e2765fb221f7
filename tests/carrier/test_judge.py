"""The truth about interruptions and disclosures, on play-outs that are written out, and on random ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carrier.judge import Interruption, heard_of_item, judge_disclosure, judge_interruptions, late_audio
from app.carrier.playout import PlayOut, ReturnedMark
from app.carrier.record import Claim, Disclosed, ServiceRecord

pytestmark = pytest.mark.core

MS = 8


def claim(mark: str | None, heard_ms: int | None = 0) -> Claim:
    return Claim(1000, "item_1", heard_ms, 5000, mark)


def record(*claims: Claim) -> ServiceRecord:
    return ServiceRecord(claims, None)


def two_items_and_a_cut() -> PlayOut:
    """A phrase of 300 ms, an item of 400 ms, one of 500 ms that is cut 250 ms in, then 100 ms more; all from 1 s on."""
    line = PlayOut()
    at = 1000 * MS
    line.arrived(at, b"p" * 300 * MS)
    line.mark(at, "1:1")
    line.arrived(at, b"a" * 400 * MS)
    line.mark(at, "1:2")
    line.arrived(at, b"b" * 100 * MS)
    line.mark(at, "1:3")
    line.arrived(at, b"b" * 400 * MS)
    line.mark(at, "1:4")
    line.clear(at + 950 * MS)
    line.arrived(at + 1200 * MS, b"c" * 100 * MS)
    line.mark(at + 1200 * MS, "2:5")
    line.clear(at + 1230 * MS)
    return line


def test_an_item_is_heard_from_the_mark_before_it_to_the_clear() -> None:
    line = two_items_and_a_cut()
    assert heard_of_item(line, "1:3") == (0, 250 * MS)
    assert heard_of_item(line, "2:5") == (1, 30 * MS)  # the first of its generation begins behind the clear
    assert heard_of_item(line, "1:1") == (0, 950 * MS)  # if the service takes the first piece for the one that sounded
    assert heard_of_item(line, "3:1") is None


def test_an_item_that_nothing_cut_has_no_truth() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 800)
    line.mark(0, "1:1")
    line.advance(800)
    assert heard_of_item(line, "1:1") is None
    (judged,) = judge_interruptions([line], record(claim("1:1", 100)), "")
    assert judged.why == "the carrier had no mark 1:1 with a clear behind it"


def test_an_item_cut_before_it_sounded_was_heard_for_nothing() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 800)
    line.mark(0, "1:1")
    line.arrived(0, b"b" * 800)
    line.mark(0, "1:2")
    line.clear(400)
    assert heard_of_item(line, "1:2") == (0, 0)


def test_the_error_is_what_the_service_believes_less_the_truth() -> None:
    line = two_items_and_a_cut()
    early, late = claim("1:3", 262), claim("2:5", 17)
    assert judge_interruptions([line], record(early, late), "") == [
        Interruption(1950 * MS, 250 * MS, early, 250.0, 12.0, ""),
        Interruption(2230 * MS, 70 * MS, late, 30.0, -13.0, ""),
    ]


def test_an_interruption_of_nothing_has_no_error() -> None:
    (judged,) = judge_interruptions([two_items_and_a_cut()], record(claim(None, None)), "")
    assert (judged.error_ms, judged.why) == (None, "no item was sounding")


def test_without_a_record_every_clear_is_told_and_why_it_is_not_judged() -> None:
    line = two_items_and_a_cut()
    judged = judge_interruptions([line], None, "the service is elsewhere")
    assert [(each.at, each.discarded, each.error_ms, each.why) for each in judged] == [
        (1950 * MS, 250 * MS, None, "the service is elsewhere"),
        (2230 * MS, 70 * MS, None, "the service is elsewhere"),
    ]
    (first, _) = judge_interruptions([line], ServiceRecord(None, None), "")
    assert first.why == "the service's record lists no interruptions"


def test_audio_of_before_a_clear_that_comes_behind_it_is_late() -> None:
    line = two_items_and_a_cut()
    assert (late_audio(line, 0), late_audio(line, 1)) == (0, 0)
    line.arrived(3000 * MS, b"c" * 60 * MS)
    line.mark(3000 * MS, "2:6")
    line.arrived(3000 * MS, b"d" * 60 * MS)
    line.mark(3000 * MS, "3:7")
    assert (late_audio(line, 0), late_audio(line, 1)) == (0, 60 * MS)


@given(
    items=st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=4), min_size=1, max_size=5),
    start=st.integers(0, 500),
    cut_after=st.integers(0, 3000),
)
def test_the_truth_is_what_a_listener_counts(items: list[list[int]], start: int, cut_after: int) -> None:
    line, firsts, number = PlayOut(), [], 0
    for name, pieces in enumerate(items):
        for place, size in enumerate(pieces):
            line.arrived(start, bytes([name]) * size)
            number += 1
            line.mark(start, f"1:{number}")
            if not place:
                firsts.append(f"1:{number}")
    line.clear(start + cut_after)
    sound = line.sound(0, start + cut_after)
    for name, (first, pieces) in enumerate(zip(firsts, items, strict=True)):
        found = heard_of_item(line, first)
        assert found is not None
        heard = sound.count(bytes([name]))
        if heard < sum(pieces):  # an item that was heard to its end is not the sounding one
            assert found == (0, heard)


# --- disclosure -------------------------------------------------------------------------------------------------------


def disclosed(mark: str | None = "1:2", **others: object) -> ServiceRecord:
    fields: dict[str, object] = {"text": "This is an AI.", "result": "heard", "mark": mark}
    fields |= {"start_ms": 10, "end_ms": 2015, "interruptions": 0, **others}
    return ServiceRecord((), Disclosed(**fields))  # type: ignore[arg-type] # put together by name


def spoken(ms: int = 2000) -> tuple[PlayOut, list[ReturnedMark]]:
    line = PlayOut()
    line.arrived(0, b"d" * 1000 * MS)
    line.mark(0, "1:1")
    line.arrived(0, b"d" * (ms - 1000) * MS)
    line.mark(0, "1:2")
    return line, line.advance(ms * MS + 80)


def test_a_disclosure_is_proven_by_its_mark() -> None:
    line, marks = spoken()
    proof = judge_disclosure(line, marks, [], disclosed(), "")
    assert (proof.is_proven, proof.why, proof.mark) == (True, "", "1:2")
    assert (proof.returned_at, proof.clears, proof.before_ms, proof.other_ms) == (2000 * MS, 0, 2000, 0)


def test_other_audio_before_its_end_breaks_the_proof() -> None:
    line, marks = spoken(3000)
    proof = judge_disclosure(line, marks, [], disclosed(), "")
    assert (proof.is_proven, proof.other_ms) == (False, 995)
    assert proof.why == "at least 995 ms of other audio had sounded before it ended"


def test_a_cleared_disclosure_is_not_proven_and_one_said_again_is() -> None:
    line = PlayOut()
    line.arrived(0, b"d" * 2000 * MS)
    line.mark(0, "1:1")
    marks = line.clear(500 * MS)
    cut = judge_disclosure(line, marks, [], disclosed("1:1"), "")
    assert (cut.is_proven, cut.why, cut.clears) == (False, "a clear threw it away", 1)
    line.arrived(900 * MS, b"d" * 2000 * MS)
    line.mark(900 * MS, "2:2")
    marks += line.advance(4000 * MS)
    again = judge_disclosure(line, marks, [], disclosed("2:2", start_ms=900, end_ms=2910, interruptions=1), "")
    assert (again.is_proven, again.clears, again.before_ms, again.other_ms) == (True, 0, 2500, 0)
    untold = judge_disclosure(line, marks, [], disclosed("2:2", start_ms=900, end_ms=2910, interruptions=0), "")
    assert (untold.is_proven, untold.other_ms) == (False, 500)


def test_a_disclosure_by_the_carriers_voice_needs_no_mark() -> None:
    assert judge_disclosure(None, [], ["Hello. This is an AI. "], disclosed(None), "").is_proven
    silent = judge_disclosure(None, [], ["Hello."], disclosed(None, result="unproven"), "")
    assert (silent.is_proven, silent.why) == (False, "the service has no mark for it and calls it unproven")


def test_a_mark_that_never_came_or_never_came_back_proves_nothing() -> None:
    line, _ = spoken()
    assert judge_disclosure(line, [], [], disclosed(), "").why == "its mark did not come back"
    assert judge_disclosure(line, [], [], disclosed("9:9"), "").why == "its mark 9:9 never came to the carrier"


def test_without_a_record_a_disclosure_is_not_judged() -> None:
    proof = judge_disclosure(None, [], [], None, "it is elsewhere")
    assert (proof.is_proven, proof.why) == (None, "it is elsewhere")
