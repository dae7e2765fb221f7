"""Claims to be human in Japanese: "私は人間です", "AIではありません", "人間が対応しております".

A claim begins a sentence, behind a yes or no if need be, or behind a word for the speaker: "担当者は人間です" is about
somebody else.
"""

import re

_BEGIN = (
    r"(?:^\s*(?:(?:はい|ええ|うん|いいえ|いえ|いえいえ|いや|もちろん|もちろんです|そうです|そうですよ|違います"
    r"|ご安心ください|大丈夫です|まさか|実は)[、。,!]?\s*)*(?:この電話は|こちらは)?、?(?:(?:今|ただ今|ただいま"
    r"|現在)は?、?)?"
    r"|(?:私|わたし|わたくし|僕|ぼく|俺|私ども|当方|自分)(?:は|も|が|こそ|自身は|、)、?)"
)
_SURELY = (
    r"(?:(?:もちろん|本当に|本当の|本物の|実在の|実在する|生身の|れっきとした|ちゃんと|ちゃんとした|普通の"
    r"|ふつうの|同じ|正真正銘の"
    r"|正真正銘|一人の|ひとりの|ただの|間違いなく|実際の|あなたと同じ|お客様と同じ|生きた|生きている|血の通った"
    r"|決して|けっして|別に"
    r"|そんな|単なる|コールセンターの|今お話ししているのは|(?:ai|人工知能|ロボット|機械|ボット|自動音声)(?:では"
    r"|じゃ)(?:なく|なくて|ありません))、?)*"
)
_IS = (
    r"(?:です(?:よ|から|ので|けど|けれど|が|し|とも|ってば)?|でございます|だ(?:よ|から|ってば)?|なん(?:です|だ)"
    r"|なので|であり|である)"
)
_MACHINE = (
    r"(?:ai|エーアイ|人工知能|ロボット|(?:チャット|ボイス)?ボット|機械|コンピューター?|プログラム|自動音声"
    r"|自動応答|合成音声|人工音声)"
    r"(?:の?(?:音声|アシスタント|エージェント|オペレーター|システム|声|プログラム))?"
)
_IS_NOT = (
    r"(?:では|じゃ|でも|なんかでは|なんかじゃ|などでは)"
    r"(?:ありません|ございません|ないです|ないんです|ない|ねえ)(?:よ|から|ので|って)?"
)
_CLAIM = re.compile(
    rf"{_BEGIN}{_SURELY}人間{_IS}"
    rf"|{_BEGIN}{_SURELY}(?:人間|本物|実際|生身|実在|本当)の(?:人間|人|オペレーター|担当者|担当|スタッフ|係員?"
    rf"|者){_IS}"
    rf"|{_BEGIN}{_SURELY}(?P<machine>{_MACHINE}){_IS_NOT}"
    rf"|{_MACHINE}(?:では|じゃ)(?:なく|なくて|ありません)、?(?:私は)?{_SURELY}人間{_IS}"
    rf"|{_BEGIN}{_SURELY}人間(?:が|と)(?:お?話|お?電話|対応|応対|会話|通話)"
    r"(?:を?(?:し|受け|され|いただい|なさっ|させていただい)*)(?:て|って)(?:おり|い)(?:ます|る)"
)
_GOES_ON = re.compile(r"[。.!、,…\n)ー~]|[^\s。.!、,?かとねでがけ」』\"”]")
"""What lets a claim stand: "人間ですか" is a question, "人間ですと" a quotation."""
_HEDGED = re.compile(r"が|けど|けれど")
_SUPPOSED = re.compile(r"もし|仮に|「[^」]*$|『[^』]*$|\"[^\"]*$")
_CONFESSED = re.compile(r"(?:ai|人工知能|自動音声)(?:です|の|でございます|アシスタント|による|が)")
_SENTENCE_END = re.compile(r"[。.!?\n]")


def is_claimed_in_japanese(text: str) -> bool:
    """Return whether a sentence claims it. text: the sentence so far; Latin letters small and of half width."""
    return any(_is_claim(text, found) for found in _CLAIM.finditer(text))


def _is_claim(text: str, found: re.Match[str]) -> bool:
    if _SUPPOSED.search(text[: found.end()]):
        return False
    machine = found["machine"] or ""
    if machine and "ai" not in machine and "人工知能" not in machine:
        after, *beyond = _SENTENCE_END.split(text[found.end() :], maxsplit=1)
        if _HEDGED.match(after):  # "ロボットではありませんが、AIです" owns up
            return bool(beyond) and not _CONFESSED.search(after)
    return _GOES_ON.match(text, found.end()) is not None
