"""The books of a system: cache, portfolio with its accounts opened, and what each account holds back."""

from collections.abc import Iterable, Sequence

from libra_ray.errors import ConfigError, quoted
from libra_ray.kernel.settings import MakerTaker, VenueSettings
from libra_ray.messages.events import AccountBooked
from libra_ray.model.accounts import Account
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import AccountType
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Rate, currency
from libra_ray.model.orders import Order
from libra_ray.portfolio import Cache, Funds, Portfolio

__all__ = ["Books"]

DAY_NS = 86_400 * 10**9


class Books:
    """What a kernel, and every projection of it, begins with.

    Raises `ConfigError`: CONF007 for a venue given twice, CONF008 for an instrument without a venue.

    Attributes:
        venues: settings by name.
        funds: by venue.
        deposits: the bookings that opened the accounts.
    """

    def __init__(self, venues: Sequence[VenueSettings], instruments: Iterable[Instrument], ts_ns: int) -> None:
        self.venues = {venue.name: venue for venue in venues}
        self.cache = Cache(instruments)
        self.portfolio = Portfolio(self.cache)
        self._check(venues)
        for made in self.cache.instruments.values():
            self.portfolio.terms[made.id] = _terms(made, self.venues[made.venue])
        self.funds: dict[str, Funds] = {}
        self.deposits: list[AccountBooked] = []
        for venue in venues:
            self._open(venue, ts_ns)

    def _check(self, venues: Sequence[VenueSettings]) -> None:
        if len(self.venues) != len(venues):
            names = [venue.name for venue in venues]
            name = next(name for name in names if names.count(name) > 1)
            what = f"venue {quoted(name)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each its own name.", name)
        for instrument in self.cache.instruments.values():
            if instrument.venue not in self.venues:
                fix = f"Add the venue {instrument.venue}; known are {', '.join(self.venues) or 'none'}."
                what = f"instrument {quoted(instrument.id)} has no venue"
                raise ConfigError("CONF008", None, what, fix, instrument.id)

    def _open(self, venue: VenueSettings, ts_ns: int) -> None:
        base = None if venue.base_currency is None else currency(venue.base_currency, venue.currencies)
        deposits = venue.deposits()
        account = Account(f"{venue.name}-account", AccountType(venue.account), base, base or deposits[0].currency)
        self.deposits += self.portfolio.add_account(venue.name, account, deposits, ts_ns)
        self.funds[venue.name] = Funds(
            self.portfolio,
            venue.name,
            Rate.parse(venue.leverage),
            leveraged=venue.margin_model == "leveraged",
            leverages={name: Rate.parse(leverage) for name, leverage in venue.leverages.items()},
            links=venue.support_contingent_orders,
        )

    # ------------------------------------------------------------------ by instrument and order

    @property
    def funds_by_instrument(self) -> dict[str, Funds]:
        """What the account holds back on which an instrument is booked, by instrument id."""
        return {made.id: self.funds[made.venue] for made in self.cache.instruments.values()}

    @property
    def overfilled(self) -> list[str]:
        """Instruments whose fills beyond an order's leaves are facts."""
        return [made.id for made in self.cache.instruments.values() if self.venues[made.venue].allow_overfills]

    @property
    def hedging(self) -> frozenset[str]:
        """Venues where a strategy may hold several positions of an instrument."""
        return frozenset(name for name, venue in self.venues.items() if venue.oms == "hedging")

    def venue_of(self, order: Order) -> VenueSettings:
        """The settings of the venue that an order is for."""
        return self.venues[self.cache.instruments[order.instrument_id].venue]

    def fills_whole(self, order: Order) -> bool:
        """Whether children of `order` are let go only once it is filled."""
        return self.venue_of(order).oto_mode == "full"

    def day_end_ns(self, order: Order, now_ns: int) -> int | None:
        """When a DAY order ends that arrives now: the close of the running session, or of the next one."""
        sessions = self.venue_of(order).sessions
        if sessions == "24h":
            return (now_ns // DAY_NS + 1) * DAY_NS
        return next((closes for _, closes in sessions if closes > now_ns), None)


def _terms(instrument: Instrument, venue: VenueSettings) -> ContractTerms:
    """An instrument's factors with the fee rates of its venue."""
    fees = venue.fees
    if isinstance(fees, MakerTaker):
        return ContractTerms(instrument, Rate.parse(fees.maker), Rate.parse(fees.taker))
    return ContractTerms.of(instrument)
