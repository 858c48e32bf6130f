"""Orders, the next idea: amounts in the currency that the query asks for, `?currency=USD`.

It is `async` because it never blocks: it runs on the event loop itself, with no thread between
the request and the answer, which is what a load test of the gateway wants to measure.
"""

import base64
import json

import catalogue
import shapes


async def main_handler(event, context):
    number = event.get("pathParameters", {}).get("id")
    method = event["httpMethod"]
    if number is None and event["path"].rstrip("/") != "/orders":
        return answer(404, {"error": f"nothing at {event['path']}; try /orders or /orders/42"})
    if method == "GET":
        return overview() if number is None else show(number, event, context)
    if method == "POST" and number is None:
        return place(event, context)
    return answer(405, {"error": f"{method} is not possible at {event['path']}"})


def overview():
    orders = [shapes.short(number, order) for number, order in catalogue.newest(10)]
    return answer(200, {"orders": orders})


def show(number, event, context):
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return answer(400, {"error": f"an order's id is a whole number, not {number!r}"})
    order = catalogue.find(int(number))
    if order is None:
        return answer(404, {"error": f"no order {number}"})
    shown = shapes.full(int(number), order, event)
    return answer(200, {"version": context["function_version"], **shown})


def place(event, context):
    try:
        wish = json.loads(text(event))
        item, quantity = wish["item"], wish.get("quantity", 1)
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer(400, {"error": 'send JSON such as {"item": "tea", "quantity": 2}'})
    if item not in list(catalogue.ITEMS):
        return answer(400, {"error": f"no item {item!r}; items: {', '.join(catalogue.ITEMS)}"})
    if type(quantity) is not int or not 1 <= quantity <= 1000:
        return answer(400, {"error": f"a quantity is 1 to 1000, not {quantity!r}"})
    number = catalogue.place(item, quantity)
    order = catalogue.find(number)
    shown = shapes.full(number, order, event)
    return answer(201, {"version": context["function_version"], **shown})


def text(event):
    body = event.get("body", "")
    return base64.b64decode(body) if event.get("isBase64Encoded") else body


def answer(status, body):
    return {
        "isBase64Encoded": False,
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
