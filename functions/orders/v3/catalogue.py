"""What can be ordered and what was ordered; in memory, so every version starts afresh."""

import itertools

ITEMS = {"tea": 450, "cup": 1200, "kettle": 3990}
"""Prices in cents."""

KEPT = 1000
"""Placed orders kept at most: a load test may place millions."""

_names = list(ITEMS)
_numbers = itertools.count(101)
_orders = {
    number: {"item": _names[number % 3], "quantity": number % 12 + 1} for number in range(1, 101)
}


def find(number):
    return _orders.get(number)


def newest(count):
    return sorted(_orders.copy().items(), reverse=True)[:count]


def place(item, quantity):
    number = next(_numbers)
    _orders[number] = {"item": item, "quantity": quantity}
    # Orders 1 to 100 stay: examples and tests ask for them.
    if number - KEPT > 100:
        _orders.pop(number - KEPT, None)
    return number
