"""Words of a text, and lists of words written as one string."""

import re


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, without punctuation; digits stay digits."""
    return tuple(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower().replace("’", "'")))


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list that is written with spaces between."""
    return frozenset(text.split())
