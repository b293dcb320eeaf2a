"""All that may cross an inbox: commands, events, market data."""
