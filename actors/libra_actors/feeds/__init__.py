"""Ready-made feeds: actors that publish market data to whoever subscribed."""

from libra_actors.feeds.replay import ReplayFeed, ReplayFeedConfig

__all__ = ["ReplayFeed", "ReplayFeedConfig"]
