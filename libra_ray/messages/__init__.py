"""All that may cross an inbox: commands, events, market data."""

__all__ = ["codec", "commands", "events", "queries", "rows", "schemas"]
