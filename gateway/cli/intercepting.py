"""The options of `gateway serve` about the front for tools that know the cloud's hosts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gateway.serving import Interception

_PORT = click.IntRange(0, 65535)


def intercept_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command both options."""
    port = click.option(
        "--intercept-port",
        type=_PORT,
        metavar="PORT",
        help="Also be an HTTPS proxy, on this port, for tools that know the cloud's hosts alone.",
    )
    certificate = click.option(
        "--intercept-ca",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Where the certificate is written that such tools have to trust.",
    )
    return port(certificate(command))


@contextmanager
def interception(
    port: int | None, certificate: Path | None, state: Path | None
) -> Iterator[Interception | None]:
    """What the options ask for, while it is needed; `None` for no front.

    Args:
        port: Where the front listens.
        certificate: Where the authority's certificate is written.
        state: The journal, beside which the authority is kept; `None` for one that is forgotten.

    Raises:
        click.UsageError: The options contradict each other, or an extra is missing.
        AuthorityUnusable: The authority cannot be read or written.
    """
    if port is None:
        if certificate is not None:
            raise click.UsageError("--intercept-ca says where the front of --intercept-port writes")
        yield None
        return
    from gateway.intercept import EXTRA, Authority, ExtraMissing
    from gateway.serving import Interception

    kept = None if state is None else state.parent / "intercept-ca.key"
    try:
        authority = Authority.open(kept, certificate and certificate.absolute())
    except ExtraMissing as error:
        raise click.UsageError(f"--intercept-port: {error}; say {EXTRA}") from None
    try:
        yield Interception(port, authority)
    finally:
        authority.close()
