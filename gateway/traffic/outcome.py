"""How one request of a replay ended: answered, failed, or not sent; there is nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class End(StrEnum):
    """What became of a request.

    Attributes:
        ANSWERED: A whole answer came, whatever its status.
        FAILED: It was sent, and no whole answer came.
        NOT_SENT: Nothing of it left this machine.
    """

    ANSWERED = "answered"
    FAILED = "failed"
    NOT_SENT = "not-sent"


class Said(NamedTuple):
    """What an answer says of itself; empty where it says nothing.

    Attributes:
        function: `X-Gateway-Function`.
        alias: `X-Gateway-Alias`.
        version: `X-Gateway-Version`.
        reason: `X-Gateway-Reason`.
        revision: `X-Gateway-Revision`.
    """

    function: str = ""
    alias: str = ""
    version: str = ""
    reason: str = ""
    revision: str = ""


NOTHING = Said()
"""An answer without a word about itself."""


class Outcome(NamedTuple):
    """How a request ended.

    Attributes:
        end: Which of the three.
        stage: Where it was sent.
        due: When it should have begun, in seconds since the replay began.
        begun: When it began.
        ended: When it was over.
        status: The HTTP status; 0 without an answer.
        said: What the answer says of itself.
        why: Why there is no answer.
    """

    end: End
    stage: str
    due: float
    begun: float
    ended: float
    status: int = 0
    said: Said = NOTHING
    why: str = ""

    @property
    def latency(self) -> float:
        """Seconds from when it should have begun: waiting for its turn is waiting."""
        return self.ended - self.due

    @property
    def slip(self) -> float:
        """Seconds by which it began too late."""
        return self.begun - self.due
