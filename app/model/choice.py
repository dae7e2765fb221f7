"""One of the models that an agent's calls may speak with: how it is reached, and what it is told."""

from dataclasses import dataclass

from app.model.accounts import Account
from app.model.dialects import ModelTarget
from app.model.setup import ModelSetup


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The agent's own model, or one of its fallbacks. account: among whose sessions its own count; None: nobody's."""

    target: ModelTarget
    setup: ModelSetup
    account: Account | None = None
