"""How callers say things in English: patterns over lower case words, contractions spelled out, numbers as "#"."""

from collections.abc import Mapping
from enum import Enum

from app.local.offers import Deed, Tool
from app.local.outcomes import Detail
from app.local.parameters import name_words
from app.local.words import word_set


class Intent(Enum):
    """What one turn asks for."""

    REQUEST = "request"  # something that a tool does
    QUESTION = "question"  # a detail of what was found
    NUMBER = "number"  # a number and nothing else
    OWN_NUMBER = "own_number"  # which number was understood
    ANOTHER = "another"  # the same again, for another thing
    YES = "yes"
    NO = "no"
    WRONG = "wrong"  # what was understood is not what was said
    REPEAT = "repeat"
    GOODBYE = "goodbye"
    HUMAN = "human"  # am I talking to a person?
    IDENTITY = "identity"  # who is this?
    PERSON = "person"  # let me talk to a person
    HELP = "help"
    FACT = "fact"  # something that the instructions tell about the business
    ASKING = "asking"  # a question is coming
    WAIT = "wait"
    THANKS = "thanks"
    HELLO = "hello"
    UNCLEAR = "unclear"


SPELLED_OUT = {
    "what's": "what is", "where's": "where is", "when's": "when is", "who's": "who is", "how's": "how is",
    "it's": "it is", "that's": "that is", "there's": "there is", "i'd": "i would", "i'm": "i am", "i've": "i have",
    "i'll": "i will", "isn't": "is not", "hasn't": "has not", "don't": "do not", "doesn't": "does not",
    "didn't": "did not", "couldn't": "could not", "can't": "can not", "cannot": "can not", "won't": "will not",
    "wasn't": "was not", "you're": "you are", "it'll": "it will", "aren't": "are not", "let's": "let us",
    "goodbye": "bye", "ok": "okay",
}  # fmt: skip

POLITE = word_set(
    "hello hi hey okay sorry please thank thanks you actually um uh uhm er well so oh and but just now then "
    "yeah yes no excuse me good morning afternoon evening sir madam alright all right sure"
)

_MACHINES = "robot|machine|bot|chatbot|computer|program|ai|a i"
_KINDS = f"human|human being|person|real|automated|artificial|{_MACHINES}"
_TRULY = "real|actual|live|living"

# In this order: the first that fits is meant.
SAID: tuple[tuple[Intent, str], ...] = (
    (
        Intent.GOODBYE,
        r"\bbye\b|\bthat (is|was|will be|would be) (all|it|everything)\b|\bnothing (else|more)\b|\bhang up\b"
        r"|\bi am (all )?(done|finished)\b|\bno more questions\b|\bend the call\b|\bsee you\b|^all set$"
        r"|^(i am )?all good$"
        r"|\bhave a (nice|good|great) (day|one|evening|weekend)\b|^no (thank you|thanks)$",
    ),
    (
        Intent.IDENTITY,
        r"\bwho (are you|is this|is speaking|am i)\b|\bwhat (company|business|shop) is this\b|\bwhat is your name\b",
    ),
    (
        Intent.HUMAN,
        rf"\bare you (?:(?:a|an|really|not|even|actually|just|some kind of|{_TRULY}) )*({_KINDS}|alive|chat ?gpt)\b"
        rf"|\byou are (?:(?:a|an|really|not|just|only|{_TRULY}) )*({_KINDS})\b"
        rf"|\byou (sound|talk|speak) (just |exactly |really )?like (a |an )({_KINDS})\b"
        rf"|\b(talking|speaking|talk|speak) (to|with) (a |an )({_MACHINES}|recording)\b"
        r"|\bam i (talking|speaking) (to|with)\b"
        rf"|\bis (this|it) (?:(?:a|an|really|just|{_TRULY}) )*({_KINDS}|recording)\b"
        rf"|\bis (there|anybody there|anyone there|someone there) (?:(?:a|an|any|{_TRULY}) )*(human|person)\b"
        r"|^(so )?what are you( exactly| really)?$|\bdo you have (a body|feelings)\b"
        r"|\b(prove|sure) (that )?you are (a |not a )?(human|person|robot|real)\b",
    ),
    (
        Intent.PERSON,
        r"\b(operator|representative|human|real person|live agent|receptionist|manager|supervisor)\b"
        r"|\b(speak|talk|transfer|connect|get|want|need|put|pass|give)\b.*\b(person|someone|somebody|agent|staff|people"
        r"|colleague|customer (service|support|care)|support|sales)\b"
        r"|^(an? )?(agent|person|customer service|customer support)( please)?$",
    ),
    (
        Intent.REPEAT,
        r"\brepeat (that|it|please|yourself|the answer)\b|\brepeat$|\bsay (that|it) again\b|\bonce (more"
        r"|again)$|^again( please)?$"
        r"|\bwhat did you say\b|\b(pardon|come again)\b|\b(did|could|can) not (hear|understand|catch)\b"
        r"|^(what|excuse me)$",
    ),
    (
        Intent.HELP,
        r"\bhelp$|^help\b|\bhelp me$|\bhelp please$|\bwhat (else )?can (you|i) (do|say|ask|tell)\b"
        r"|^what else\b|\bwhat do you do\b"
        r"|\bhow (does|do) (this|it|you) work\b|\b(options|menu|instructions)\b|\bwhat are my choices\b"
        r"|\bhow can you help\b",
    ),
    (Intent.ASKING, r"\b(one|a|another|quick|more) (quick |more )?question\b(?! about)"),
    (
        Intent.WAIT,
        r"\bhold on\b|\b(one|a|just a) (moment|second|minute)\b|^wait( a moment| please)?$|\bhang on\b"
        r"|\blet me (see|check|look)\b",
    ),
    (
        Intent.WRONG,
        r"\b(that|it|this) is (not (right|correct|it|my|the|what)|wrong|incorrect)\b|\bwrong (number"
        r"|order)\b|\bnot my (order|number)\b"
        r"|\bnot what i said\b|^(no )?(not right|not correct|wrong|incorrect)$",
    ),
)

YES = (
    r"^(yes|yeah|yep|yup|correct|right|sure|okay|exactly|absolutely|definitely|of course|go ahead|please do|do it"
    r"|that is (right|correct|fine)|it is$|i am sure|sounds good)\b"
)
NO = r"^(no|nope|nah|negative|do not|never mind|nevermind|cancel that|stop|not now|rather not|forget it|i do not)\b"
DO_NOT = r"\b(do not|never) (want to )?(cancel|change|book|pay|delete|return|do|make|send|create|order|buy|remove)\b"

ANOTHER = r"\b(another|a different|the other|a new|the next|a second|one more)\b"
OWN_NUMBER = (
    r"\b(what|which) (number|one) (is it|was it|was that|did i|did you|do you|have you)\b"
    r"|\b(what|which) (\w+ ){0,3}number (did i|did you|do you|have you|was it|was that|is it)\b"
    r"|\b(repeat|read|say|confirm|tell me) (back )?(the|my) (\w+ ){0,2}(number|code)\b"
)

DETAILS: tuple[tuple[Detail, str], ...] = (
    (Detail.TRACKING, r"\btracking\b"),
    (Detail.PRICE, r"\bhow much\b|\b(price|total|cost|costs|amount|balance|fee|charge)\b"),
    (Detail.CARRIER, r"\b(carrier|courier)\b|\bwho (delivers|is delivering|ships|is bringing)\b"),
    (Detail.QUANTITY, r"\bhow many\b|\bquantity\b"),
    (
        Detail.PLACE,
        r"\b(address|which city|what city|which store|what location)\b|\bwhere (does|will) it\b|\bit going\b",
    ),
    (Detail.REASON, r"\bwhy\b|\breason\b"),
    (
        Detail.ARRIVAL,
        r"\b(arrive|arrives|arrival|arriving|delivery|deliver|eta|e t a"
        r"|expected)\b|\bbe here\b|\bcoming\b"
        r"|\bwhen (will|does|do|is|can|was|did) (i|it|my|the)\b|\bhow long\b|\bwhat (day|date|time)\b",
    ),
    (
        Detail.STATUS,
        r"\b(status|cancelled|delivered|arrived|received)\b"
        r"|\b(shipped|sent|dispatched|on its way|on the way|ready|paid|confirmed|progress|shipping)\b"
        r"|\bwhere is\b|\bwhat (happened|is happening|is going on)\b|\bwhat about\b|\bhow is\b",
    ),
    (
        Detail.CONTENTS,
        r"\bwhat (is|was) in\b|\bwhat did i (order|buy|book)\b|\b(items|contents|products)\b|\bwhich (item|product)\b",
    ),
    (Detail.NAME, r"\b(whose|what|which) name\b"),
)

DEEDS: Mapping[Deed, str] = {
    Deed.CANCEL: r"\b(cancel|canceling|cancelling|cancellation|abort)\b|\bcall off\b",
    Deed.RETURN: r"\b(return|refund|exchange)\b|\b(send|give) (it |this |them )?back\b|\bmoney back\b",
    Deed.CHANGE: r"\b(change|update|modify|edit|reschedule|amend|extend|renew|reset|move)\b",
    Deed.PAY: r"\b(pay|payment|settle)\b",
    Deed.BOOK: r"\b(book|reserve|schedule)\b|\bmake (a|an) (reservation|appointment|booking)\b",
    Deed.DELETE: r"\b(delete|remove|erase)\b",
    Deed.SEND: r"\b(send|resend|forward)\b",
    Deed.TRANSFER: r"\b(transfer|connect)\b|\bput me through\b",
    Deed.CREATE: r"\b(create|place|add|open|submit|file|register)\b|\bmake (a|an)\b|\b(leave|take) (a|an)\b|\ba new\b",
}
REFUSABLE = frozenset({Deed.CANCEL, Deed.RETURN, Deed.CHANGE, Deed.PAY, Deed.BOOK, Deed.DELETE})

FACTS: Mapping[str, str] = {
    # how callers ask for what the instructions tell (topics of `instructions.TOPICS`)
    "opening hours": r"\b(opening|business|store|your) hours\b|\b(are|do|will) you (open|close|closed)\b",
    "address": r"\bwhere are you\b|\byour address\b|\bhow do i get (there|to you)\b|\bwhere is your \w+$",
    "returns": r"\b(return|refund) policy\b|\bhow (do|can) i (return|get a refund)\b|\bcan i return\b",
    "delivery": r"\bhow long does \w+ take\b|\b(delivery|shipping) (cost|fee)s?\b|\bdo you (deliver|ship)\b",
    "payment": r"\bhow (can|do) i pay\b|\bdo you (take|accept) (credit )?cards?\b|\bpayment methods?\b",
    "parking": r"\bparking\b|\bcan i park\b",
    "website": r"\b(website|web site|web page)\b",
    "telephone number": r"\byour (tele)?(phone )?number\b",
    "warranty": r"\b(warranty|guarantee)\b",
}

CARRIERS = word_set(
    "the a an my number is it that this was and i have for code id of here let give said say its reference am "
    "about order calling digits pin date zip phone account with"
)


def topics_of(tool: Tool) -> tuple[str, ...]:
    """Return what of FACTS a tool tells, asked for nothing: a look-up without parameters, by the words of its name."""
    if tool.deed is not Deed.FIND or tool.required:
        return ()
    named = {word.rstrip("s") for word in name_words(tool.name)}
    return tuple(topic for topic in FACTS if named & {word.rstrip("s") for word in topic.split()})
