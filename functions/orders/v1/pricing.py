"""What an order costs: the price of its pieces, and nothing else."""

from catalogue import ITEMS


def priced(number, order):
    return {"id": number, **order, "price": ITEMS[order["item"]] * order["quantity"]}
