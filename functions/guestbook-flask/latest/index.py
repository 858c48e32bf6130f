"""A guestbook on Flask (WSGI). The gateway runs each request in a thread, so writers take turns."""

import threading

from flask import Flask, abort, request, url_for

app = Flask(__name__)
entries = []
writing = threading.Lock()


@app.get("/guestbook")
def read():
    return {"version": request.headers["X-Scf-Version"], "entries": entries}


@app.post("/guestbook")
def write():
    with writing:
        entries.append(request.get_data(as_text=True))
        number = len(entries)
    # The link leads back to the stage that was asked, whatever its name is.
    return {"number": number}, 201, {"Location": url_for("entry", number=number)}


@app.get("/guestbook/<int:number>")
def entry(number):
    if not 1 <= number <= len(entries):
        abort(404)
    return {"number": number, "text": entries[number - 1]}
