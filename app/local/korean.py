"""The dialogue's sentences in Korean. Callers are not heard in it: whatever is asked, the keypad answers."""

import re
from collections.abc import Mapping, Sequence

from app.local.answers import Answered, Field
from app.local.errand import Call
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail, detail_of
from app.local.parameters import Fault, Kind, Parameter, name_words
from app.local.translated import date_parts, name_of, told_apart, translated

_NOUNS: Mapping[str, str] = {
    "order": "주문", "number": "번호", "booking": "예약", "reservation": "예약", "appointment": "예약",
    "table": "테이블", "account": "계좌", "invoice": "청구서", "tracking": "운송장", "phone": "전화",
    "telephone": "전화", "mobile": "휴대 전화", "date": "날짜", "status": "상태", "eta": "도착 예정일",
    "price": "가격", "total": "합계", "amount": "금액", "balance": "잔액", "customer": "고객", "product": "상품",
    "item": "상품", "items": "상품", "quantity": "수량", "name": "이름", "address": "주소", "carrier": "배송사",
    "payment": "결제", "ticket": "접수", "delivery": "배송", "shipment": "배송", "package": "택배", "parcel": "택배",
    "code": "코드", "pin": "비밀번호", "guests": "인원", "people": "인원", "opening": "영업", "hours": "시간",
    "time": "시간", "size": "크기", "zip": "우편", "id": "번호", "store": "매장", "shop": "매장", "weather": "날씨",
    "call": "전화", "message": "메시지", "card": "카드", "destination": "연결할 곳", "reason": "사유", "city": "도시",
    "arrival": "도착", "shipping": "배송", "membership": "회원", "party size": "인원", "persons": "인원",
    "seating": "좌석", "seats": "좌석 수", "area": "구역", "room": "객실", "nights": "숙박 일수", "adults": "성인 수",
}  # fmt: skip
_DEEDS: Mapping[Deed, str] = {
    Deed.FIND: "조회", Deed.CANCEL: "취소", Deed.CHANGE: "변경", Deed.CREATE: "접수", Deed.BOOK: "예약",
    Deed.PAY: "결제", Deed.DELETE: "삭제", Deed.RETURN: "반품", Deed.SEND: "발송", Deed.TRANSFER: "연결",
    Deed.END: "종료", Deed.OTHER: "처리",
}  # fmt: skip
_STATES: Mapping[str, str] = {
    "shipped": "발송되었습니다", "sent": "발송되었습니다", "dispatched": "발송되었습니다",
    "delivered": "배송이 완료되었습니다", "processing": "처리 중입니다", "preparing": "준비 중입니다",
    "pending": "대기 중입니다", "cancelled": "취소되었습니다", "canceled": "취소되었습니다",
    "in transit": "배송 중입니다", "out for delivery": "배송 중입니다", "paid": "결제가 완료되었습니다",
    "confirmed": "확정되었습니다", "delayed": "지연되고 있습니다", "ready": "준비되었습니다",
    "returned": "반품되었습니다", "refunded": "환불되었습니다", "received": "접수되었습니다",
    "completed": "완료되었습니다", "on hold": "보류 중입니다", "open": "진행 중입니다", "closed": "종료되었습니다",
}  # fmt: skip
_FIELDS: Mapping[Detail, str] = {
    Detail.STATUS: "상태", Detail.ARRIVAL: "도착 예정일", Detail.PRICE: "금액", Detail.CARRIER: "배송사",
    Detail.TRACKING: "운송장 번호", Detail.PLACE: "주소", Detail.CONTENTS: "상품", Detail.QUANTITY: "수량",
    Detail.DEPARTURE: "출발일", Detail.TIME: "시간", Detail.DATE: "날짜", Detail.NAME: "이름", Detail.REASON: "사유",
}  # fmt: skip


class Korean:
    """Korean, polite, in short sentences."""

    anything_else = "더 도와드릴 일이 있으시면 번호를 눌러 주세요."
    still_there = "듣고 계신가요? 필요하신 것이 있으면 전화기 번호판을 눌러 주세요."
    one_moment = "잠시만 기다려 주세요."
    go_on = "네, 전화기 번호판을 눌러 주세요."
    take_your_time = "네, 천천히 하세요. 기다리고 있겠습니다."
    not_now = "죄송합니다. 지금은 그렇게 해 드릴 수 없습니다."
    kept = "네, 아무것도 바꾸지 않았습니다."
    what_else = "네, 알겠습니다. 더 필요하신 것이 있으면 번호를 눌러 주세요."
    nothing_yet = "아직 번호를 받지 못했습니다."
    yes_or_no = "맞으면 1번, 아니면 2번을 눌러 주세요."

    def greeting(self, business: str | None, tools: Sequence[Tool]) -> str:
        return f"{f'{business}에 전화해 주셔서 감사합니다.' if business else '안녕하세요.'} {self._can(tools)}".strip()

    def hello(self, tools: Sequence[Tool]) -> str:
        return f"안녕하세요. {self._can(tools)}"

    def goodbye(self, business: str | None) -> str:
        return "전화해 주셔서 감사합니다. 안녕히 계세요."

    def welcome(self) -> str:
        return f"천만에요. {self.anything_else}"

    def human(self, tools: Sequence[Tool]) -> str:
        return f"아니요, 저는 사람이 아니라 인공지능 자동 상담원입니다. {self._can(tools)}"

    def identity(self, business: str | None) -> str:
        return f"{f'{business}의 ' if business else ''}인공지능 자동 상담원입니다."

    def no_person(self, tools: Sequence[Tool]) -> str:
        return f"죄송합니다. 상담 직원에게 연결해 드릴 수 없습니다. {self._can(tools)}"

    def abilities(self, tools: Sequence[Tool]) -> str:
        return f"저는 자동 상담원이며, 한국어 음성은 아직 알아듣지 못합니다. {self._can(tools)}"

    def _can(self, tools: Sequence[Tool]) -> str:
        numbered = [tool for tool in tools if tool.number is not None]
        if len(numbered) == 1 and numbered[0].number is not None:
            label = _label(numbered[0].number)
            return f"{_able(numbered[0])}{_object(_able(numbered[0]))} 원하시면 {label}{_object(label)} 눌러 주세요."
        able = list(dict.fromkeys(_able(tool) for tool in tools if tool.deed is not Deed.END))
        return f"{', '.join(able)}{_object(able[-1])} 도와드릴 수 있습니다." if able else ""

    def not_caught(self, times: int, way_out: Parameter | None) -> str:
        said = "죄송합니다. 한국어 음성은 아직 알아듣지 못합니다."
        if way_out is None:
            return said
        return f"{said} 전화기 번호판으로 {_label(way_out)}{_object(_label(way_out))} 눌러 주세요."

    def ask(self, parameter: Parameter, tool: Tool) -> str:
        label = told_apart(tool.parameters, _label).get(parameter.name) or _label(parameter)
        if parameter.kind is Kind.CHOICE:
            keys = ", ".join(f"{_word(choice)} {key}번" for key, choice in enumerate(parameter.choices, 1))
            return f"{label}{_object(label)} 선택해 주세요. {keys}을 눌러 주세요."
        if parameter.kind is Kind.YES_NO:
            return f"{label}: {self.yes_or_no}"
        if parameter.kind is Kind.DATE:
            return f"{label}{_object(label)} 연월일 여덟 자리로 눌러 주세요."
        if parameter.kind is Kind.FREE:
            return self.cannot_take(parameter)
        return f"{label}{_object(label)} 전화기 번호판으로 누르고 우물 정자를 눌러 주세요."

    def ask_again(self, parameter: Parameter, digits: str, *, times: int) -> str:
        return f"{digits}번을 누르셨습니다.{_shape(parameter, digits)} 다시 눌러 주세요."

    def cannot_take(self, parameter: Parameter) -> str:
        label = _label(parameter)
        return f"죄송합니다. {label}{_subject(label)} 필요하지만, 전화로는 받을 수 없습니다."

    def which(self, tools: Sequence[Tool]) -> str:
        keys = [f"{_able(tool)}{_topic(_able(tool))} {key}번" for key, tool in enumerate(tools, 1)]
        return f"{', '.join(keys)}을 눌러 주세요."

    def cannot(self, deed: Deed | None, tools: Sequence[Tool]) -> str:
        what = _DEEDS[deed] if deed else "그것"
        return f"죄송합니다. {what}{_topic(what)} 할 수 없습니다. {self._can(tools)}"

    def read_back(self, call: Call) -> str:
        if not call.number or call.tool.number is None:
            return self.one_moment
        return f"{_label(call.tool.number)} {call.number}번, {self.one_moment}"

    def confirm(self, call: Call) -> str:
        names = told_apart(call.tool.parameters, _label)
        more = [
            f"{names[one.name]} {_word(call.arguments[one.name])}"
            for one in call.tool.parameters
            if one is not call.tool.number and one.name in call.arguments
        ]
        said = f"{_thing(call)} {_DEEDS[call.tool.deed]}{'' if not more else ', ' + ', '.join(more)}"
        return f"{said}, 이대로 진행할까요? {self.yes_or_no}"

    def own_number(self, call: Call) -> str:
        label = _label(call.tool.number) if call.tool.number else "번호"
        return f"입력하신 {label}{_topic(label)} {call.number}번입니다."

    def right_number(self, parameter: Parameter) -> str:
        return f"죄송합니다. 맞는 {_label(parameter)}{_object(_label(parameter))} 다시 눌러 주세요."

    def found(self, answered: Answered, fields: Sequence[Field]) -> str:
        subject = _thing(answered.call)
        told: list[str] = []
        for name, value in fields:
            told.append(_sentence(subject if not told else "", name, value))
        return " ".join(told) or f"{subject}{_object(subject)} 찾았지만 더 알려 드릴 내용이 없습니다."

    def many(self, answered: Answered) -> str:
        parts = [f"모두 {len(answered.outcome.records)}건을 찾았습니다."]
        for place, record in zip(("첫째", "둘째", "셋째"), answered.outcome.records, strict=False):
            facts = [f"{_field(name)} {_word(value)}" for name, value in record.items() if value is not None]
            parts.append(f"{place}, {', '.join(facts[:4])}.")
        return " ".join(parts)

    def offer(self, details: Sequence[Detail], answered: Answered) -> str:
        call = answered.call
        if call.tool.has_effect or call.tool.number is None:
            return self.anything_else
        noun = _noun(call.tool.noun)
        return f"다른 {noun}{_object(noun)} 조회하시려면 번호를, 다시 들으시려면 별표를 눌러 주세요."

    def not_known(self, detail: Detail) -> str:
        label = _FIELDS.get(detail, "그 내용")
        return f"죄송합니다. {label}{_topic(label)} 알 수 없습니다."

    def nothing(self, call: Call, *, times: int) -> str:
        if not call.number or call.tool.number is None:
            return f"죄송합니다. 찾으시는 {_noun(call.tool.noun)}{_subject(_noun(call.tool.noun))} 없습니다."
        label = _label(call.tool.number)
        return f"죄송합니다. {label} {call.number}번을 찾을 수 없습니다. 번호를 다시 눌러 주세요."

    def done(self, call: Call) -> str:
        if call.tool.deed is Deed.END:
            return "안녕히 계세요."
        if call.tool.deed is Deed.TRANSFER:
            return self.one_moment
        deed = _DEEDS[call.tool.deed]
        return f"{_thing(call)} {deed}{_subject(deed)} 완료되었습니다. {self.anything_else}"

    def failed(self, call: Call) -> str:
        return "죄송합니다. 지금은 처리할 수 없습니다. 잠시 후에 다시 시도해 주세요."


def _noun(noun: str) -> str:
    return translated(noun.split(), _NOUNS, "번호" if noun == "number" else noun)


def _label(parameter: Parameter) -> str:
    return name_of(parameter, r"[가-힣]", _NOUNS, "번호")


def _able(tool: Tool) -> str:
    if tool.deed is Deed.TRANSFER:
        return "상담 직원 연결"
    return f"{_noun(tool.noun)} {_DEEDS[tool.deed]}" if tool.noun != "request" else _DEEDS[tool.deed]


def _thing(call: Call) -> str:
    noun = _noun(call.tool.noun) if call.tool.noun != "request" else "요청"
    return f"{noun} {call.number}번" if call.number else noun


def _field(name: str) -> str:
    known = translated(name_words(name), _NOUNS, "")
    return known or _FIELDS.get(detail_of(name)) or name.replace("_", " ")


def _sentence(subject: str, name: str, value: object) -> str:
    of = f"{subject}{_topic(subject)} " if subject else ""
    state = _STATES.get(str(value).lower().replace("_", " "))
    if detail_of(name) is Detail.STATUS and state is not None:
        return f"{of}{state}."
    label = _field(name)
    return f"{f'{subject}의 ' if subject else ''}{label}{_topic(label)} {_word(value)}입니다."


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "예" if value else "아니요"
    if isinstance(value, int | float):
        return f"{value:,}"
    day = date_parts(str(value))
    if day is not None:
        clock = (
            "" if day.hour is None else f" {'오전' if day.hour < 12 else '오후'} {day.hour % 12 or 12}시 {day.minute}분"
        )
        return f"{day.month}월 {day.day}일{clock.removesuffix(' 0분')}"
    return re.sub(r"_", " ", str(value))


def _shape(parameter: Parameter, given: str) -> str:
    """Return a sentence about what is wrong with a number that was given, with a space before it, or nothing."""
    label = _label(parameter)
    match parameter.fault_of(given):
        case Fault.NO_SUCH_DAY:
            return " 달력에 없는 날짜입니다."
        case Fault.TOO_LOW if parameter.lowest is not None:
            return f" {label}{_topic(label)} {parameter.lowest:,.10g} 이상이어야 합니다."
        case Fault.TOO_HIGH if parameter.highest is not None:
            return f" {label}{_topic(label)} {parameter.highest:,.10g} 이하여야 합니다."
        case Fault.NOT_WHOLE:
            return f" {label}{_topic(label)} 정수여야 합니다."
        case Fault.LENGTH:
            low, high = parameter.lengths[0], parameter.lengths[-1]
            return f" {label}{_topic(label)} {f'{low}자리' if low == high else f'{low}자리에서 {high}자리'}입니다."
    return ""


def _has_final(word: str) -> bool:
    """Does the last syllable end in a consonant? Particles depend on it; digits are read out, so their names count."""
    last = word[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - 0xAC00) % 28 != 0
    return last in "013678"


def _object(word: str) -> str:
    return "을" if _has_final(word) else "를"


def _topic(word: str) -> str:
    return "은" if _has_final(word) else "는"


def _subject(word: str) -> str:
    return "이" if _has_final(word) else "가"
