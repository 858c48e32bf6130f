"""What an order costs: the price of its pieces, and tax."""

from catalogue import ITEMS

TAX = 19
"""Per cent."""


def tax_on(net):
    """Cents, rounded half up: integers, because money is counted."""
    return (net * TAX + 50) // 100


def amounts(order):
    net = ITEMS[order["item"]] * order["quantity"]
    tax = tax_on(net)
    return {"net": net, "tax": tax, "gross": net + tax, "currency": "EUR"}
