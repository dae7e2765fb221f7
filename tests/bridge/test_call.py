"""What a call is built from: the agent's own words, in its language."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents.loader import read
from app.agents.schema import AgentFile
from app.bridge.call import PreparedAgent, phrases_of, prepare
from app.choices import Choices
from app.model.prices import NO_PRICES, PriceList, PriceRow
from app.model.setup import FunctionTool, session_settings
from app.model.truthfulness import truthful
from app.session.cost import FREE
from app.session.words import Phrase
from app.settings import Settings
from app.speech.wording import KOREAN
from app.tools.catalogue import Catalogue
from app.tools.database import Databases

pytestmark = pytest.mark.core

ROW = {
    "provider": "openai",
    "models": ["gpt-realtime-2.1"],
    "as_of": date(2026, 11, 20),
    "source": "a price list",
    "text": {"input": 4, "cached": 0.4, "output": 24},
}
NO_TOOLS = Catalogue(())
PRICES = PriceList({("openai", "gpt-realtime-2.1"): PriceRow.model_validate(ROW)}, {})


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


def prepared(file: AgentFile, catalogue: Catalogue = NO_TOOLS, prices: PriceList = NO_PRICES) -> PreparedAgent:
    settings = Settings(openai_api_key=SecretStr("sk"), tokenlab_api_key=SecretStr("sk"))
    return prepare(file, Choices(settings, {}, lambda: "ws://127.0.0.1:9/v1/realtime").of(file), catalogue, prices)


def test_the_model_is_told_in_the_agents_language_what_it_is() -> None:
    setup = prepared(agent("language: ja-JP")).choices[0].setup
    assert session_settings(setup)["instructions"] == truthful("p", "ja-JP")


def test_the_model_and_its_fallbacks_are_offered_the_same_tools() -> None:
    file = agent(
        "model: {provider: openai, fallbacks: [{provider: local}]}\n"
        "tools: [{name: find, description: d, sql: {query: select 1}}]"
    )
    databases = Databases(default_url="sqlite:///x.db", data_dir=Path(), environ={})
    ready = prepared(file, Catalogue.of(file.tools, databases))
    offered = (FunctionTool("find", "d", {"type": "object", "properties": {}}),)
    assert [choice.setup.tools for choice in ready.choices] == [offered, offered]


def test_the_terms_are_the_files_else_those_that_are_known() -> None:
    model = (
        "model: {provider: openai, session_limit_s: 60, fallbacks: [{provider: tokenlab, reconnect: within_call}, "
        "{provider: tokenlab}, {provider: openai, reconnect: never}, {provider: local}]}"
    )
    terms = prepared(agent(model), prices=PRICES).terms
    assert [one.session_limit_s for one in terms] == [60, None, None, 3600, None]
    assert [one.reconnects for one in terms] == [True, True, False, False, True]
    assert [one.price for one in terms] == [
        PRICES.price_of("openai", "gpt-realtime-2.1", "gpt-4o-mini-transcribe"),
        None,
        None,
        PRICES.price_of("openai", "gpt-realtime-2.1", "gpt-4o-mini-transcribe"),
        FREE,
    ]
    assert terms[0].price is not None
