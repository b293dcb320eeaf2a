"""The table `[walk_forward]` of a run file: how the data is divided, as frozen settings."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from libra_ray.config import Settings
from libra_ray.errors import ConfigError
from libra_ray.model.identifiers import period_ns

__all__ = ["LengthNs", "Scheme", "WalkForwardSettings"]

Scheme: TypeAlias = Literal["rolling", "anchored", "k_fold"]


def _length_ns(value: Any) -> Any:  # noqa: ANN401  # whatever the file holds
    """Nanoseconds of a length of time such as `90d`; an integer is one already."""
    return period_ns(value) if isinstance(value, str) else value


LengthNs: TypeAlias = Annotated[int, BeforeValidator(_length_ns)]
"""A length of time of a setting, as nanoseconds: `"12h"`, `"90d"`, `"4w"`."""


class WalkForwardSettings(Settings):
    """`[walk_forward]`.

    Attributes:
        scheme: `rolling` windows keep their length and move on, `anchored` ones all begin with the data and grow,
            `k_fold` tries each part of the data with parameters chosen on all the others.
        train, test: lengths, `"90d"`. Without both, `folds` tests and a first training that is four tests long.
        step: from one window to the next; None for the length of a test.
        folds: how many windows where their lengths are not given, and how many parts with `k_fold`.
        purge: left out between training and test: as long as a trade may stay open.
        embargo: left out behind a test on top of that, with `k_fold`.
        warmup: history that a test begins with. The strategy trades in it already, and it does not count.
    """

    scheme: Scheme = "rolling"
    train: Annotated[LengthNs, Field(gt=0)] | None = None
    test: Annotated[LengthNs, Field(gt=0)] | None = None
    step: Annotated[LengthNs, Field(gt=0)] | None = None
    folds: PositiveInt = 5
    purge: Annotated[LengthNs, NonNegativeInt] = 0
    embargo: Annotated[LengthNs, NonNegativeInt] = 0
    warmup: Annotated[LengthNs, NonNegativeInt] = 0

    @model_validator(mode="after")
    def _lengths_fit_the_scheme(self) -> Self:
        if self.scheme == "k_fold" and (self.train or self.test or self.step):
            what = "train, test and step are lengths of windows, and k_fold has folds"
            raise ConfigError("CONF002", None, what, 'Give folds alone, or scheme = "rolling".')
        if self.scheme != "k_fold" and (self.train is None) != (self.test is None):
            given, missing = ("train", "test") if self.test is None else ("test", "train")
            raise ConfigError("CONF002", None, f"{given} is given without {missing}", "Give both or none.")
        if self.scheme != "k_fold" and self.embargo:
            raise ConfigError("CONF002", None, f"embargo has no meaning with scheme '{self.scheme}'", "Use purge.")
        return self
