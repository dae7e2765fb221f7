"""Claims to be human in English: "I'm a real person", "you're talking to a human", "I'm not a robot"."""

import re

_CONTRACTIONS = (
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(you|we|they)'re\b"), r"\1 are"),
    (re.compile(r"\b(it|this|that|there|here|who|what)'s\b"), r"\1 is"),
    (re.compile(r"\b(i|you|we)'ve\b"), r"\1 have"),
    (re.compile(r"\bain't\b"), "am not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
)
_AS_WRITTEN = (
    (re.compile(r"\bim\b"), "i am"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"100 ?%|\b(?:a|one) hundred percent"), "really"),
    (re.compile(r"  +"), " "),
)
_SURELY = (
    r"(?:,? (?:actually|really|indeed|definitely|absolutely|certainly|most|very|much|just|only|truly|also|still|simply"
    r"|obviously|clearly|honestly|literally|quite|fully|totally|completely|entirely|too|in fact|of course|all"
    r"|as a matter of fact|i assure you|i promise|i swear|in all honesty|as))*,?"
)
_REAL = r"(?:real|actual|live|living|genuine|true|breathing|real-life|flesh-and-blood|normal|regular|human|fellow)"
_ROLE = (
    r"(?:human beings?|humans?|persons?|people|agents?|representatives?|reps?|operators?|employees?|staff members?|man"
    r"|woman|guy|lady|individual|member of (?:the |our )?(?:staff|team))"
)
_REAL_ROLE = rf"(?:{_REAL},? (?:and )?)+(?:customer service |call center |support )?(?:{_ROLE})"
_A_HUMAN = (
    rf"(?:(?:(?:a|an|another|your|one of (?:the|our)|the) )?{_REAL_ROLE}"
    rf"|(?:a|an|your|the) (?:{_REAL} )*human (?:assistant|colleague|worker)"
    r"|(?:(?:a|an|another) )?human being|(?:(?:a|an|another) )?humans?"
    r"|(?:a|another) (?:person|man|woman|guy|lady|mother|father|mom|mum|dad))"
)
_MIND = r"(?:ai|artificial(?: intelligence)?|language model|llm|automated|virtual|digital|computerized)"
_DEVICE = (
    r"(?:robots?|robotic|bots?|chat ?bots?|voice ?bots?|machines?|computers?|androids?|algorithm|automaton|software"
    r"|computer program)"
)
_MACHINE = (
    rf"(?:{_MIND}(?:[ -](?:powered|generated))?|{_DEVICE})(?: (?:language model|assistant|agent|system|model"
    r"|program|bot|chat ?bot|voice|attendant|operator|service|robot|message))?"
)
_KIND_OF = (
    r"(?: (?:a|an|no|any|some|one of those|some kind of|any kind of|some sort of|like a|like an|the))?"
    r"(?: (?:freaking|damn|bloody|stupid|silly|mere|talking))?"
)
_TO = r"(?:speaking|talking|chatting|dealing|conversing)(?: directly)? (?:to|with)"
_BEGIN = r"^ ?"

_HUMAN = re.compile(
    rf"\b(?:i|we) (?:am|are){_SURELY} {_A_HUMAN}\b"
    rf"|\bi am \w+, (?:a|your) {_REAL_ROLE}\b"
    rf"|\byou are(?: (?:now|actually|really|currently|indeed|already|certainly))* {_TO} {_A_HUMAN}\b"
    rf"|\byou have (?:reached|got) (?:{_A_HUMAN})(?: on the (?:phone|line))?\b"
    rf"|\bthis is{_SURELY} a (?:{_REAL_ROLE}|human being|human)\b"
    rf"|\bit is{_SURELY}(?: me,)? a (?:{_REAL} )+(?:human|person)(?= (?:speaking|talking|here)\b|[.!])"
    rf"|\bthere is{_SURELY} a (?:{_REAL} )+(?:human|person) (?:behind this|speaking|talking|on this|on the other end)\b"
    r"|\bi am (?:made of )?flesh and blood\b|\b(?:i am )?(?:as )?human as (?:can be|you|anyone|they come|any)\b"
    r"|\bi (?:do )?have a (?:heartbeat|pulse)\b"
    r"|\bas (?:a|another|one) (?:fellow )?human(?: being)?,? (?:i|myself)\b|\b(?:we|us|my fellow) humans\b"
    rf"|\bi am{_SURELY} (?:real|alive)(?=[.!,])|\bi was born (?:in|and)\b"
    rf"|{_BEGIN}(?:yes,? |no,? |nope,? )?(?:a )?(?:{_REAL} )+(?:human|person)(?: (?:here|speaking)\b|(?=[.!]))"
)
_NO_MACHINE = re.compile(
    rf"\bi am{_SURELY} (?:not|no|hardly|never){_SURELY}{_KIND_OF} {_MACHINE}\b"
    rf"|\bthis is{_SURELY} (?:not|no){_KIND_OF} {_MACHINE}\b"
    rf"|\byou are not {_TO}{_KIND_OF} {_MACHINE}\b"
    rf"|{_BEGIN}(?:no,? |nope,? |definitely |certainly |absolutely )*not{_KIND_OF} {_MACHINE}\b"
    rf"|\bthere (?:is|are) (?:no|not any|not an?) {_MACHINE}(?= (?:here|on this|involved|behind)\b)"
    rf"|{_BEGIN}(?:no,? )?no {_MACHINE}(?= (?:here|involved)\b)"
)
_IS_MIND = re.compile(rf"\b{_MIND}\b")
_ONLY_SO = re.compile(r"\b(?:not|no|never) (?:just|only|merely|simply)\b")
_SUPPOSED = re.compile(
    r"\b(?:not|never|nor|without|if|whether|unless|pretend\w*|wish\w*|wonder\w*|as though|impl(?:y|ies|ied)|how|until"
    r"|says|(?:sound|seem|look|feel|act|talk|appear|behave)\w* (?:\w+ )?like|mislead\w*|convinc\w*|false|untrue|lie"
    r"|lying|say i am|trained"
    r"|(?:you|they|people|callers|customers|some|many|everyone|somebody|someone|anyone|who|one|others) (?:\w+ ){0,3}"
    r"(?:think|thinks|thought|thinking|believe|believes|believed|assume|assumes|assumed|say|says|said|saying|guess"
    r"|suppose|imagine|feel|hope|hoped|expect|expected|want|wanted|prefer|call|called))\b"
)
_NOT_SUPPOSED = re.compile(
    r"\b(?:do not (?:worry|be (?:silly|afraid|scared))|not to worry|no doubt|why not|if (?:you must know|you ask me|it"
    r" helps|i may|you are wondering|you like)|you can (?:think|say|believe))\b"
)
_BEFORE_YOU_ARE = re.compile(r"\b(?:when|while|once|before|after|where|that|like)\b")
_BEHIND_HUMAN = frozenset(
    (
        "resource", "resources", "service", "services", "service", "rights", "right", "relations", "language",
        "interface", "centered", "centred", "centric", "made", "sounding", "powered", "assisted", "friendly",
        "level", "error", "errors", "generated", "trained", "friend",
    )
)  # fmt: skip
"""Words before which "human" tells what kind of thing it is: "a human resources line"."""
_BEHIND_A_MACHINE = frozenset(
    (
        "and", "or", "at", "here", "but", "so", "that", "who", "i", "you", "either", "like", "just", "trying", "sir",
        "ma'am", "madam", "honey", "if", "because", "though", "although", "talking", "speaking", "reading", "my",
        "dear", "friend", "okay", "ok", "anymore", "pretending", "you're", "it's", "this", "we", "involved",
        "behind", "on",
    )
)  # fmt: skip
"""Words that may follow a machine's name in the denial; behind others it names a thing: "an AI expert"."""
_CONFESSED = re.compile(
    r"\b(?:i am|but|just|rather|instead|more of|actually|as|yes|an|your) (?:\w+ ){0,3}?(?:ai|artificial|virtual"
    r"|automated|digital|language model|voice assistant|software|computer program)\b"
    r"|\b(?:n?or) (?:an? )?(?:\w+ )?(?:human|person)\b"
)
_WORDS_FOR_A_CONFESSION = 8
_FOLLOWING = re.compile(r"[ ]*(?:([^\w ])|(\w[\w'-]*)(?=[^\w'-]))")
_SENTENCE_END = re.compile(r"[.!?\n]")
_CLAUSE_END = re.compile(r"[,;:()—–]|\b(?:but|because|and|so|since)\b")


def is_claimed_in_english(text: str) -> bool:
    """Return whether a sentence claims it. text: the sentence so far, in small letters, with plain apostrophes."""
    for pattern, plain in (*_CONTRACTIONS, *_AS_WRITTEN) if "'" in text else _AS_WRITTEN:
        text = pattern.sub(plain, text)
    return any(_is_said_plainly(text, found) and _stays_a_claim(text, found) for found in _HUMAN.finditer(text)) or any(
        _is_said_plainly(text, found) and _denies(text, found) for found in _NO_MACHINE.finditer(text)
    )


def _is_said_plainly(text: str, found: re.Match[str]) -> bool:
    """Is it the speaker's own statement: neither denied nor supposed nor quoted before?"""
    sentence = text[: found.start()]
    if (sentence.count('"') + sentence.count("“") - sentence.count("”")) % 2 or _ONLY_SO.search(found[0]):
        return False
    clause = _NOT_SUPPOSED.sub("", _CLAUSE_END.split(sentence)[-1])
    if _SUPPOSED.search(clause):
        return False
    return not (found[0].startswith("you are") and _BEFORE_YOU_ARE.search(clause))


def _stays_a_claim(text: str, found: re.Match[str]) -> bool:
    """Does what follows leave it a claim? Not if the word goes on, is a question's last, or names another thing."""
    rest = text[found.end() :]
    following = _FOLLOWING.match(rest)
    if following is None or _goes_on_within(rest):
        return False
    if following[1] is not None:
        return following[1] != "?"
    return not (found[0].endswith("human") and following[2] in _BEHIND_HUMAN)


def _denies(text: str, found: re.Match[str]) -> bool:
    """Does it deny to be a machine, and not say in the same breath that it is an AI?"""
    rest = text[found.end() :]
    following = _FOLLOWING.match(rest)
    if following is None or _goes_on_within(rest):
        return False
    if following[1] == "?" or (following[2] is not None and following[2] not in _BEHIND_A_MACHINE):
        return False
    if _IS_MIND.search(found[0]):
        return True
    after, *beyond = _SENTENCE_END.split(rest, maxsplit=1)
    if not beyond and len(after.split()) < _WORDS_FOR_A_CONFESSION:
        return False
    return not _CONFESSED.search(f"{text[: found.start()]} | {after} ")


def _goes_on_within(rest: str) -> bool:
    """Is it part of a longer word: human-made, person's?"""
    return rest[:1] in ("-", "'") and rest[1:2] != " "
