"""Code packages, from wherever they come: a zip, a folder, or files at hand; one set of rules.

What is refused is the same everywhere: links and devices, paths that lead out or clash, too many
files, too many bytes, and nothing at all.
"""

from __future__ import annotations

from gateway.core.errors import Refused
from gateway.store.contents import MAX_FILES, MAX_SIZE, Package, differing, read_files
from gateway.store.folders import read_folder
from gateway.store.protocol import StateUnusable
from gateway.store.zips import read_zip, to_zip

__all__ = [
    "MAX_FILES",
    "MAX_SIZE",
    "Package",
    "differing",
    "read_files",
    "read_folder",
    "read_zip",
    "to_zip",
    "unpack",
]


def unpack(digest: str, data: bytes) -> Package:
    """The package that a store keeps under a digest; `to_zip` made the bytes.

    Raises:
        StateUnusable: They are not that package any more.
    """
    try:
        package = read_zip(data)
    except Refused as refused:
        raise StateUnusable(f"the code package {digest} is damaged: {refused}") from None
    if package.digest != digest:
        raise StateUnusable(f"the code package {digest} is damaged: it is {package.digest}")
    return package
