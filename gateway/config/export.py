"""`export`: the live state as a stages.toml that leads back to it, and what a file cannot say.

Pure: the text of the file comes in and goes out. Where nothing differs, not a byte does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from gateway.config.declared import stated
from gateway.config.describe import (
    Values,
    access_values,
    api_name,
    api_values,
    function_values,
    stage_values,
)
from gateway.config.diagnostics import ConfigurationInvalid
from gateway.config.edit import Editor, same
from gateway.config.folders import LATEST_FOLDER
from gateway.config.load import SERVICE
from gateway.config.remarks import (
    Apis,
    function_remarks,
    kept_beside,
    other_services,
    service_remarks,
    unqualified,
)
from gateway.config.source import Source
from gateway.config.syntax import parse
from gateway.core import names
from gateway.core.changes import Batch
from gateway.core.errors import Place, Problem
from gateway.core.snapshot import Api, FunctionBackend, Service, Snapshot

Table = Mapping[str, Any]

_FUNCTION = {
    "source": str,
    "environment": {},
    "aliases": {"*": {}},
    "faults": {"*": {}},
    "breaker": {},
}
_API = {
    "name": str,
    "method": str,
    "path": str,
    "http": {},
    "mock": {"headers": {}},
    "parameters": [{}],
    "constants": [{}],
}
_STAGE = {"alias": str, "aliases": {}, "variables": {}, "allow": [str], "deny": [str]}
_PLAN = {"keys": [str], "stages": [str]}
_SHAPE = {
    "service": {},
    "functions": {"*": _FUNCTION},
    "apis": [_API],
    "stages": {"*": _STAGE},
    "keys": {"*": {}},
    "plans": {"*": _PLAN},
}


@dataclass(frozen=True, slots=True)
class Package:
    """Code that needs a folder, because the file's source lacks it.

    Attributes:
        function: The function.
        version: The version, `$LATEST` too.
        code: Its code package.
        folder: Where the folder belongs, relative to the file: `functions/orders/v5`.
    """

    function: str
    version: str
    code: str
    folder: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The live state as a file.

    Attributes:
        text: The stages.toml.
        notes: Sentences on what it cannot say.
        packages: The code folders that are missing beside it.
    """

    text: str
    notes: tuple[str, ...]
    packages: tuple[Package, ...]


def export(
    snapshot: Snapshot, original: str | None = None, declared: Batch | None = None
) -> Exported:
    """Write the live state as a stages.toml.

    Args:
        snapshot: The live state.
        original: The text of the file that the state came from, a file that loads: its comments,
            order and spelling are kept, and only what differs is edited.
        declared: What that file declares, with codes spelled as in the snapshot: it tells which
            folders there are. Without it there is none.

    Raises:
        ConfigurationInvalid: The original is no file that loads.
    """
    text = original or ""
    source = Source("stages.toml", text.encode(), text)
    old = parse(source)
    if not _fits(old, _SHAPE):
        problem = Problem("wrong-type", "the file does not load; `gateway check` tells why")
        raise ConfigurationInvalid(source.explain([problem]))
    service = snapshot.services.get(SERVICE) or Service(SERVICE, SERVICE)
    new = _values(snapshot, service, old)
    there = stated(declared) if declared is not None else Snapshot()
    return Exported(
        text=_text(text, old, new),
        notes=tuple(_notes(snapshot, service, there)),
        packages=tuple(_packages(snapshot, there, new)),
    )


def _fits(value: object, shape: object) -> bool:
    """Whether values have the types on which editing relies."""
    if isinstance(shape, type):
        return isinstance(value, shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    if not isinstance(value, Mapping) or not isinstance(shape, Mapping):
        return False
    inner = {key: shape.get(key, shape.get("*", object)) for key in value}
    return all(_fits(value[key], expected) for key, expected in inner.items())


def _values(snapshot: Snapshot, service: Service, old: Table) -> Values:
    """What the file holds."""
    functions, stages = old.get("functions", {}), old.get("stages", {})
    apis = [api for api in _chosen(service) if _has_function(snapshot, api)]
    said = {api_name(values): values for values in old.get("apis", [])}
    used = {api.backend.function for api in apis if isinstance(api.backend, FunctionBackend)}
    spelled = {names.stage_name(name): name for name in stages}
    new = {
        **old,
        "service": {**old.get("service", {}), "name": service.name},
        "functions": {
            name: function_values(snapshot.functions[name], functions.get(name, {}))
            for name in dict.fromkeys((*functions, *snapshot.functions))
            if name in snapshot.functions
        },
        "apis": [api_values(api, said.get(api.id, {})) for api in apis],
        "stages": {
            spelled.get(name, name): stage_values(
                service.stages[name],
                {name: snapshot.functions[name] for name in sorted(used)},
                stages.get(spelled.get(name, name), {}),
            )
            for name in dict.fromkeys((*spelled, *service.stages))
            if name in service.stages
        },
        **access_values(service.access, old),
    }
    return {key: value for key, value in new.items() if value or key in old}


def _chosen(service: Service) -> Apis:
    """The APIs of the file: those that most stages have, else those that would be released."""
    stages = [stage.apis for stage in service.stages.values()]
    lists = [*(apis for apis in stages if unqualified(apis) == unqualified(service.apis)), *stages]
    counts = [sum(unqualified(a) == unqualified(b) for b in stages) for a in lists]
    return lists[counts.index(max(counts))] if lists else service.apis


def _has_function(snapshot: Snapshot, api: Api) -> bool:
    backend = api.backend
    return not isinstance(backend, FunctionBackend) or backend.function in snapshot.functions


def _text(original: str, old: Table, new: Table) -> str:
    if same(old, new):
        return original
    windows = "\r\n" in original
    editor = Editor(original.replace("\r\n", "\n"), _is_section)
    for key in ("service", "functions", "apis", "stages", "keys", "plans"):
        if editor.inline((key,)) and key in new:
            editor.replace((key,), old[key], new[key])
        elif key == "apis":
            _edit_apis(editor, old.get(key, []), new.get(key, []))
        else:
            there = {key: old[key]} if key in old else {}
            editor.update((), there, {key: new[key]} if key in new else {})
    text = editor.result()
    return text.replace("\n", "\r\n") if windows else text


def _is_section(place: Place) -> bool:
    """Whether a new table has a header of its own: others are written behind their key."""
    match place:
        case ("service" | "functions" | "stages" | "keys" | "plans",):
            return True
        case ("functions" | "stages" | "keys" | "plans", _):
            return True
        case ("functions", _, "aliases" | "faults"):
            return True
        case _:
            return False


def _edit_apis(editor: Editor, old: list[Table], new: list[Table]) -> None:
    index = {api_name(values): i for i, values in enumerate(old)}
    kept = [index[name] for name in map(api_name, new) if name in index]
    if kept != sorted(kept):  # in another order: written anew
        index, kept = {}, []
    for i in range(len(old)):
        if i not in kept:
            editor.remove(("apis", i))
    at = editor.before(("apis", kept[0])) if kept else editor.behind(("apis",))
    for values in new:
        i = index.get(api_name(values), -1)
        if i < 0:
            editor.block("[[apis]]", values, at)
        else:
            editor.update(("apis", i), old[i], values)
            at = editor.behind(("apis", i))


def _notes(snapshot: Snapshot, service: Service, there: Snapshot) -> Iterator[str]:
    for function in snapshot.functions.values():
        yield from function_remarks(function)
        known = there.functions.get(function.name)
        if known is None:
            continue
        for number in known.versions.keys() - function.versions.keys():
            yield (
                f"version {number!r} of function {function.name!r} was deleted; "
                f"its folder v{number} would publish it again where nothing is live yet"
            )
        latest = function.versions[names.LATEST].code
        if latest != known.versions[names.LATEST].code:
            yield f"$LATEST of function {function.name!r} was uploaded; its folder has other code"
    chosen = _chosen(service)
    for api in chosen:
        if not _has_function(snapshot, api):
            yield f"api {api.id!r} is left out, because its function does not exist"
    yield from service_remarks(service, chosen)
    yield from other_services(snapshot)
    yield from kept_beside(snapshot)


def _packages(snapshot: Snapshot, there: Snapshot, new: Table) -> Iterator[Package]:
    for function in snapshot.functions.values():
        known = there.functions.get(function.name)
        source = PurePosixPath(new["functions"][function.name]["source"])
        for number in sorted(function.versions, key=names.version_order):
            code = function.versions[number].code
            held = known.versions.get(number) if known else None
            if held is None or held.code != code:
                folder = LATEST_FOLDER if number == names.LATEST else f"v{number}"
                yield Package(function.name, number, code, str(source / folder))
