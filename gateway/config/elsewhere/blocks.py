"""Plain values as YAML in blocks; texts are always quoted, so that none is read otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping


def yaml(value: object) -> str:
    """A document.

    Args:
        value: Tables, lists, texts, numbers and booleans.
    """
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if _is_block(item):
                yield f"{_key(key)}:"
                yield from (f"  {line}" for line in _lines(item))
            else:
                yield f"{_key(key)}: {_scalar(item)}"
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item) if _is_block(item) else [_scalar(item)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _is_block(value: object) -> bool:
    return isinstance(value, Mapping | list) and bool(value)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
