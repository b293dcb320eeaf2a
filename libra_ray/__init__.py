"""An embedded actor-system runtime for algorithmic trading."""
