"""Amounts in other currencies, at rates that were once true."""

RATES = {"EUR": 100, "USD": 108, "CNY": 780}
"""Hundredths of the currency for one euro."""


def exchanged(amounts, currency):
    """The same amounts in another currency; in euros if the currency is unknown."""
    rate = RATES.get(currency)
    if rate is None:
        return amounts
    cents = {name: value * rate // 100 for name, value in amounts.items() if name != "currency"}
    return {**cents, "currency": currency}
