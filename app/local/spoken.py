"""Text as a synthesiser must be given it, so that it is read right."""


def spoken(text: str, language: str) -> str:
    """Return what to give to the voice for these words."""
    return text
