"""What an order costs: the price of its pieces, less a discount, and tax."""

import discounts
from catalogue import ITEMS

TAX = 19
"""Per cent."""


def tax_on(net):
    """Cents, rounded half up: integers, because money is counted."""
    return (net * TAX + 50) // 100


def amounts(order):
    net = ITEMS[order["item"]] * order["quantity"]
    discount = discounts.on(net, order["quantity"])
    tax = tax_on(net - discount)
    gross = net - discount + tax
    return {"net": net, "discount": discount, "tax": tax, "gross": gross, "currency": "EUR"}
