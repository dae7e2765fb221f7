import pytest

from app.local.pronunciation import arpabet_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("hɛlˈoʊ", "HH EH L OW"),
        ("ˈækmi", "AE K M IY"),
        ("kˌuːbɚnˈɛɾiːz", "K UW B ER N EH T IY Z"),
        ("tʃˈɔɪs", "CH OY S"),
        ("dʒˈʌdʒ", "JH AH JH"),
        ("ˈɔːɹdɚ", "AO R D ER"),
        ("fˈɜːɹi", "F ER IY"),
        ("fˈaɪɚ", "F AY ER"),
        ("bˈɑːɾəl", "B AA T AH L"),
        ("θɪŋ ðˈɪs", "TH IH NG DH IH S"),
    ],
)
def test_the_longest_match_gives_the_phones(ipa: str, phones: str) -> None:
    assert arpabet_of(ipa) == phones


def test_what_is_no_phone_is_passed_over() -> None:
    assert arpabet_of("ˈ ˌ ː 123") == ""
