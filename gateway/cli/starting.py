"""How a gateway that cannot start ends its command: all that is wrong, and the right exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import broken_words, fail


@contextmanager
def listening() -> Iterator[None]:
    """Around everything that binds a listener."""
    from gateway.dataplane.listeners import PortInUse

    try:
        yield
    except PortInUse as error:
        hint = "choose another with --port, --control-port, --intercept-port; 0 takes a free one"
        fail("cannot-listen", str(error), Exit.CANNOT_START, hint)


@contextmanager
def starting() -> Iterator[None]:
    """Around everything that builds and serves a gateway."""
    from gateway.config import ConfigurationInvalid, render
    from gateway.intercept import AuthorityUnusable
    from gateway.runtime import BrokenVersions
    from gateway.serving import Exposed, Unverified
    from gateway.store.protocol import StateUnusable

    try:
        with listening():
            yield
    except ConfigurationInvalid as invalid:
        click.echo(render(invalid.diagnostics), err=True)
        raise click.exceptions.Exit(Exit.INVALID) from None
    except BrokenVersions as broken:
        click.echo(broken_words(broken), err=True)
        raise click.exceptions.Exit(Exit.INVALID) from None
    except StateUnusable as error:
        hint = "name another one with --state; :memory: remembers nothing"
        fail("state-unusable", str(error), Exit.CANNOT_START, hint)
    except AuthorityUnusable as error:
        hint = "name another file with --intercept-ca"
        fail("authority-unusable", str(error), Exit.CANNOT_START, hint)
    except Exposed as error:
        hint = "set GATEWAY_TOKEN to a long secret, here and for whoever steers"
        fail("no-token", str(error), Exit.CANNOT_START, hint)
    except Unverified as error:
        hint = "leave out --accept-any-signature; clients' keys go into GATEWAY_KEYS"
        fail("unchecked-signatures", str(error), Exit.CANNOT_START, hint)
