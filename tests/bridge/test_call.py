"""What a call is built from: the agent's own words, in its language."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents.loader import read
from app.agents.schema import AgentFile
from app.bridge.call import PreparedAgent, phrases_of, prepare
from app.choices import Choices
from app.model.setup import session_settings
from app.model.truthfulness import truthful
from app.session.words import Phrase
from app.settings import Settings
from app.speech.wording import KOREAN
from app.tools.catalogue import Catalogue

pytestmark = pytest.mark.core


def agent(more: str = "", disclosure: str = "{text: An AI speaks.}") -> AgentFile:
    loaded = read(Path("a.yaml"), f"agent: a\nprompt: p\ndisclosure: {disclosure}\n{more}".encode())
    assert isinstance(loaded, AgentFile), loaded
    return loaded


def test_the_disclosure_is_the_one_of_the_agents_language_and_so_is_its_reminder() -> None:
    phrases = phrases_of(agent("language: ko-KR", "{text: An AI speaks., texts: {ko: 인공지능입니다., ja: AIです。}}"))
    assert phrases[Phrase.DISCLOSURE] == phrases[Phrase.REMINDER] == "인공지능입니다."
    assert phrases[Phrase.GOODBYE] == KOREAN.goodbye
    assert Phrase.GREETING not in phrases
    assert phrases_of(agent("greeting: Hello."))[Phrase.GREETING] == "Hello."


def prepared(file: AgentFile) -> PreparedAgent:
    settings = Settings(openai_api_key=SecretStr("sk"), tokenlab_api_key=SecretStr("sk"))
    return prepare(file, Choices(settings, {}, lambda: "ws://127.0.0.1:9/v1/realtime").of(file), Catalogue(()))


def test_the_model_is_told_in_the_agents_language_what_it_is() -> None:
    setup = prepared(agent("language: ja-JP")).choices[0].setup
    assert session_settings(setup)["instructions"] == truthful("p", "ja-JP")
