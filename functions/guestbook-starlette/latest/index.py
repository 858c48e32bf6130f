"""A guestbook on Starlette (ASGI), with a stream of its entries and a WebSocket that echoes."""

import asyncio
import json
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

entries = []


@asynccontextmanager
async def lifespan(app):
    yield {"written": asyncio.Condition()}


async def read(request):
    return JSONResponse({"version": request.headers["X-Scf-Version"], "entries": entries})


async def write(request):
    text = (await request.body()).decode(errors="replace")
    async with request.state.written:
        entries.append(text)
        number = len(entries)
        request.state.written.notify_all()
    # The link leads back to the stage that was asked, whatever its name is.
    location = str(request.url_for("entry", number=number))
    return JSONResponse({"number": number}, 201, {"Location": location})


async def entry(request):
    number = request.path_params["number"]
    if not 1 <= number <= len(entries):
        raise HTTPException(404)
    return JSONResponse({"number": number, "text": entries[number - 1]})


async def follow(request):
    return StreamingResponse(as_they_come(request.state.written), media_type="text/event-stream")


async def as_they_come(written):
    sent = 0
    while True:
        async with written:
            while len(entries) == sent:
                await written.wait()
        while sent < len(entries):
            yield f"data: {json.dumps(entries[sent])}\n\n"
            sent += 1


async def echo(socket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/guestbook", read),
        Route("/guestbook", write, methods=["POST"]),
        Route("/guestbook/events", follow),
        Route("/guestbook/{number:int}", entry, name="entry"),
        WebSocketRoute("/guestbook/echo", echo),
    ],
)
