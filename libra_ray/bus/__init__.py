"""The bus: topics with patterns, endpoints, requests and their ends, dead letters, throttling."""

from libra_ray.bus.letters import DeadLetter, DeadReason, NoReceiver, Request, TimedOut
from libra_ray.bus.local import DEAD_LETTERS_TOPIC, Bus, TopicCount
from libra_ray.bus.table import RoutingTable, Subscription
from libra_ray.bus.throttler import Admission, ThrottledSender, Throttler

__all__ = [
    "DEAD_LETTERS_TOPIC",
    "Admission",
    "Bus",
    "DeadLetter",
    "DeadReason",
    "NoReceiver",
    "Request",
    "RoutingTable",
    "Subscription",
    "ThrottledSender",
    "Throttler",
    "TimedOut",
    "TopicCount",
]
