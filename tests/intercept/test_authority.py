"""The authority: kept for its owner alone, trusted by nobody unasked, never written over others."""

from __future__ import annotations

import os
import ssl
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.intercept.authority import (
    MOST_HOSTS,
    Authority,
    AuthorityUnusable,
    ExtraMissing,
)


def handshake(authority: Authority, name: str, host: str) -> str | None:
    """What a client that trusts the authority thinks of a certificate for a name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cafile=authority.file)
    client = trusting.wrap_bio(incoming, outgoing, server_hostname=host)
    server = authority.context(name).wrap_bio(outgoing, incoming, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    client.getpeercert()
    return None


def test_an_authority_is_kept_and_goes_on_being_trusted(tmp_path: Path) -> None:
    """The key is for its owner's eyes, the certificate for everybody's."""
    kept = tmp_path / "state" / "intercept-ca.key"
    first = Authority.open(kept)
    assert first.file == tmp_path / "state" / "intercept-ca.pem"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert b"PRIVATE" not in first.file.read_bytes()
    kept.chmod(0o644)
    again = Authority.open(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert again.file.read_bytes() == first.file.read_bytes()
    assert handshake(again, "scf.tencentcloudapi.com", "scf.tencentcloudapi.com") is None
    again.close()
    assert kept.exists()
    assert again.file.exists()
    assert sorted(path.name for path in kept.parent.iterdir()) == [kept.name, again.file.name]


def test_a_certificate_is_for_its_name_alone(authority: Authority) -> None:
    """A wildcard serves the buckets of its region, and nothing below them."""
    name = "*.cos.ap-guangzhou.myqcloud.com"
    assert handshake(authority, name, "code-12.cos.ap-guangzhou.myqcloud.com") is None
    told = handshake(authority, name, "scf.tencentcloudapi.com")
    assert told is not None
    assert "Hostname mismatch" in told


def test_an_authority_that_is_forgotten_leaves_nothing(ca: Path) -> None:
    """Unless its certificate was to be written somewhere."""
    authority = Authority.open(None)
    folder = authority.file.parent
    assert [path.name for path in folder.iterdir()] == ["ca.pem"]
    authority.close()
    authority.close()
    assert not folder.exists()
    named = Authority.open(None, ca)
    named.close()
    assert ca.exists()


def test_only_so_many_certificates_are_at_hand(authority: Authority) -> None:
    """Those that were used last; the same one serves until then."""
    first = authority.context("0.a")
    kept = authority.context("0.a")
    assert kept is first
    for number in range(1, MOST_HOSTS + 1):
        authority.context(f"{number}.a")
    assert authority.context("0.a") is not first


def test_two_gateways_that_begin_at_once_have_one_authority(tmp_path: Path) -> None:
    """Whoever is faster makes it."""
    kept = tmp_path / "intercept-ca.key"
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda n: Authority.open(kept, tmp_path / f"{n}.pem"), range(8)))
    assert len({authority.file.read_bytes() for authority in opened}) == 1


def test_a_name_that_may_stand_in_no_certificate_is_a_mistake(authority: Authority) -> None:
    """The front answers it with a sentence."""
    with pytest.raises(ValueError, match="hyphens"):
        authority.context("scf.aa--b.tencentcloudapi.com")


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"],
    ids=["empty", "rubbish", "no key"],
)
def test_a_damaged_authority_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """A new one would break every client that trusts the old one."""
    kept = tmp_path / "intercept-ca.key"
    kept.write_bytes(content)
    with pytest.raises(AuthorityUnusable, match=r"is damaged: .*without the file"):
        Authority.open(kept)
    assert kept.read_bytes() == content


@pytest.mark.parametrize("content", ["[service]\n", "-----BEGIN CERTIFICATE-----\n" * 2])
def test_no_other_file_is_written_over(ca: Path, content: str) -> None:
    """Neither a project's nor a bundle of many certificates."""
    ca.write_text(content)
    with pytest.raises(AuthorityUnusable, match="is no authority's certificate"):
        Authority.open(None, ca)
    assert ca.read_text() == content


def test_an_older_certificate_is_written_over(ca: Path) -> None:
    """The file is this gateway's then."""
    Authority.open(None, ca).close()
    before = ca.read_bytes()
    Authority.open(None, ca).close()
    assert ca.read_bytes() != before


@pytest.mark.parametrize("place", ["kept", "file"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    """With its name and the system's words."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    kept = blocked / "a.key" if place == "kept" else tmp_path / "a.key"
    with pytest.raises(AuthorityUnusable, match=r"cannot be used: Not a directory"):
        Authority.open(kept, blocked / "a.pem" if place == "file" else None)


def test_a_certificate_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    """A folder has the name."""
    (tmp_path / "a.key").mkdir()
    with pytest.raises(AuthorityUnusable, match="Is a directory"):
        Authority.open(tmp_path / "a.key")


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ExtraMissing, match="'trustme'"):
        Authority.open(None)


def test_an_authority_that_was_made_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gateways of one state have one authority."""
    kept, link = tmp_path / "intercept-ca.key", os.link

    def slower(source: str, target: Path) -> None:
        monkeypatch.undo()
        Authority.open(kept, tmp_path / "faster.pem")
        link(source, target)

    monkeypatch.setattr(os, "link", slower)
    slow = Authority.open(kept, tmp_path / "slower.pem")
    assert slow.file.read_bytes() == (tmp_path / "faster.pem").read_bytes()
