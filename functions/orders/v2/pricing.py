"""What an order costs: the price of its pieces, and tax."""

from catalogue import ITEMS

TAX = 19
"""Per cent."""


def tax_on(net):
    """Cents, rounded half up: integers, because money is counted."""
    return (net * TAX + 50) // 100


def priced(number, order):
    price = ITEMS[order["item"]] * order["quantity"]
    tax = tax_on(price)
    return {"id": number, **order, "price": price, "tax": tax, "total": price + tax}
