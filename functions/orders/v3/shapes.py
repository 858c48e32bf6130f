"""How an order looks to the caller."""

import pricing


def short(number, order):
    return {"id": number, "gross": pricing.amounts(order)["gross"]}


def full(number, order):
    line = {"item": order["item"], "quantity": order["quantity"]}
    return {"order": {"id": number, "lines": [line], "amounts": pricing.amounts(order)}}
