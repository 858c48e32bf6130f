"""What is answered about APIs, and about who may call them: models behind the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Names = list[str]


class Answer(BaseModel):
    """What all answers share: they have no key beside those that are documented."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class HttpBackend(Answer):
    """An API answered by another HTTP server."""

    url: str
    timeout: float


class MockBackend(Answer):
    """An API answered with a fixed text."""

    body: str
    status: int
    headers: dict[str, str]


class Goal(Answer):
    """Where a parameter goes."""

    name: str
    place: str = Field(alias="in")


class Parameter(Answer):
    """One declared parameter."""

    name: str
    place: str = Field(alias="in")
    required: bool = False
    type: str = "string"
    default: str | None = None
    to: Goal | None = None


class Constant(Answer):
    """What an HTTP back end is sent with every request."""

    name: str
    place: str = Field(alias="in")
    value: str


class Api(Answer):
    """One API and who answers it: a function with a qualifier, another server, or a fixed text."""

    id: str
    method: str
    path: str
    function: str | None = None
    qualifier: str | None = None
    integrated: bool | None = None
    http: HttpBackend | None = None
    mock: MockBackend | None = None
    throttle: int | None = Field(None, description="Requests per second.")
    cors: bool = False
    base64: bool = False
    gzip: bool = False
    parameters: list[Parameter] = []
    constants: list[Constant] = []
    auth: Literal["none", "key"] = "none"
    max_body: int | None = Field(None, description="Bytes that a body may have.")


class ListedApi(Api):
    """One API with the qualifier that each stage has for it; `null` for any other back end."""

    service: str
    stages: dict[str, str | None]


class Apis(Answer):
    """Every API."""

    apis: list[ListedApi]


class Window(Answer):
    """A limit of requests in a time."""

    requests: int
    seconds: int
    per: Literal["api", "address"]


class Cors(Answer):
    """Which pages of other origins may call, and what they may send and read."""

    origins: Names
    methods: Names
    headers: Names
    exposed: Names
    credentials: bool
    age: int | None


class Overlay(Answer):
    """What is in force for one API beside what was released."""

    windows: list[Window] = []
    allow: Names = []
    deny: Names = []
    cors: Cors | None = None


class Edition(Answer):
    """What a release is called."""

    version: str
    description: str


class Gate(Answer):
    """Who may call a stage, and how often."""

    throttle: int | None = Field(None, description="Requests per second, all APIs together.")
    allow: Names = Field([], description="Networks whose callers are let in; empty for all.")
    deny: Names = Field([], description="Networks whose callers are not.")
    overlays: dict[str, Overlay] = Field({}, description="What single APIs have beside, by id.")


class Key(Answer):
    """A key pair."""

    id: str
    secret: str = Field(description="Never told: three stars.")


class UsagePlan(Answer):
    """What holders of some keys may do."""

    keys: Names
    stages: Names
    throttle: int | None = None
    quota: int | None = None
    apis: Names = Field([], description="Single APIs beside the stages, each as `stage/api`.")
