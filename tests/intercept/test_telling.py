"""What is refused is told once."""

from __future__ import annotations

from gateway.intercept.telling import REMEMBERED, Once


def test_a_sentence_is_told_once_until_many_others_were() -> None:
    """A client that tries for ever does not fill the terminal."""
    told: list[str] = []
    once = Once(told.append)
    for message in ("a", "a", "b", "a", "b"):
        once(message)
    assert told == ["a", "b"]
    for number in range(REMEMBERED):
        once(str(number))
    once("a")
    assert told == ["a", "b", *map(str, range(REMEMBERED)), "a"]
