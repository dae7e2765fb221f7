"""What callers are expected to say, with what they mean by it: the sentences the recogniser listens for.

Every phrase carries the intent that the dialogue must understand in it, so that ears and rules cannot drift apart. "#"
stands for a number.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.local.offers import Deed, Tool
from app.local.parameters import Kind, Parameter
from app.local.sayings import Intent, topics_of
from app.local.words import word_set


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say something. tool: the tool it asks for, by name; number: whose number "#" stands for."""

    words: str
    intent: Intent
    tool: str = ""
    number: Parameter | None = None


_GENERAL: Mapping[Intent, str] = {
    Intent.YES: (
        "yes|yeah|yes please|yes that is right|yes that's right|that's right|that's correct|correct|right"
        "|yes it is|sure|go ahead|yes do it|yes go ahead|okay"
    ),
    Intent.NO: "no|nope|no it isn't|never mind|no never mind",
    Intent.WRONG: "no that's wrong|that's wrong|that's not right|no that's not right|the wrong number|wrong number",
    Intent.REPEAT: (
        "repeat that|please repeat that|can you repeat that|could you repeat that|can you say that again"
        "|say that again|say it again|once more|pardon|what did you say|i did not hear that|i didn't catch that"
        "|i didn't understand"
    ),
    Intent.GOODBYE: (
        "that is all goodbye|that's all goodbye|that is all|that's all|that's all thank you|goodbye|bye|bye bye"
        "|goodbye thank you|thank you goodbye|thanks bye|no that's all|no thank you|no thank you goodbye"
        "|no thanks|nothing else|no that is all thank you|that was all|i'm done|that's it"
    ),
    Intent.HUMAN: (
        "are you a human|are you human|are you a robot|are you a real person|are you a machine|is this a robot"
        "|is this a real person|am i talking to a robot|am i talking to a person|am i speaking to a human"
        "|am i talking to a real person|am i talking to a machine|am i speaking to a real person"
        "|am i talking to a human|are you real|are you a computer|are you a person|is this a machine"
        "|is this a recording"
    ),
    Intent.IDENTITY: "who are you|who is this|who am i speaking to|what company is this",
    Intent.PERSON: (
        "can i speak to a person|i want to speak to a person|i'd like to speak to a person"
        "|let me talk to a person|i want to talk to a human|can i talk to someone|operator|agent|representative"
        "|customer service|i'd like to speak to customer support|can i speak to an agent|connect me to an agent"
        "|i need a real person|speak to a manager"
    ),
    Intent.HELP: (
        "help|help me|can you help me|i need help|what can you do|what can i say|what can i ask"
        "|what else can you do|what are my options|how does this work"
    ),
    Intent.ASKING: (
        "sorry one question|one question|i have a question|i have another question|one more question"
        "|can i ask a question"
    ),
    Intent.WAIT: "hold on|wait|one moment|one moment please|just a moment|hang on|just a second|wait a moment",
    Intent.THANKS: "thank you|thanks|thank you very much|okay thank you",
    Intent.HELLO: "hello|hi|good morning|good afternoon|hello there",
}
_ABOUT_FOUND = (
    "when will it arrive|when does it arrive|when will i get it|when is it coming|when will it be here"
    "|when will it be delivered"
    "|when is the delivery|what is the delivery date|what's the delivery date|how long will it take"
    "|what day will it arrive"
    "|has it arrived|is it delivered|has it been delivered|what is the status|what's the status"
    "|is it shipped|has it shipped"
    "|has it been shipped|is it on its way|is it on the way|where is it|where is it now|is it ready"
    "|is it paid|is it confirmed"
    "|how much is it|how much does it cost|what is the total|what is the price|who delivers it"
    "|which carrier|what is the tracking number"
    "|where does it go|what is the address|what is in it"
)
_ANOTHER = "another one|another one please|a different one|i have another one|can you check another one"
_OWN = (
    "what is my {label}|what's my {label}|what was my {label}|which number did you look up|repeat the number"
    "|read back the number"
)
# The frequent ones stand several times. Few go without "is": a voice's "number is" would be heard as "number eight".
_NUMBERS = (
    "the number is #", "my {label} is #", "#", "the number is #", "my {label} is #", "it's #", "the {label} is #", "#",
    "the number is #", "my {label} is #", "it is #", "{label} #", "my number is #", "that's #", "yes it's #",
    "sorry it's #", "no it's #", "no #", "# please", "yes #", "i said #",
)  # fmt: skip
_LOOKING = (
    "where is my {noun}|where's my {noun}|what is the status of my {noun}|what's the status of my {noun}"
    "|check my {noun}"
    "|can you check my {noun}|please check my {noun}|i want to check my {noun}|i'd like to check my {noun}"
    "|i would like to check my {noun}"
    "|check the status of my {noun}|check on my {noun}|track my {noun}|can you track my {noun}"
    "|look up my {noun}|can you look up my {noun}"
    "|find my {noun}|can you find my {noun}|i'm calling about my {noun}|i am calling about my {noun}"
    "|i have a question about my {noun}"
    "|i want to know where my {noun} is|i'd like to know where my {noun} is|can you tell me where my {noun} is"
    "|i need help with my {noun}|what about my {noun}|tell me about my {noun}|{noun} status"
    "|i want to ask about my {noun}"
)
_SENT = (
    "when will my {noun} arrive|when does my {noun} arrive|when will i get my {noun}|has my {noun} shipped"
    "|has my {noun} been shipped"
    "|is my {noun} shipped|is my {noun} on its way|my {noun} has not arrived|i have not received my {noun}"
    "|when is my {noun} coming"
)
_OTHER_ONE = (
    "check another {noun}|look up another {noun}|another {noun}|another {noun} please|what about another {noun}"
)
_WITH_NUMBER = (
    "where is {noun} #", "check {noun} #", "look up {noun} #", "what about {noun} #", "{noun} #", "track {noun} #",
    "i'm calling about {noun} #", "what is the status of {noun} #",
)  # fmt: skip
_ASKING_FOR = (
    "what is the {noun}|what are the {noun}|what are your {noun}|tell me the {noun}|tell me your {noun}"
    "|{noun} please|can you tell me the {noun}"
    "|i'd like to know the {noun}|i want to know your {noun}"
)
_DOING = (
    "{verb} {a_noun}|{verb} my {noun}|i want to {verb} my {noun}|i'd like to {verb} my {noun}"
    "|i would like to {verb} my {noun}"
    "|i want to {verb} {a_noun}|i'd like to {verb} {a_noun}|i would like to {verb} {a_noun}"
    "|can you {verb} my {noun}|can i {verb} {a_noun}"
    "|please {verb} my {noun}|i need to {verb} my {noun}|i need to {verb} {a_noun}|{verb} it"
    "|please {verb} it|can you {verb} it"
)
_DOING_TO_NUMBER = ("{verb} {noun} #", "please {verb} {noun} #", "i want to {verb} {noun} #", "{verb} {noun} number #")
_DO_NOT = "don't {verb} it|no don't {verb} it|do not {verb} it"
_TOPICS = {
    "opening hours": "what are your opening hours|when are you open|when do you open|are you open|when do you close",
    "address": "where are you|what is your address|how do i get there",
    "returns": "what is your return policy|how do i return something|can i return something",
    "delivery": "how long does delivery take|how long does shipping take|do you deliver|what is the shipping cost",
    "payment": "how can i pay|do you take credit cards|do you accept cards",
    "parking": "do you have parking|can i park there",
    "website": "what is your website",
    "telephone number": "what is your phone number|what is your telephone number",
    "warranty": "what about the warranty",
}
_SHIPPABLE = word_set("order orders parcel package shipment delivery item purchase book letter")


def phrases_of(tools: Sequence[Tool], topics: Collection[str]) -> Iterator[Phrase]:
    """Yield what callers may say to an agent with these tools, whose instructions tell about these topics."""
    transfers = any(tool.deed is Deed.TRANSFER for tool in tools)
    for intent, said in _GENERAL.items():
        is_asked_of_tool = intent is Intent.PERSON and transfers
        for words in said.split("|"):
            yield Phrase(words, Intent.REQUEST if is_asked_of_tool else intent)
    for tool in tools:
        for topic in topics_of(tool):
            for words in _TOPICS[topic].split("|"):
                yield Phrase(words, Intent.REQUEST, tool.name)
    for topic in topics:
        for words in _TOPICS[topic].split("|"):
            yield Phrase(words, Intent.FACT)
    if any(tool.deed is Deed.FIND for tool in tools):
        for words in _ABOUT_FOUND.split("|"):
            yield Phrase(words, Intent.QUESTION)
            yield Phrase(f"actually {words}", Intent.QUESTION)
    for number in {tool.number.label: tool.number for tool in tools if tool.number is not None}.values():
        yield from _of_number(number)
    for tool in tools:
        is_clear = not any(tool.verb in other.noun.split() for other in tools)  # "order it", where orders are looked up
        yield from (phrase for phrase in _of_tool(tool) if is_clear or not phrase.words.endswith(" it"))
        for one in tool.parameters:
            yield from _of_choice(one, tool)


def _of_number(number: Parameter) -> Iterator[Phrase]:
    for words in _ANOTHER.split("|"):
        yield Phrase(words, Intent.ANOTHER)
    for words in _OWN.split("|"):
        yield Phrase(words.format(label=number.label), Intent.OWN_NUMBER)
    names_a_thing = bool(set(number.label.split()) - {"number", "code"})
    for words in _NUMBERS:
        intent = Intent.REQUEST if names_a_thing and "{label}" in words else Intent.NUMBER
        yield Phrase(words.format(label=number.label), intent, number=number)


def _of_tool(tool: Tool) -> Iterator[Phrase]:
    noun = tool.noun
    if noun == "request" or tool.deed in {Deed.TRANSFER, Deed.END}:
        if noun == "request" and tool.has_effect:
            for words in (tool.verb, f"please {tool.verb}", f"i want to {tool.verb}", f"i'd like to {tool.verb}"):
                yield Phrase(words, Intent.REQUEST, tool.name)
        return
    a_noun = noun if noun.endswith("s") else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    fill = {"noun": noun, "a_noun": a_noun, "verb": tool.verb}
    said: str
    numbered: tuple[str, ...]
    if tool.deed is not Deed.FIND:
        said, numbered = _DOING, _DOING_TO_NUMBER
    elif tool.number is None:
        said, numbered = _ASKING_FOR, ()
    else:
        ships = bool(_SHIPPABLE & set(noun.split()))
        said, numbered = "|".join((_LOOKING, *((_SENT,) if ships else ()), _OTHER_ONE)), _WITH_NUMBER
    for words in said.split("|"):
        yield Phrase(words.format(**fill), Intent.REQUEST, tool.name)
    if tool.has_effect:
        for words in _DO_NOT.split("|"):
            yield Phrase(words.format(**fill), Intent.NO)
    if tool.number is not None:
        for words in numbered:
            yield Phrase(words.format(**fill), Intent.REQUEST, tool.name, tool.number)
        label = tool.number.label
        for request in said.split("|")[:6]:
            for carrier in ("the number is #", f"my {label} is #", "it's #"):
                yield Phrase(f"{request.format(**fill)} {carrier}", Intent.REQUEST, tool.name, tool.number)


def _of_choice(one: Parameter, tool: Tool) -> Iterator[Phrase]:
    if one.kind is not Kind.CHOICE or one.preset is not None:
        return
    for choice in one.choices:
        words = str(choice).lower().replace("_", " ")
        yield Phrase(words, Intent.UNCLEAR)
        yield Phrase(f"the {words} one", Intent.UNCLEAR)
        if tool.deed is Deed.TRANSFER:
            for asked in ("transfer me to", "connect me to", "i want to speak to", "i'd like to speak to", "give me"):
                yield Phrase(f"{asked} {words}", Intent.REQUEST, tool.name)
