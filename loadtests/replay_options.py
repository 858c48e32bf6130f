"""What a replay through Locust may be told."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import inf
from typing import Any


def add_options(parser: Any, **_kwargs: object) -> None:  # noqa: ANN401 - Locust's parser
    """Add ours to Locust's options, and keep its listeners on this machine unless told."""
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")
    group = parser.add_argument_group("Replay", "A recording, played by every worker together.")
    group.add_argument("--recording", metavar="FILE", required=True, help="What is played.")
    group.add_argument("--stage", help="The stage; otherwise that on which it was recorded")
    how = group.add_mutually_exclusive_group()
    how.add_argument("--speed", type=_above_zero, metavar="N", help="So many times faster")
    how.add_argument("--rate", type=_above_zero, metavar="N", help="N requests a second on average")
    how.add_argument(
        "--as-fast-as-possible", dest="free", action="store_true", help="Forget the times"
    )
    group.add_argument("--report-json", metavar="FILE", help="Where the report is written as JSON")
    group.add_argument("--report-html", metavar="FILE", help="Where it is written as a page")
    group.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[],
        help="Host that may be sent to although it is not this machine; repeatable",
    )  # fmt: skip


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < inf:
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return number
