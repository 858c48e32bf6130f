"""One command's talk with the control plane: what it sends, and how the answer is shown.

Data goes to standard output, as words or as the very JSON that the gateway answered; everything
else goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gateway.cli.changed import change_words
from gateway.cli.picture import clean, json_text
from gateway.cli.remote import Answer, Remote


class Talk:
    """A client, and how its answers are to be shown.

    Args:
        remote: Whom to ask.
        as_json: Show JSON in place of words.
        if_match: The revision that must still be the newest when something is written.
    """

    def __init__(self, remote: Remote, *, as_json: bool, if_match: int | None) -> None:
        self.remote = remote
        self.as_json = as_json
        self.if_match = if_match

    def read(self, path: str, /, **query: object) -> Answer:
        """Ask for something."""
        return self.remote.get(path, query)

    def write(self, method: str, path: str, body: object = None, /, **query: object) -> Answer:
        """Change something, if the revision is still the one that was asked for."""
        return self.remote.send(method, path, body, if_match=self.if_match, query=query)

    def show(self, answer: Answer, words: Callable[[Any], str]) -> None:
        """Write an answer to standard output.

        Args:
            answer: The answer.
            words: Makes words of its body; not called when JSON is asked for.
        """
        click.echo(json_text(answer.body) if self.as_json else words(answer.body))

    def tell(self, answer: Answer) -> None:
        """Write what a change altered to standard output."""
        self.show(answer, change_words)


def note(text: str) -> None:
    """Say something that is no data."""
    click.echo(clean(text), err=True)
