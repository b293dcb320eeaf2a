"""What each life of a host is given: its place, its peers, its residents."""

import sys

from libra_ray.bus.wire.letter import Faults
from libra_ray.hosts.context import BUS, SUPERVISOR, HostProgram, PeerAddress
from libra_ray.sessions.sites import Sites
from libra_ray.sessions.specs import HostSpec

__all__ = ["Programs"]


class Programs:
    """Makes programs for the hosts of one deployment. `faults`: what a test has go wrong with what hosts send."""

    def __init__(self, sites: Sites, *, seed: int, is_journaled: bool, faults: Faults | None = None) -> None:
        self._sites, self._seed, self._is_journaled, self._faults = sites, seed, is_journaled, faults
        self._bus_epoch = 1

    def for_supervisor(self) -> HostProgram:
        """The supervisor's own."""
        site = self._sites.site(SUPERVISOR, 1)
        return HostProgram(
            SUPERVISOR,
            1,
            site.folder,
            site.address,
            bus=self.peer(BUS, self._bus_epoch),
            keys_path=site.keys_path,
            node=site.node_id or "",
            is_journaled=False,
        )

    def for_host(self, host: HostSpec, epoch: int) -> HostProgram:
        """That of the next life of a host."""
        if host.host_id == BUS:
            self._bus_epoch = epoch
        site = self._sites.site(host.host_id, epoch)
        return HostProgram(
            host.host_id,
            epoch,
            site.folder,
            site.address,
            supervisor=self.peer(SUPERVISOR, 1),
            bus=None if host.host_id == BUS else self.peer(BUS, self._bus_epoch),
            seed=self._seed,
            residents=tuple(actor.resident for actor in host.actors),
            keys_path=site.keys_path,
            node=site.node_id or "",
            is_journaled=self._is_journaled,
            search_path=tuple(sys.path),
            faults=self._faults,
        )

    def peer(self, host_id: str, epoch: int) -> PeerAddress:
        """What others are told of that life of a host."""
        return PeerAddress(host_id, self._sites.site(host_id, epoch).address, epoch, self._sites.public_key(host_id))
