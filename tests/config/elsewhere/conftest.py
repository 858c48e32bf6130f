"""A shop whose routing has something of everything that engines can express."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHOP = r"""
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
"$DEFAULT" = { version = "$LATEST" }
prepub = { version = "3", rules = [
  { when = "invoke.headers.User exact Bob", version = "4" },
  { when = "invoke.headers.User in Ann Lee, O'Neil, \"q\"", version = "2" },
  { when = "invoke.headers.X-Group range [-3,42]", version = "1" },
  { when = "invoke.headers.X-Build prefix v1.", version = "2" },
  { when = "invoke.headers.X-Mail regex ^[a-z]+@(shop|store)\\.example$", version = "4" },
  { when = "invoke.headers.X-Beta exists", version = "$LATEST" },
  { when = "invoke.query.user exact Bob B", version = "4" },
  { when = "invoke.query.age range (17,30)", version = "1" },
  { when = "invoke.query.user prefix caf\u00e9 &", version = "2" },
  { when = "invoke.query.beta exists", version = "1" },
  { when = "invoke.cookies.plan in gold, black", version = "4" },
  { when = "invoke.path.id exact 7 %", version = "2" },
  { when = "invoke.path.id range [100,199]", version = "1" },
] }
release = { version = "1", weights = { "2" = 0.1, "3" = 0.0525 }, rules = [
  { when = "invoke.headers.User exact Bob", version = "4" },
] }
[functions.orders.aliases.sticky]
version = "1"
weights = { "2" = 0.3 }
split = "sticky"
sticky_by = "invoke.headers.User"

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[[apis]]
method = "GET"
path = "=/orders"
function = "orders"

[[apis]]
method = "POST"
path = "^~/orders/bulk"
function = "orders"

[[apis]]
method = "ANY"
path = "/a.b/"
function = "orders"

[[apis]]
method = "GET"
path = "=/"
function = "orders"

[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "it's pong; \"yes\"" }

[stages.dev]
alias = "DEV"
[stages.prepub]
alias = "prepub"
[stages.release]
alias = "release"
"""
VERSION = """
async def main_handler(event, context):
    return {"statusCode": 200, "headers": {"X-Said": "VERSION " + event["path"]}, "body": "ok"}
"""
VERSIONS = ("1", "2", "3", "4", "$LATEST")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the shop's file, and the code of its versions."""

    def write(dev: str = "sticky", more: str = "") -> Path:
        folder = Path(tmp_path_factory.mktemp("shop", numbered=True))
        for version in VERSIONS:
            name = "latest" if version == "$LATEST" else f"v{version}"
            place = folder / "functions" / "orders" / name
            place.mkdir(parents=True)
            (place / "index.py").write_text(VERSION.replace("VERSION", version))
        file = folder / "stages.toml"
        file.write_text(SHOP.replace("DEV", dev) + more)
        return file

    return write
