"""From how an invocation ended to what its caller is told; what is too large is an error too."""

from __future__ import annotations

from typing import Final

from gateway.dataplane.answer import Answer, function_error, integrated_answer, passthrough
from gateway.dataplane.bodies import MAX_EVENT_BODY
from gateway.runtime import Outcome

NOT_SERIALISABLE: Final = "the handler's return value cannot be written as JSON"


def answer_of(outcome: Outcome, request_id: str, *, integrated: bool) -> Answer:
    """The answer to the caller of an invocation that has ended."""
    if outcome.error is not None:
        return function_error(outcome.status, outcome.error)
    answer = integrated_answer(outcome.value) if integrated else passthrough(outcome.value)
    if answer is None:
        return failed_answer(430, NOT_SERIALISABLE, request_id)
    if len(answer[2]) > MAX_EVENT_BODY:
        return failed_answer(407, "ResponseTooLarge: the answer exceeds 6 MB", request_id)
    return answer


def failed_answer(status: int, message: str, request_id: str) -> Answer:
    """The gateway's own word in the place of an answer that cannot be given."""
    error = {
        "errorCode": -1,
        "errorMessage": message,
        "requestId": request_id,
        "statusCode": status,
    }
    return function_error(status, error)
