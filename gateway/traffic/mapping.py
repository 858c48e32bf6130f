"""What becomes of a path, a host or the headers of a request: pure values, checked when made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import add
from typing import Final

from gateway.core.errors import refuse
from gateway.traffic.recording import Headers
from gateway.traffic.recording_line import METHOD, PATH, VALUE

ANY: Final = "*"
"""Every host; at the end of a header's name, every name that begins so."""

USER: Final = "{user}"
"""What stands for the user in a header's value."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class PathMap:
    r"""`FROM -> TO` for paths: a leading part, or a regular expression for the whole path.

    Attributes:
        text: As written, `/shop/ -> /` or `~/v[0-9]+(/.*) -> \1`.
        mapped: The path that a path becomes; `None` where the map does not fit.
    """

    text: str
    mapped: Callable[[str], str | None] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> PathMap:
        """Read one.

        Raises:
            Refused: With code `bad-mapping`.
        """
        source, target = _sides(text, "/shop/ -> /")
        if source.startswith("~"):
            return cls(text, _by_pattern(source[1:], target))
        for side in (source, target):
            if re.fullmatch(PATH, side) is None:
                refuse("bad-mapping", f"{side!r} in {text!r} is no path; it begins with '/'")
        return cls(text, _by_prefix(source, target))


@dataclass(frozen=True, slots=True)
class HostMap:
    """`FROM -> TO` for the header Host; `*` is every host, and requests without one.

    Attributes:
        source: The host, in lower case, with its port if it names one.
        target: What takes its place.
    """

    source: str
    target: str

    @classmethod
    def parse(cls, text: str) -> HostMap:
        """Read one.

        Raises:
            Refused: With code `bad-mapping`.
        """
        source, target = _sides(text, "shop.example.com -> localhost:8080")
        for side in (source, target):
            if re.fullmatch(r"[!-~]+", side) is None or "/" in side:
                message = f"{side!r} in {text!r} is no host; for example: shop.example.com:8080"
                refuse("bad-mapping", message)
        return cls(source.lower(), target)

    def mapped(self, headers: Headers) -> Headers | None:
        """The headers with the other host; `None` where the map does not fit."""
        host = next((value for name, value in headers if name.lower() == "host"), None)
        if self.source != ANY and (host is None or not self._fits(host.lower())):
            return None
        rest = tuple(pair for pair in headers if pair[0].lower() != "host")
        return (("Host", self.target), *rest)

    def _fits(self, host: str) -> bool:
        return self.source in {host, host.rpartition(":")[0]}


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    """Which headers go and which come.

    Attributes:
        remove: Names in lower case; a `*` at the end is any rest.
        put: Names with values; `{user}` in a value is the user, without whom it is not put.
    """

    remove: tuple[str, ...] = ()
    put: tuple[tuple[str, str], ...] = ()
    _gone: frozenset[str] = field(init=False, compare=False, repr=False)
    _begin: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        gone = {name for name in self.remove if not name.endswith(ANY)}
        begin = tuple(name[:-1] for name in self.remove if name.endswith(ANY))
        object.__setattr__(self, "_gone", frozenset(gone))
        object.__setattr__(self, "_begin", begin)

    @classmethod
    def parse(cls, remove: tuple[str, ...], put: Mapping[str, str]) -> HeaderEdit:
        """Check names and values.

        Raises:
            Refused: With code `bad-header`.
        """
        for name in (*(name.removesuffix(ANY) or "x" for name in remove), *put):
            if re.fullmatch(METHOD, name) is None:
                refuse("bad-header", f"{name!r} cannot be the name of a header")
        for name, value in put.items():
            if re.fullmatch(VALUE, _bytewise(value)) is None:
                refuse("bad-header", f"{value!r} cannot be the value of the header {name!r}")
        return cls(tuple(name.lower() for name in remove), tuple(put.items()))

    def __bool__(self) -> bool:
        return bool(self.remove or self.put)

    def edited(self, headers: Headers, user: str | None) -> Headers:
        """The headers without those that go and with those that come, in place of their like."""
        come = tuple(
            (name, _filled(value, user))
            for name, value in self.put
            if user is not None or USER not in value
        )
        gone = self._gone.union(name.lower() for name, _ in come)
        stay = tuple(pair for pair in headers if not self._goes(pair[0].lower(), gone))
        return stay + come

    def _goes(self, name: str, gone: frozenset[str]) -> bool:
        return name in gone or name.startswith(self._begin)


NO_EDIT: Final = HeaderEdit()
"""Headers stay what they are."""


def _filled(value: str, user: str | None) -> str:
    """A value with the user in it; what a header cannot hold is percent-encoded."""
    whole = _bytewise(value.replace(USER, user or ""))
    return _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", whole)


def _bytewise(text: str) -> str:
    """Text as recordings keep it in headers: one character for each byte of its UTF-8."""
    return text.encode(errors="surrogatepass").decode("latin-1")


def _sides(text: str, example: str) -> tuple[str, str]:
    source, arrow, target = text.rpartition("->")
    if not arrow or not source.strip() or not target.strip():
        refuse("bad-mapping", f"{text!r} is no 'FROM -> TO'; for example: {example}")
    return source.strip(), target.strip()


def _by_prefix(source: str, target: str) -> Callable[[str], str | None]:
    """Replace leading segments: `/shop` fits `/shop` and `/shop/x`, and not `/shopping`."""
    stem, goal = source.rstrip("/"), target.rstrip("/")
    beginning = stem + "/"
    exact = not source.endswith("/") or source == "/"

    def mapped(path: str) -> str | None:
        if path.startswith(beginning) or (exact and path == stem):
            return goal + path[len(stem) :] or target
        return None

    return mapped


def _by_pattern(pattern: str, target: str) -> Callable[[str], str | None]:
    import re2  # most mappings are prefixes

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        refuse("bad-mapping", f"{pattern!r} is not a regular expression of RE2: {reason}")
    literals, groups = _template(target, compiled.groups)

    def mapped(path: str) -> str | None:
        found = compiled.fullmatch(path)
        if found is None:
            return None
        taken = [found.group(number) or "" for number in groups]
        made = "".join(map(add, literals, (*taken, "")))
        return made if made.startswith("/") else f"/{made}"

    return mapped


def _template(target: str, most: int) -> tuple[list[str], list[int]]:
    r"""`/v2\1` as the texts around the groups, and the groups."""
    parts = re.split(r"\\([0-9])", target)
    literals, groups = parts[0::2], [int(number) for number in parts[1::2]]
    if max(groups, default=0) > most:
        refuse("bad-mapping", f"{target!r} names group {max(groups)}; the expression has {most}")
    if any("\\" in text or re.fullmatch(PATH, f"/{text}") is None for text in literals):
        message = f"{target!r} is no path; allowed: percent-encoded ASCII, and \\1 to \\9"
        refuse("bad-mapping", message)
    return literals, groups
