"""A Hypothesis walk over both real tables at once, with the invariants checked after every step."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from madoguchi.protocol import VisitState
from protocol.acts import ACTS
from protocol.invariants import check
from protocol.ordinary import Play

PICK = st.integers(0, 23)


class Walk(RuleBasedStateMachine):
    """Few rules on purpose: the ordinary work must come often enough for the walk to get deep."""

    uncalled: ClassVar[bool] = False
    proof: ClassVar[bool] = False
    gate: ClassVar[frozenset[VisitState] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(uncalled=self.uncalled, proof=self.proof, gate=self.gate)

    def one_of(self, group: str, which: int, pick: int) -> None:
        possible = [act for act in ACTS if act.group == group and act.when(self.play)]
        if possible:
            getattr(self.play, possible[which % len(possible)].name)(pick)
            check(self.play)

    @initialize(steps=st.integers(0, 16))
    def begin_somewhere_in_a_visit(self, steps: int) -> None:
        self.go_on(steps)

    @rule(steps=st.integers(1, 6))
    def go_on(self, steps: int) -> None:
        """Do what would be done next if nothing went wrong."""
        for _ in range(steps):
            self.play.ordinary_step()
            check(self.play)

    @rule(which=PICK, pick=PICK)
    def somebody_at_the_counter(self, which: int, pick: int) -> None:
        self.one_of("people", which, pick)

    @rule(which=PICK, pick=PICK)
    def staff_or_network(self, which: int, pick: int) -> None:
        self.one_of("office", which, pick)

    @rule(which=PICK, pick=PICK)
    def trouble(self, which: int, pick: int) -> None:
        self.one_of("trouble", which, pick)

    def teardown(self) -> None:
        self.play.finish()
