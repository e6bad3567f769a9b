"""`run_replay`: builds the world of a scenario, plays it, and gives back what came of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from madoguchi.card import MemoryReader
from madoguchi.nation.world import Behaviour
from madoguchi.replay.bare import BareCounter
from madoguchi.replay.boxes import PageBoxes
from madoguchi.replay.counter import Addresses, Counter, SwitchReader
from madoguchi.replay.pages import Pages
from madoguchi.replay.play import Player
from madoguchi.replay.report import Result
from madoguchi.replay.scenario import Scenario
from madoguchi.replay.sites import Mounted, mount
from madoguchi.replay.world import World, make_world

if TYPE_CHECKING:
    from madoguchi.replay.guarded import MakeBoxes
    from madoguchi.server.counters import seed


def run_replay(scenario: Scenario, *, sites: str, guard: str, browser: str) -> Result:
    """Play `scenario`. `sites`: 2022, 2023, proof. `guard`: on, off. `browser`: chromium, none.

    Raises `ReplayError` when the pages do not fit the steps, and whatever the rooms raise.
    """
    result = Result(scenario, sites, guard)
    world = make_world(scenario, Behaviour(sites))
    table = _Table(world, {name: MemoryReader(name) for name in scenario.terminals}, SwitchReader(), result)
    with ExitStack() as stack:
        mounted = stack.enter_context(mount(world.nation, table.switch, browser=browser))
        make = _guarded if guard == "on" else _bare
        counter = stack.enter_context(make(table, mounted, browser))
        Player(scenario=scenario, world=world, counter=counter, addresses=mounted.addresses, result=result).play()
    return result


class _Table:
    """What both counters stand on."""

    def __init__(self, world: World, readers: dict[str, MemoryReader], switch: SwitchReader, result: Result) -> None:
        self.world = world
        self.readers = readers
        self.switch = switch
        self.result = result


@contextmanager
def _bare(table: _Table, mounted: Mounted, _browser: str) -> Iterator[Counter]:
    counter = BareCounter(
        readers=table.readers,
        switch=table.switch,
        clock=table.world.clock,
        cards=table.world.cards,
        addresses=mounted.addresses,
        make_pages=mounted.make_pages,
    )
    try:
        yield counter
    finally:
        counter.close()


@contextmanager
def _guarded(table: _Table, mounted: Mounted, browser: str) -> Iterator[Counter]:
    from madoguchi.replay.guarded import GuardedCounter, MakeBoxes
    from madoguchi.replay.office import Office, office_ground

    world = table.world
    world.clock.move_to(table.result.scenario.steps[0].at)
    with office_ground(world.clock) as folder:
        make_boxes: MakeBoxes = _page_boxes(mounted, world)
        if browser == "chromium":
            from madoguchi.replay.chromium import real_boxes

            make_boxes = real_boxes(folder, mounted.card_client)
        counter = GuardedCounter(
            office=Office(_procedures(mounted.addresses)),
            folder=folder,
            clock=world.clock,
            readers=table.readers,
            switch=table.switch,
            cards=world.cards,
            addresses=mounted.addresses,
            make_boxes=make_boxes,
            prevented=table.result.prevented,
        )
        try:
            yield counter
        finally:
            counter.close()


def _page_boxes(mounted: Mounted, world: World) -> "MakeBoxes":
    def make() -> tuple[PageBoxes, Callable[[], Pages | None]]:
        boxes = PageBoxes(mounted.make_pages, world.clock)
        return boxes, boxes.page

    return make


def _procedures(addresses: Addresses) -> "dict[str, seed.Addresses]":
    from madoguchi.server.counters import seed

    return {
        procedure: seed.Addresses(start, addresses.logout[procedure], addresses.allowed)
        for procedure, start in addresses.start.items()
    }
