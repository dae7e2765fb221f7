"""The dialogue's sentences in Japanese. Callers are not heard in it: whatever is asked, the keypad answers."""

from collections.abc import Mapping, Sequence

from app.local.answers import Answered, Field
from app.local.errand import Call
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail, detail_of
from app.local.parameters import Fault, Kind, Parameter, name_words
from app.local.translated import date_parts, name_of, told_apart, translated

_NOUNS: Mapping[str, str] = {
    "order": "注文", "number": "番号", "booking": "予約", "reservation": "予約", "appointment": "予約", "table": "席",
    "account": "口座", "invoice": "請求書", "tracking": "追跡", "phone": "電話", "telephone": "電話",
    "mobile": "携帯電話", "date": "日付", "status": "状況", "eta": "到着予定日", "price": "価格", "total": "合計",
    "amount": "金額", "balance": "残高", "customer": "お客様", "product": "商品", "item": "商品", "items": "商品",
    "quantity": "数量", "name": "名前", "address": "住所", "carrier": "配送会社", "payment": "支払い",
    "ticket": "受付", "delivery": "配送", "shipment": "配送", "package": "荷物", "parcel": "荷物", "code": "コード",
    "pin": "暗証番号", "guests": "人数", "people": "人数", "opening": "営業", "hours": "時間", "time": "時間",
    "size": "サイズ", "zip": "郵便", "id": "番号", "store": "店", "shop": "店", "weather": "天気", "call": "電話",
    "message": "伝言", "card": "カード", "destination": "連絡先", "reason": "理由", "arrival": "到着",
    "shipping": "配送", "membership": "会員", "party size": "人数", "persons": "人数", "seating": "お席",
    "seats": "席数", "area": "エリア", "room": "部屋", "nights": "泊数", "adults": "大人の人数",
}  # fmt: skip
_DEEDS: Mapping[Deed, str] = {
    Deed.FIND: "照会", Deed.CANCEL: "キャンセル", Deed.CHANGE: "変更", Deed.CREATE: "受付", Deed.BOOK: "予約",
    Deed.PAY: "支払い", Deed.DELETE: "削除", Deed.RETURN: "返品", Deed.SEND: "発送", Deed.TRANSFER: "転送",
    Deed.END: "終了", Deed.OTHER: "手続き",
}  # fmt: skip
_STATES: Mapping[str, str] = {
    "shipped": "発送されました", "sent": "発送されました", "dispatched": "発送されました",
    "delivered": "配達が完了しました", "processing": "手続き中です", "preparing": "準備中です",
    "pending": "待機中です", "cancelled": "キャンセルされました", "canceled": "キャンセルされました",
    "in transit": "配送中です", "out for delivery": "配送中です", "paid": "支払いが完了しました",
    "confirmed": "確定しました", "delayed": "遅れています", "ready": "準備ができました", "returned": "返品されました",
    "refunded": "返金されました", "received": "受付されました", "completed": "完了しました", "on hold": "保留中です",
}  # fmt: skip
_FIELDS: Mapping[Detail, str] = {
    Detail.STATUS: "状況", Detail.ARRIVAL: "到着予定日", Detail.PRICE: "金額", Detail.CARRIER: "配送会社",
    Detail.TRACKING: "追跡番号", Detail.PLACE: "住所", Detail.CONTENTS: "商品", Detail.QUANTITY: "数量",
    Detail.DEPARTURE: "出発日", Detail.TIME: "時間", Detail.DATE: "日付", Detail.NAME: "名前", Detail.REASON: "理由",
}  # fmt: skip


class Japanese:
    """Japanese, polite, in short sentences."""

    anything_else = "ほかにご用がございましたら、番号を押してください。"
    still_there = "お電話はつながっていますか。ご用がございましたら、電話のボタンを押してください。"
    one_moment = "少々お待ちください。"
    go_on = "はい、電話のボタンを押してください。"
    take_your_time = "はい、お待ちしております。"
    not_now = "申し訳ございません。ただいま、それはできません。"
    kept = "はい、何も変更しておりません。"
    what_else = "はい、わかりました。ほかにご用がございましたら、番号を押してください。"
    nothing_yet = "まだ番号をいただいておりません。"
    yes_or_no = "よろしければ1を、違う場合は2を押してください。"

    def greeting(self, business: str | None, tools: Sequence[Tool]) -> str:
        return f"お電話ありがとうございます。{f'{business}です。' if business else ''}{self._can(tools)}"

    def hello(self, tools: Sequence[Tool]) -> str:
        return f"こんにちは。{self._can(tools)}"

    def goodbye(self, business: str | None) -> str:
        return "お電話ありがとうございました。失礼いたします。"

    def welcome(self) -> str:
        return f"どういたしまして。{self.anything_else}"

    def human(self, tools: Sequence[Tool]) -> str:
        return f"いいえ、人間ではなく、AIの自動音声です。{self._can(tools)}"

    def identity(self, business: str | None) -> str:
        return f"{f'{business}の' if business else ''}AIの自動音声です。"

    def no_person(self, tools: Sequence[Tool]) -> str:
        return f"申し訳ございません。担当者におつなぎすることはできません。{self._can(tools)}"

    def abilities(self, tools: Sequence[Tool]) -> str:
        return f"自動音声です。日本語の音声はまだ聞き取れません。{self._can(tools)}"

    def _can(self, tools: Sequence[Tool]) -> str:
        numbered = [tool for tool in tools if tool.number is not None]
        if len(numbered) == 1 and numbered[0].number is not None:
            return f"{_able(numbered[0])}は、{_label(numbered[0].number)}を押してください。"
        able = list(dict.fromkeys(_able(tool) for tool in tools if tool.deed is not Deed.END))
        return f"{'、'.join(able)}を承ります。" if able else ""

    def not_caught(self, times: int, way_out: Parameter | None) -> str:
        said = "申し訳ございません。日本語の音声はまだ聞き取れません。"
        return said if way_out is None else f"{said}電話のボタンで{_label(way_out)}を押してください。"

    def ask(self, parameter: Parameter, tool: Tool) -> str:
        label = told_apart(tool.parameters, _label).get(parameter.name) or _label(parameter)
        if parameter.kind is Kind.CHOICE:
            keys = "、".join(f"{_word(choice)}は{key}" for key, choice in enumerate(parameter.choices, 1))
            return f"{label}を選んでください。{keys}を押してください。"
        if parameter.kind is Kind.YES_NO:
            return f"{label}。{self.yes_or_no}"
        if parameter.kind is Kind.DATE:
            return f"{label}を、年月日の8桁で押してください。"
        if parameter.kind is Kind.FREE:
            return self.cannot_take(parameter)
        return f"{label}を電話のボタンで押し、最後にシャープを押してください。"

    def ask_again(self, parameter: Parameter, digits: str, *, times: int) -> str:
        return f"{digits}が押されました。{_shape(parameter, digits)}もう一度押してください。"

    def cannot_take(self, parameter: Parameter) -> str:
        return f"申し訳ございません。{_label(parameter)}が必要ですが、電話では承れません。"

    def which(self, tools: Sequence[Tool]) -> str:
        return "、".join(f"{_able(tool)}は{key}" for key, tool in enumerate(tools, 1)) + "を押してください。"

    def cannot(self, deed: Deed | None, tools: Sequence[Tool]) -> str:
        return f"申し訳ございません。{_DEEDS[deed] if deed else 'それ'}はできません。{self._can(tools)}"

    def read_back(self, call: Call) -> str:
        if not call.number or call.tool.number is None:
            return self.one_moment
        return f"{_label(call.tool.number)}{call.number}ですね。{self.one_moment}"

    def confirm(self, call: Call) -> str:
        names = told_apart(call.tool.parameters, _label)
        more = [
            f"、{names[one.name]}は{_word(call.arguments[one.name])}"
            for one in call.tool.parameters
            if one is not call.tool.number and one.name in call.arguments
        ]
        return f"{_thing(call)}の{_DEEDS[call.tool.deed]}{''.join(more)}でよろしいですか。{self.yes_or_no}"

    def own_number(self, call: Call) -> str:
        return f"{_label(call.tool.number) if call.tool.number else '番号'}は{call.number}です。"

    def right_number(self, parameter: Parameter) -> str:
        return f"失礼いたしました。正しい{_label(parameter)}を、もう一度押してください。"

    def found(self, answered: Answered, fields: Sequence[Field]) -> str:
        subject = _thing(answered.call)
        told: list[str] = []
        for name, value in fields:
            told.append(_sentence(subject if not told else "", name, value))
        return "".join(told) or f"{subject}は見つかりましたが、お伝えできる内容がございません。"

    def many(self, answered: Answered) -> str:
        parts = [f"{len(answered.outcome.records)}件見つかりました。"]
        for place, record in enumerate(answered.outcome.records[:3], 1):
            facts = [f"{_field(name)}は{_word(value)}" for name, value in record.items() if value is not None]
            parts.append(f"{place}件目、{'、'.join(facts[:4])}。")
        return "".join(parts)

    def offer(self, details: Sequence[Detail], answered: Answered) -> str:
        call = answered.call
        if call.tool.has_effect or call.tool.number is None:
            return self.anything_else
        return f"別の{_noun(call.tool.noun)}の照会は番号を、もう一度お聞きになる場合は米印を押してください。"

    def not_known(self, detail: Detail) -> str:
        return f"申し訳ございません。{_FIELDS.get(detail, 'その内容')}はわかりません。"

    def nothing(self, call: Call, *, times: int) -> str:
        if not call.number or call.tool.number is None:
            return f"申し訳ございません。{_noun(call.tool.noun)}が見つかりません。"
        label = _label(call.tool.number)
        return f"申し訳ございません。{label}{call.number}は見つかりません。もう一度番号を押してください。"

    def done(self, call: Call) -> str:
        if call.tool.deed is Deed.END:
            return "失礼いたします。"
        if call.tool.deed is Deed.TRANSFER:
            return self.one_moment
        return f"{_thing(call)}の{_DEEDS[call.tool.deed]}が完了しました。{self.anything_else}"

    def failed(self, call: Call) -> str:
        return "申し訳ございません。ただいま処理できません。しばらくしてからもう一度お試しください。"


def _noun(noun: str) -> str:
    return translated(noun.split(), _NOUNS, noun).replace(" ", "")


def _label(parameter: Parameter) -> str:
    name = name_of(parameter, r"[ぁ-ヺ一-鿿]", _NOUNS, "番号")
    return name if name.isascii() else name.replace(" ", "")


def _able(tool: Tool) -> str:
    if tool.deed is Deed.TRANSFER:
        return "担当者への転送"
    return f"{_noun(tool.noun)}の{_DEEDS[tool.deed]}" if tool.noun != "request" else _DEEDS[tool.deed]


def _thing(call: Call) -> str:
    noun = _noun(call.tool.noun) if call.tool.noun != "request" else "ご依頼"
    return f"{noun}{call.number}" if call.number else noun


def _field(name: str) -> str:
    known = translated(name_words(name), _NOUNS, "").replace(" ", "")
    return known or _FIELDS.get(detail_of(name)) or name.replace("_", " ")


def _sentence(subject: str, name: str, value: object) -> str:
    state = _STATES.get(str(value).lower().replace("_", " "))
    if detail_of(name) is Detail.STATUS and state is not None:
        return f"{subject}は、{state}。" if subject else f"{state}。"
    return f"{f'{subject}の' if subject else ''}{_field(name)}は、{_word(value)}です。"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, int | float):
        return f"{value:,}"
    day = date_parts(str(value))
    if day is None:
        return str(value).replace("_", " ")
    clock = "" if day.hour is None else f"{'午前' if day.hour < 12 else '午後'}{day.hour % 12}時{day.minute}分"
    return f"{day.month}月{day.day}日{clock}"


def _shape(parameter: Parameter, given: str) -> str:
    """Return a sentence about what is wrong with a number that was given, or nothing."""
    label = _label(parameter)
    match parameter.fault_of(given):
        case Fault.NO_SUCH_DAY:
            return "その日付は暦にありません。"
        case Fault.TOO_LOW if parameter.lowest is not None:
            return f"{label}は{parameter.lowest:,.10g}以上でお願いします。"
        case Fault.TOO_HIGH if parameter.highest is not None:
            return f"{label}は{parameter.highest:,.10g}以下でお願いします。"
        case Fault.NOT_WHOLE:
            return f"{label}は整数でお願いします。"
        case Fault.LENGTH:
            low, high = parameter.lengths[0], parameter.lengths[-1]
            return f"{label}は{f'{low}桁' if low == high else f'{low}桁から{high}桁'}です。"
    return ""
