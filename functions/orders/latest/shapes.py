"""How an order looks to the caller, in the caller's currency."""

import currencies
import pricing


def short(number, order):
    return {"id": number, "gross": pricing.amounts(order)["gross"]}


def full(number, order, event):
    line = {"item": order["item"], "quantity": order["quantity"]}
    amounts = currencies.exchanged(pricing.amounts(order), wanted(event))
    return {"order": {"id": number, "lines": [line], "amounts": amounts}}


def wanted(event):
    return str((event.get("queryString") or {}).get("currency", "EUR"))
