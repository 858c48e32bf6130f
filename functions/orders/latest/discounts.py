"""Who pays less: whoever orders ten pieces or more."""

FROM = 10
PER_CENT = 10


def on(net, quantity):
    return net * PER_CENT // 100 if quantity >= FROM else 0
