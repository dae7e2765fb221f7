"""The line to the realtime model: which session is ours, with which of the agent's models, and what follows a loss.

A lost session is opened anew with growing pauses. While there is a further model, one that fails a few times in a row,
does not answer, is of no use, or could only fail again gives way to it. Eight seconds after the loss, or the first try,
the line is given up: with the words to the caller the call then ends within the twenty seconds that are promised. So it
is when it is lost again and again as soon as it is there.
"""

from collections.abc import Sequence

from app.session.terms import ModelTerms
from app.session.words import ModelNumber

PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
TRIES = 3
"""How often a model is tried again while there is a further one."""
PATIENCE_S = 2.5
"""And how long it may take then until it is ready."""
GIVE_UP_S = 8.0
LAST_CHANCE_S = 2.0
"""Of that, at least, for a session that was silent before it was known to be lost."""
STEADY_S = 10.0
"""A session that lasted so long was a good one: the next loss is counted anew."""


class ModelLine:
    """choice: which of the models; impatient_at: when one that is not ready by then gives way to the next."""

    __slots__ = (
        "_choices",
        "_is_confirmed",
        "_is_hopeless",
        "_models",
        "_ready_at",
        "_tries",
        "choice",
        "down_since",
        "impatient_at",
        "is_open",
        "is_ready",
        "is_useless",
        "model",
        "reopen_at",
    )

    def __init__(self, models: Sequence[ModelTerms]) -> None:
        self._models = models
        self._choices: list[int] = []  # by session, from the first
        self.model = ModelNumber(0)
        self.choice = 0
        self.is_open = False
        self.is_ready = False
        self.is_useless = False
        """It is there and answers nothing: nothing more is asked of it."""
        self.reopen_at: float | None = None
        self.impatient_at: float | None = None
        self.down_since: float | None = None
        """Since when there has been no session that could be used, once one was asked for."""
        self._is_hopeless = False  # nobody is left to try
        self._tries = 0
        self._is_confirmed = False
        self._ready_at = 0.0

    def is_current(self, model: ModelNumber) -> bool:
        return self.is_open and model == self.model

    @property
    def answers_turns(self) -> bool:
        """Has this session confirmed that it answers turns by itself?"""
        return self.is_ready and self._is_confirmed

    def limit_s_of(self, model: ModelNumber) -> float | None:
        """How long this session may last, as far as is known beforehand."""
        return self._models[self.choice_of(model)].session_limit_s

    def may_be_renewed(self, model: ModelNumber) -> bool:
        """May another session follow this one within the call? Some providers want none, so the next one's must."""
        choice = self.choice_of(model)
        return self._models[choice].reconnects or choice + 1 < len(self._models)

    @property
    def transcribes(self) -> bool:
        """Does this session give the caller's words?"""
        return self._models[self.choice].transcribes

    def next_number_beside(self) -> ModelNumber:
        """Return the number of a session that is to take over: with the same model, if its provider lets it."""
        return self._next_number(self.choice if self._models[self.choice].reconnects else self.choice + 1)

    def choice_of(self, model: ModelNumber) -> int:
        """Return which of the models a session was opened with."""
        return self._choices[model - 1]

    def open(self, at: float) -> ModelNumber:
        self.model = self._next_number(self.choice)
        self.is_open = True
        self.is_ready = self._is_confirmed = self.is_useless = False
        self.reopen_at = None
        if self.down_since is None:
            self.down_since = at
        self.impatient_at = at + PATIENCE_S if self._has_next else None
        return self.model

    def ready(self, at: float) -> None:
        """The session can be used."""
        self.is_ready = True
        self.is_useless = False
        self.down_since = self.impatient_at = None
        self._is_hopeless = False
        self._ready_at = at

    def take_over(self, model: ModelNumber, at: float) -> None:
        """Another session, which is ready, is ours from here on."""
        self.model = model
        self.choice = self.choice_of(model)
        self.is_open = True
        self._is_confirmed = False
        self.reopen_at = None
        self.ready(at)

    def turn_handling_confirmed(self) -> None:
        self._is_confirmed = True

    def give_way(self, at: float) -> bool:
        """It is there, and of no use: have it give way to the next one. False: there is none."""
        self.is_useless = self._has_next
        if self.is_useless:
            self.impatient_at = at
        return self.is_useless

    def lost(self, at: float, *, is_final: bool, is_crowded: bool = False, silent_s: float = 0.0) -> None:
        """The session is gone, or did not come about. is_final: with this model another would go the same way.

        is_crowded: it would now, and a further model need not wait. silent_s: for so long it was as good as gone.
        """
        if self.is_ready and at - self._ready_at >= STEADY_S:
            self._tries = 0
        self.is_open = self.is_ready = self._is_confirmed = False
        self.impatient_at = None
        if self.down_since is None:
            self.down_since = at - min(silent_s, GIVE_UP_S - LAST_CHANCE_S)
        may_stay = self._models[self.choice].reconnects and not is_final and not (is_crowded and self._has_next)
        if may_stay and self._tries < (TRIES if self._has_next else len(PAUSES_S) + 1):
            self.reopen_at = at + PAUSES_S[min(self._tries, len(PAUSES_S) - 1)]
            self._tries += 1
        elif self._has_next:
            self.choice += 1
            self._tries = 0
            self.reopen_at = at
        else:
            self.reopen_at = None
            self._is_hopeless = True

    @property
    def give_up_at(self) -> float | None:
        """When nobody is to wait any longer; None while there is a session."""
        if self.down_since is None:
            return None
        return self.down_since if self._is_hopeless else self.down_since + GIVE_UP_S

    def _next_number(self, choice: int) -> ModelNumber:
        self._choices.append(choice)
        return ModelNumber(len(self._choices))

    @property
    def _has_next(self) -> bool:
        return self.choice + 1 < len(self._models)
