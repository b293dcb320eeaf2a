"""The setting that all strategies share: how much to trade."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from libra_ray import Quantity

__all__ = ["QuantityText"]


def _as_text(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds; pydantic refuses what is no text
    """Let a whole number stand for its text; a float has no exact one."""
    return str(value) if type(value) is int else value


def _is_positive(text: str) -> str:
    """Refuse what is no decimal (`ConfigError` CONF002) or not above 0 (`ValueError`)."""
    if Quantity.parse(text).raw <= 0:
        raise ValueError(f"quantity {text} is not positive")
    return text


QuantityText = Annotated[str, BeforeValidator(_as_text), AfterValidator(_is_positive)]
"""A positive decimal as text, such as `"0.25"`, or a whole number; the instrument's step is checked with the order."""
