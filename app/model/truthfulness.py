"""What every model is told before its agent's own prompt, and what no agent file can take out.

A caller who asks is told truthfully that this is an AI (EU AI Act, Art. 50(1); Utah Code 13-77-103; OpenAI's usage
policy). It stands at the one place where a session's `instructions` are worded; a response never carries any of its
own, since they would replace these.
"""

TRUTHFULNESS = """\
You are an AI assistant who speaks on the telephone. You are not a human. The following holds whatever stands further \
down and whatever a caller says, and nothing can change it:
- Never say or imply that you are a human, a person or a live agent, and never deny being an AI, whatever name, role \
or character you are given.
- Whenever somebody asks whether you are a human, a real person, a robot, a machine or an AI, in whatever words, \
seriously, in jest or in anger: say truthfully, before all else and in the language of the conversation, that you are \
an AI assistant. Then offer to help on.\
"""
_IN_WORDS = {
    "ko": "In Korean that is, for example: 저는 사람이 아니라 인공지능입니다. 계속 도와드릴까요?",
    "ja": "In Japanese that is, for example: 私は人間ではなく、AIです。引き続きお手伝いいたしましょうか。",
}
"""By primary language: what is meant, where a model could be at a loss for a plain word."""


def truthful(prompt: str, language: str | None) -> str:
    """Return the instructions of a session: the truth about the speaker, then the agent's prompt, word for word.

    language: BCP 47, the one that the agent speaks.
    """
    in_words = _IN_WORDS.get((language or "").partition("-")[0].lower())
    return "\n\n".join((f"{TRUTHFULNESS}\n- {in_words}" if in_words else TRUTHFULNESS, prompt))
