"""Certificates for the cloud's hosts, by an authority of this gateway's own.

The authority is kept beside the state, readable by its owner alone, so that a client goes on
trusting it; only its certificate is ever shown. Nothing on this machine trusts it unasked.
"""

from __future__ import annotations

import os
import ssl
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from gateway.core.errors import GatewayError

if TYPE_CHECKING:
    from trustme import CA

EXTRA: Final = "pip install 'gateway-simulator[intercept]'"
"""What brings what the certificates are made with."""

MOST_HOSTS: Final = 256
"""Hosts whose certificates are kept at hand."""

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_NAME: Final = "gateway simulator"


class ExtraMissing(GatewayError):
    """There is nothing to make certificates with."""

    def __init__(self) -> None:
        super().__init__("the package 'trustme', which makes the certificates, is not installed")


class AuthorityUnusable(GatewayError):
    """The authority cannot be read or written; the message says where and why."""


class Authority:
    """Makes certificates for hosts. `open` brings one.

    Attributes:
        file: Where its own certificate is, for those who are to trust it.
    """

    def __init__(self, ca: CA, file: Path, folder: Path | None = None) -> None:
        self.file = file
        self._ca = ca
        self._folder = folder  # made for the file alone, and removed with it
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def open(cls, kept: Path | None, file: Path | None = None) -> Self:
        """The authority that is kept, or a new one.

        Args:
            kept: Where the authority with its key is kept; `None` for one that is forgotten.
            file: Where its certificate is written; `None` for a place beside `kept`, or a
                temporary one that `close` removes.

        Raises:
            ExtraMissing: There is nothing to make certificates with.
            AuthorityUnusable: What is kept is damaged, or something cannot be written.
        """
        try:
            from trustme import CA  # an extra: whoever needs no front need not have it
        except ImportError:
            raise ExtraMissing from None
        folder = None
        try:
            ca = _new(CA) if kept is None else _kept(CA, kept)
            if file is None and kept is None:
                folder = Path(mkdtemp(prefix="gateway-intercept-"))
                file = folder / "ca.pem"
            elif file is None:
                assert kept is not None  # noqa: S101 - the case above
                file = kept.with_suffix(".pem")
            _publish(ca.cert_pem.bytes(), file)
        except OSError as error:
            where = error.filename or file
            message = f"the authority's file {str(where)!r} cannot be used: {error.strerror}"
            raise AuthorityUnusable(message) from error
        return cls(ca, file, folder)

    def context(self, host: str) -> ssl.SSLContext:
        """What a server of TLS under a host's name needs; safe to call from any thread."""
        with self._lock:
            context = self._contexts.pop(host, None) or self._context(host)
            self._contexts[host] = context
            if len(self._contexts) > MOST_HOSTS:
                self._contexts.popitem(last=False)
        return context

    def close(self) -> None:
        """Remove what is temporary."""
        if self._folder is not None:
            self.file.unlink(missing_ok=True)
            self._folder.rmdir()
            self._folder = None

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self._ca.issue_cert(host, organization_name=_NAME).configure_cert(context)
        return context


def _new(make: type[CA]) -> CA:
    return make(path_length=0, organization_name=_NAME, organization_unit_name="intercept")


def _kept(make: type[CA], kept: Path) -> CA:
    """The authority in a file; a new one is put there when there is none."""
    with suppress(FileNotFoundError):
        return _read(make, kept)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca = _new(make)
    handle, name = mkstemp(dir=kept.parent, prefix=".new-")  # for its owner's eyes alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(ca.private_key_pem.bytes() + ca.cert_pem.bytes())
        os.link(name, kept)
    except FileExistsError:  # another gateway was faster
        return _read(make, kept)
    finally:
        Path(name).unlink()
    return ca


def _read(make: type[CA], kept: Path) -> CA:
    data = kept.read_bytes()
    kept.chmod(0o600)  # whoever copied it may have been careless
    key, begin, certificate = data.partition(_BEGIN)
    try:
        return make.from_pem(begin + certificate, key)
    except (ValueError, TypeError) as error:
        message = f"the authority in {str(kept)!r} is damaged: {error}"
        raise AuthorityUnusable(f"{message}; without the file, a new one is made") from None


def _publish(certificate: bytes, file: Path) -> None:
    """Write the certificate for those who are to trust it; no other file is written over."""
    with suppress(FileNotFoundError):
        there = file.read_bytes()
        if there == certificate:
            return
        if not there.startswith(_BEGIN) or there.count(_BEGIN) > 1:
            message = f"{str(file)!r} is there already and is no authority's certificate"
            raise AuthorityUnusable(f"{message}; name another file")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(certificate)
