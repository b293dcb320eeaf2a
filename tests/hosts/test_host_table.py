"""The table of all hosts: who receives what, who came first, and what all have seen."""

from libra_ray.hosts.host_table import HostEntry, TableCopy, TableOwner, TableSettled, TableState, host_number


def entry(host_id: str, *patterns: str, epoch: int = 1, change: int = 1, endpoints: tuple[str, ...] = ()) -> HostEntry:
    return HostEntry(host_id, epoch, f"ipc://{host_id}-{epoch}", None, change, patterns, endpoints)


def test_a_topic_goes_to_each_host_once_however_many_patterns_match() -> None:
    owner = TableOwner(1)
    owner.announce(entry("a", "events.*", "events.risk"))
    owner.announce(entry("b", "signals.*"))
    assert owner.hosts_for("events.risk") == ("a",)
    assert owner.hosts_for("signals.x") == ("b",)
    assert owner.hosts_for("data.x") == ()


def test_an_older_life_or_an_older_announcement_changes_nothing() -> None:
    owner = TableOwner(1)
    assert owner.announce(entry("a", "x", epoch=2, change=5))
    assert not owner.announce(entry("a", "y", epoch=2, change=5))
    assert not owner.announce(entry("a", "y", epoch=2, change=4))
    assert not owner.announce(entry("a", "y", epoch=1, change=9))
    assert owner.hosts_for("x") == ("a",)


def test_what_a_host_received_is_kept_for_its_next_life_until_that_has_started() -> None:
    owner = TableOwner(1)
    owner.announce(entry("a", "x", endpoints=("a.execute",)))
    assert owner.announce(entry("a", epoch=2, change=1))
    assert owner.hosts["a"] == HostEntry("a", 2, "ipc://a-2", None, 1, ("x",), ("a.execute",))
    assert owner.announce(entry("a", "y", epoch=2, change=2))
    assert owner.hosts["a"].patterns == ("y",)


def test_an_endpoint_stays_with_the_host_that_came_first() -> None:
    owner, copy = TableOwner(1), TableCopy("b", 1)
    owner.announce(entry("a", endpoints=("Risk.execute",)))
    owner.announce(entry("b", endpoints=("Risk.execute", "b.execute")))
    assert owner.state.refused == (("b", "Risk.execute"),)
    copy.apply(owner.state)
    assert copy.owner("Risk.execute") == "a"
    assert copy.owner("b.execute") is None, "its own endpoints are its own table's"
    owner.announce(entry("a", change=2))
    owner.announce(entry("b", change=2, endpoints=("Risk.execute",)))
    assert not owner.state.refused


def test_the_endpoints_of_a_dead_host_are_kept_for_its_next_life_and_those_of_a_gone_one_are_free() -> None:
    owner = TableOwner(1)
    owner.announce(entry("a", "x", endpoints=("Risk.execute",)))
    assert owner.died("a", 1)
    assert owner.hosts_for("x") == ("a",)
    assert owner.forget("a")
    assert not owner.forget("a")
    owner.announce(entry("b", endpoints=("Risk.execute",)))
    assert owner.state.refused == ()
    assert owner.state.gone == ("a",)


def test_settled_is_what_all_living_hosts_have_seen() -> None:
    owner = TableOwner(1)
    owner.announce(entry("a"))
    owner.announce(entry("b"))
    version = owner.version
    owner.saw("a", version)
    assert owner.settle() is None
    assert owner.behind() == ["b"]
    owner.died("b", 1)
    assert owner.settle() == TableSettled(version)
    assert owner.settle() is None
    owner.announce(entry("b", epoch=2))
    owner.saw("a", owner.version)
    assert owner.settle() is None, "the new life of b has not seen it"


def test_the_death_of_an_older_life_is_no_news() -> None:
    owner = TableOwner(1)
    owner.announce(entry("a", epoch=2))
    assert not owner.died("a", 1)


def test_who_names_a_topic_is_served_before_who_listens_to_all_there_is() -> None:
    hosts = (entry("books", "data.*"), entry("venue", "data.quotes.SIM.*"), entry("trader", "data.quotes.SIM.ACME"))
    owner, copy = TableOwner(1), TableCopy("feed", 1)
    for host in hosts:
        owner.announce(host)
    copy.apply(TableState((1, 1), hosts))
    assert owner.hosts_for("data.quotes.SIM.ACME") == ("trader", "venue", "books")
    assert copy.others_for("data.quotes.SIM.ACME") == ("trader", "venue", "books")


def test_a_copy_takes_only_what_is_newer_and_a_new_bus_host_is_newer() -> None:
    copy = TableCopy("a", 1)
    assert copy.apply(TableState((1, 7), (entry("a"), entry("b", "x"))))
    assert not copy.apply(TableState((1, 6), ()))
    assert copy.others_for("x") == ("b",)
    assert copy.apply(TableState((2, 1), (entry("a"),)))
    assert copy.others_for("x") == ()


def test_a_copy_knows_when_its_own_announcement_is_settled() -> None:
    copy = TableCopy("a", 1)
    assert not copy.has_settled(1)
    copy.apply(TableState((1, 3), (entry("a", change=2),)))
    assert not copy.has_settled(2)
    copy.settled = (1, 3)
    assert copy.has_settled(2)
    assert not copy.has_settled(3)


def test_a_restored_table_is_a_new_version_and_corrected_by_what_hosts_say() -> None:
    first = TableOwner(1)
    first.announce(entry("a", "x"))
    second = TableOwner(2, first.state)
    assert second.version > first.version
    assert second.hosts_for("x") == ("a",)
    second.announce(entry("a", "y", change=2))
    assert second.hosts_for("x") == ()


def test_hosts_have_numbers_by_their_names() -> None:
    copy = TableCopy("a", 1)
    copy.apply(TableState((1, 1), (entry("b"),)))
    assert copy.host_of_number(host_number("a")) == "a"
    assert copy.host_of_number(host_number("b")) == "b"
    assert copy.host_of_number(host_number("c")) is None
    assert host_number("a") < 1 << 24
