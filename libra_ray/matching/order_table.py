"""The open orders of one instrument at a venue, and the commands on their way to it, as columns of integers.

Both tables are dense and small: orders stand in order of acceptance, commands in order of (due time, birth).
"""

from typing import Final

from libra_ray.matching.depth import Ints
from libra_ray.matching.forms import compiled, inlined

__all__ = [
    "AHEAD",
    "AT",
    "CANCEL",
    "COMMAND",
    "COMMANDS_MAX",
    "CUM",
    "DUE",
    "ID",
    "INSERT",
    "KIND",
    "LEAVES",
    "ORDER",
    "ORDERS_MAX",
    "PX",
    "QTY",
    "SEEN",
    "SHOWN",
    "SIDE",
    "TRADED",
    "drop_filled",
    "drop_first",
    "find",
    "next_in_line",
    "put_command",
]

ORDERS_MAX: Final = 64
COMMANDS_MAX: Final = 256
# An open order.
ID: Final = 0
SIDE: Final = 1  # +1 buys, -1 sells
PX: Final = 2
LEAVES: Final = 3  # 0: filled or canceled, to be dropped
CUM: Final = 4
AHEAD: Final = 5  # displayed size that comes before it at its price
AT: Final = 6  # where the book has its level
SHOWN: Final = 7  # size of the level when last seen,
SEEN: Final = 8  # at that version,
TRADED: Final = 9  # and what traded there since
ORDER: Final = 10
# A command. It begins as an order does.
QTY: Final = 3
DUE: Final = 4
KIND: Final = 5
INSERT: Final = 1
CANCEL: Final = 2
COMMAND: Final = 6


@compiled
def find(orders: Ints, count: int, order_id: int) -> int:
    """Where an open order is, -1 where it is not open."""
    for at in range(0, count * ORDER, ORDER):
        if orders[at + ID] == order_id:
            return at
    return -1


@compiled
def next_in_line(orders: Ints, count: int, side: int, after: int) -> int:
    """The order of a side that comes after another one (-1: the first): by price, then by acceptance; -1 at the end."""
    found = -1
    for at in range(0, count * ORDER, ORDER):
        if orders[at + SIDE] != side or orders[at + LEAVES] == 0:
            continue
        if after >= 0:
            behind = (orders[after + PX] - orders[at + PX]) * side
            if behind < 0 or (behind == 0 and at <= after):
                continue
        if found < 0 or (orders[at + PX] - orders[found + PX]) * side > 0:
            found = at
    return found


@compiled
def drop_filled(orders: Ints, count: int) -> int:
    """Close the gaps of orders with nothing left; how many remain."""
    to = 0
    for at in range(0, count * ORDER, ORDER):
        if orders[at + LEAVES] > 0:
            if to < at:
                for i in range(ORDER):
                    orders[to + i] = orders[at + i]
            to += ORDER
    return to // ORDER


@compiled
def put_command(
    commands: Ints, count: int, due_ns: int, kind: int, order_id: int, side: int, px: int, qty: int
) -> None:
    """Put a new command behind all that are due no later. There must be room."""
    at = count * COMMAND
    while at > 0 and commands[at - COMMAND + DUE] > due_ns:
        for i in range(COMMAND):
            commands[at + i] = commands[at - COMMAND + i]
        at -= COMMAND
    commands[at + ID], commands[at + SIDE], commands[at + PX], commands[at + QTY] = order_id, side, px, qty
    commands[at + DUE], commands[at + KIND] = due_ns, kind


@inlined
def drop_first(commands: Ints, count: int) -> None:
    """Take away the command that is due next."""
    for i in range((count - 1) * COMMAND):
        commands[i] = commands[i + COMMAND]
