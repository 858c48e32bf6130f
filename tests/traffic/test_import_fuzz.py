"""No file crashes an importer, hangs it, or fills the memory, whatever is in it."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.traffic.failures import TrafficError
from gateway.traffic.gor import END
from gateway.traffic.importing import FORMATS, Wanted, imported
from gateway.traffic.opening import MAX_LINE, open_bytes
from gateway.traffic.recording import parse, write
from gateway.traffic.skipping import Skipped

MEMORY = 4 * MAX_LINE + 20_000_000
"""Bytes: a line as it is read, as text, and a few copies of it; never all that the file has."""

COMBINED = (
    b'192.0.2.1 - bob [17/May/2015:10:05:03 +0000] "GET /a?b=\\xc3 HTTP/1.1" 200 12 "-" "A \\"b\\""'
)
SAMPLES = {
    "access-log": b"shop:80 " + COMBINED + b"\n" + COMBINED + b"\n",
    "nginx-json": b'{"time_iso8601": "1970-01-01T00:00:01Z", "request": "GET /a?b HTTP/1.1",'
    b' "http_x": "y", "status": "200", "remote_addr": "::1", "request_body": "\\u00fc"}\n',
    "har": b'{"log": {"entries": [{"startedDateTime": "2015-12-20T10:03:36.1Z", "time": 1.5,'
    b' "request": {"method": "POST", "url": "http://shop/a?b#c", "headers": [{"name": "X",'
    b' "value": "y"}], "postData": {"text": "/w==", "encoding": "base64"}},'
    b' "response": {"status": 200}}, {}]}}',
    "gor": b"1 ab 1439818823587396305 0\nPOST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"1\r\na\r\n0\r\n\r\n\n" + END + b"\n2 ab 1439818823587396305 9\nHTTP/1.1 200\n" + END + b"\n",
    "csv": b'time,method,path,query,body,user,status\n1.5,GET,/a,b,"x\ny",Bob,200\n2,,,,,,\n',
    "invocations": b'{"at": 1, "method": "GET", "path": "/a", "version": "1", "reason": "main",'
    b' "headers": {"A": "b"}, "seconds": 0.5, "revision": 3}\n',
    "recording": b'{"v":1,"at":0.5,"method":"GET","path":"/a","headers":[["A","b"]],"body":"x"}\n',
}
LINES = sorted(SAMPLES.keys() - {"har", "gor"})


def outcome(path: Path, kind: str | None) -> str:
    """What comes of a file; every request that does is one that a recording takes."""
    skipped = Skipped(str(path))
    number = 0
    try:
        with open_bytes(path) as opened:
            for request in imported(opened, Wanted(kind), skipped):
                number += 1
                assert parse(write(request))._replace(at=0.0) == request._replace(at=0.0)
                assert request.at >= 0
    except TrafficError as error:
        return str(error)
    return f"{number} requests, {skipped.total} skipped, {skipped.broken}"


@st.composite
def damaged(draw: st.DrawFn, sample: bytes) -> bytes:
    """A sample with some stretches cut out, repeated, or replaced."""
    data = sample
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 12)))
        middle = draw(
            st.binary(max_size=6)
            | st.just(data[begin:end] * 3)
            | st.sampled_from([b"\0", b"\xff", b"\n", b'"', b"\\", b"{", b"[", b"1e999", b"nan"])
        )
        data = data[:begin] + middle + data[end:]
    return data


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write into again and again."""
    return tmp_path_factory.mktemp("fuzz") / "in"


@pytest.mark.parametrize("kind", SAMPLES)
def test_damaged_files(place: Path, kind: str) -> None:
    """Near enough to good ones to get far."""

    @settings(max_examples=50)
    @given(damaged(SAMPLES[kind]))
    def run(data: bytes) -> None:
        place.write_bytes(data)
        assert outcome(place, kind)
        assert outcome(place, None)

    run()


@pytest.mark.parametrize("kind", SAMPLES)
def test_any_bytes(place: Path, kind: str) -> None:
    """Far from anything."""

    @settings(max_examples=30)
    @given(st.binary(max_size=400))
    @example(b"\0" * 1000)
    @example(b"\xff\xfe" * 500)
    @example(b"[" * 50_000)
    @example(b'{"a":' * 20_000)
    @example(b'"' * 50_000 + b"\n" + b"\\" * 50_000)
    @example(b"- " * 50_000)
    @example(b"\x1f\x8b" * 100)
    @example(b"\x28\xb5\x2f\xfd" * 100)
    def run(data: bytes) -> None:
        place.write_bytes(data)
        assert outcome(place, kind)

    run()


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("kind", SAMPLES)
def test_cuts_of_a_compressed_file(
    place: Path, kind: str, compress: Callable[[bytes], bytes]
) -> None:
    """From nothing to nearly all of it, in steps of three bytes."""
    whole = compress(SAMPLES[kind])
    for cut in range(0, len(whole), 3):
        place.write_bytes(whole[:cut])
        assert "requests, 0 skipped, None" not in outcome(place, kind)


@pytest.mark.parametrize("kind", [*LINES, "gor"])
def test_a_line_of_a_hundred_million_bytes(place: Path, kind: str) -> None:
    """Is skipped with its reason, and not held; what stands around it is read."""
    head, _, first = SAMPLES["csv"].partition(b"\n")
    sample = first if kind == "csv" else SAMPLES[kind]
    with place.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as writer:
        writer.write(head + b"\n" if kind == "csv" else b"")
        writer.write(sample)
        for _ in range(100):
            writer.write(b"x" * 1_000_000)
        writer.write((b"\n" + END + b"\n" if kind == "gor" else b"\n") + sample)
    tracemalloc.start()
    try:
        told = outcome(place, kind)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    per_sample = {"access-log": 2, "csv": 2}.get(kind, 1)
    assert told == f"{2 * per_sample} requests, 1 skipped, "
    assert most < MEMORY


def test_every_format_is_fuzzed() -> None:
    """A new one has to be added here."""
    assert set(SAMPLES) == set(FORMATS)
