"""What a caller wants in Korean or Japanese: typed words and numbers. It is not heard, so a few plain signs do."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.local.digits import Run
from app.local.intents import Heard, understand
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail
from app.local.sayings import Intent

_HUMAN = re.compile(
    r"(사람|인간|상담원|상담사|직원|로봇|기계|컴퓨터|챗봇)(이|은)? ?"
    r"(이에요|예요|에요|인가요?|입니까|이?세요|이?신가요|인지|이야|야|이니|인 ?거|인 ?건|이죠|이지"
    r"|맞아|맞나|맞으|맞습니까|맞죠|아니죠|아니에요|아니세요|아닌가|아닙니까)"
    r"|(사람|인간)(이랑|하고|과|랑) ?(통화|대화|이야기|얘기|말)하(는|고 ?있)"
    r"|로봇(?! ?청소)|챗봇|인공 ?지능|자동 ?응답"
    r"|人間(です|でしょう|なの|じゃ|では|か)|(本当の|本物の|実在の|生身の|生きた)人|中の人|ロボット(?!掃除)"
    r"|機械(です|なの|じゃ|では)|人工知能|自動音声|コンピューター?(です|なの)"
    r"|(人|人間|オペレーター)と(お?話し|通話し)て(い|る|ま)"
    r"|(?<![a-z])AI(?![a-z])|ＡＩ",
    re.IGNORECASE,
)
"""Am I talking to a person? It goes before all else: "no" in front of it is impatience, not an answer."""
_SIGNS: tuple[tuple[Intent, str], ...] = (
    (
        Intent.GOODBYE,
        r"안녕히|끊을|끊어|종료|이상입니다|괜찮습니다|됐어요|さようなら|失礼します|以上です|終わり|結構です",
    ),
    (Intent.REPEAT, r"다시 (말|한번|한 번|들)|반복|뭐라고|못 들|もう一度|繰り返|聞こえ"),
    (Intent.PERSON, r"상담원|상담사|직원|사람(과|이랑|하고|을)|바꿔|担当者|オペレータ|人間?と(お?話|はな)"),
    (Intent.OWN_NUMBER, r"(무슨|어떤|몇) 번호|번호가 (뭐|무엇)|番号は何|何番"),
    (Intent.WRONG, r"틀렸|틀려|아닌데|잘못|違います|違う|間違"),
    (Intent.HELP, r"도움|도와|뭘 할|무엇을 할|어떻게|助けて|ヘルプ|何ができ|どうすれば"),
    (Intent.ANOTHER, r"다른|別の|ほかの|他の"),
    (Intent.THANKS, r"감사|고마|ありがと"),
    (Intent.HELLO, r"안녕|여보세요|こんにちは|もしもし|こんばんは|おはよう"),
)
_YES = r"^\s*(네|예|응|맞|그래|좋|はい|ええ|そう|お願い)"
_NO = r"^\s*(아니|아뇨|싫|하지 ?마|취소하지|いいえ|いや|やめ|違)"
_DEEDS: Mapping[Deed, str] = {
    Deed.CANCEL: r"취소|キャンセル|取り消",
    Deed.CHANGE: r"변경|바꾸|変更",
    Deed.RETURN: r"반품|환불|返品|返金",
    Deed.BOOK: r"예약(하|해)|予約(し|を)",
    Deed.PAY: r"결제|支払",
}
_DETAILS: tuple[tuple[Detail, str], ...] = (
    (Detail.ARRIVAL, r"언제|도착|배송일|いつ|到着|届"),
    (Detail.PRICE, r"얼마|가격|금액|いくら|値段|金額"),
    (Detail.STATUS, r"어디|상태|배송|どこ|状況|配送"),
)
_NUMBER = r"[0-9][0-9 -]*(?:\.[0-9]+)?"
_OPEN = re.compile(r"[0-9] ?\w{0,2}? ?(이나|아니면|또는|혹은|か|または|もしくは|~|〜) ?[0-9]")
"""A number that the caller leaves open: "four or five"."""
_LOOKING = r"조회|확인|찾|알려|알고|確認|調べ|教え"


def understand_foreign(text: str, tools: Sequence[Tool], topics: Collection[str] = ()) -> Heard:
    """Return what a typed turn in Korean or Japanese asks for; English words are understood as English."""
    if text.isascii():
        return understand(text, tools, topics)
    is_open = _OPEN.search(text) is not None
    numbers = tuple(
        Run(re.sub(r"\D", "", match[0]), place, place + 1, re.sub(r"[^\d.]", "", match[0]) if "." in match[0] else "")
        for place, match in enumerate(() if is_open else re.finditer(_NUMBER, text))
    )
    heard = Heard(
        Intent.UNCLEAR,
        tuple(run.digits for run in numbers),
        detail=next((detail for detail, sign in _DETAILS if re.search(sign, text)), None),
        numbers=numbers,
        is_yes=not is_open and bool(re.search(_YES, text)),
        is_no=not is_open and bool(re.search(_NO, text)),
    )
    if _HUMAN.search(text):
        return replace(heard, intent=Intent.HUMAN)
    if heard.is_no:
        return replace(heard, intent=Intent.WRONG if heard.numbers else Intent.NO)
    for intent, sign in _SIGNS:
        if re.search(sign, text):
            return replace(heard, intent=intent, is_another=intent is Intent.ANOTHER)
    deed = next((deed for deed, sign in _DEEDS.items() if re.search(sign, text)), None)
    if deed is not None:
        able = tuple(tool for tool in tools if tool.deed is deed)
        return replace(heard, intent=Intent.REQUEST, deed=deed, tools=able)
    if numbers:
        return replace(heard, intent=Intent.NUMBER)
    if heard.detail is not None:
        return replace(heard, intent=Intent.QUESTION)
    if re.search(_LOOKING, text):
        looks = tuple(tool for tool in tools if tool.deed is Deed.FIND)
        return replace(heard, intent=Intent.REQUEST, tools=looks) if looks else heard
    return replace(heard, intent=Intent.YES) if heard.is_yes else heard
