"""Real boxes: one throw-away browser per visit, in namespaces and a file space of its own, made by bubblewrap."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from madoguchi.protocol import Assignment, Procedure
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.cdp import CdpError
from madoguchi.terminal.curtain import CurtainFailed
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.ground import Ground, Hold, LocalGround, Order
from madoguchi.terminal.live import Death, Hooks, Live, Shown, always, bar, nothing
from madoguchi.terminal.policies import reachable
from madoguchi.terminal.ports import WipeProof
from madoguchi.terminal.spawn import Pipes


class BwrapBoxes:
    """Makes boxes with bubblewrap (port `Boxes`).

    From any thread, `on_finish` is called when 終了 is pressed, and `alive` is asked twice a second whether the agent's
    loop still turns: two seconds after the last yes the box ends itself.
    """

    def __init__(
        self,
        config: BoxConfig,
        *,
        ground: Ground | None = None,
        on_finish: Callable[[], None] = nothing,
        alive: Callable[[], bool] = always,
    ) -> None:
        self._config = config
        self._ground = ground or LocalGround(config)
        self._hooks = Hooks(on_finish, alive)
        self._spare: BwrapBox | None = None
        self._last: BwrapBox | None = None

    @property
    def training(self) -> bool:
        """These are real boxes."""
        return False

    def missing(self) -> tuple[str, ...]:
        """Name what this machine lacks, one line each."""
        return self._ground.missing()

    def prepare(self, procedure: Procedure | None) -> None:
        """Keep a box ready for this procedure, or none (port `Boxes.prepare`)."""
        if self._spare is not None and (self._spare.death.told or self._spare.procedure != procedure):
            self._spare.destroy()
            self._spare = None
        if self._spare is None and procedure is not None:
            self._spare = self._make(procedure)
        elif self._spare is not None and self._spare.waits:
            with self._or_gone(self._spare):
                self._spare.look_over()

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> "BwrapBox":
        """Open a box for the visit: the one kept ready for its procedure, or a new one (port `Boxes.open`).

        One that waited and is no longer fit is destroyed, with proof, and a new one takes its place. Raises
        `BoxUnavailable`; `WipeUnproven` when the start failed and what it left cannot be proven gone.
        """
        waited = self._spare
        try:
            return self._entered(assignment.procedure, on_death)
        except BoxUnavailable:
            if waited is None:
                raise
            return self._entered(assignment.procedure, on_death)

    def _entered(self, procedure: Procedure, on_death: Callable[[str], None]) -> "BwrapBox":
        self.prepare(procedure)
        box, self._spare = self._spare, None
        if box is None:
            raise RuntimeError("a box has been prepared")
        self._last = box
        with self._or_gone(box):
            box.look_over()
            box.enter()
            # Not before: the end of one that is replaced is not the visit's.
            box.death.listen(on_death)
            if box.death.told:
                raise BoxUnavailable("the box ended while it was opened")
        return box

    def sweep(self) -> WipeProof:
        """Destroy what an earlier agent left, and what this one still has (port `Boxes.sweep`)."""
        spare, self._spare = self._spare, None
        with suppress(WipeUnproven):
            if spare is not None:
                spare.destroy()
        proof = self._ground.sweep()
        for box in (self._last, spare):
            if box is not None:
                box.destroy()
        return proof

    @contextmanager
    def _or_gone(self, box: "BwrapBox") -> Iterator[None]:
        """A box that does not do what it has to is destroyed. Raises `BoxUnavailable`, `WipeUnproven`."""
        try:
            yield
        except (CdpError, CurtainFailed, BoxUnavailable) as error:
            box.destroy()
            self._spare = None
            raise BoxUnavailable(f"ブラウザが動き出しません: {error.code} (the browser does not start)。") from error

    def _make(self, procedure: Procedure) -> "BwrapBox":
        if missing := self.missing():
            raise BoxUnavailable(*missing)
        try:
            return BwrapBox(self._config, self._ground, procedure, self._hooks)
        except CurtainFailed as error:
            raise BoxUnavailable(f"画面に帯を出せません: {error} (no bar on the display)。") from error


class BwrapBox(Shown):
    """One box (port `Box`), for one visit of one procedure; made by `BwrapBoxes`. It waits, unseen, until `enter`."""

    def __init__(self, config: BoxConfig, ground: Ground, procedure: Procedure, hooks: Hooks) -> None:
        self.procedure = procedure
        self.death = death = Death()
        self._looked_over = False
        self._destroying = threading.Lock()
        self._proof: WipeProof | None = None
        with bar(config, death, hooks) as frame:
            size = config.size if frame is None else frame.size()
            pipes = Pipes()
            self.hold = _started(ground, Order(procedure, size, pipes.inner), pipes)
            places = reachable(procedure, card_client=config.card_client)
            self._live = Live(config, pipes, death, frame=frame, hooks=hooks, places=places)

    @property
    def waits(self) -> bool:
        """Whether its browser waits for the visit: looking it over takes no time then."""
        return self._live.waits

    def look_over(self) -> None:
        """Wait until the browser is ready, see that its policies hold; once. Raises `CdpError`, `BoxUnavailable`."""
        if not self._looked_over:
            self._live.wait_ready()
            self._live.check_closed()
            self.hold.settle()
            self._looked_over = True

    def enter(self) -> None:
        """Go to the start address. Raises `CdpError`, `CurtainFailed`."""
        self._live.enter(self.procedure.start_url)

    def destroy(self) -> WipeProof:
        """Kill the space and prove it. Once proven, the same proof again: the kernel reuses the numbers looked for."""
        self.death.expected()
        with self._destroying:
            if self._proof is not None:
                return self._proof
            self.hold.kill()
            self._live.let_go()
            self._proof = self.hold.prove(logout=self._live.last_logout)
            self._live.close()
            return self._proof


def _started(ground: Ground, order: Order, pipes: Pipes) -> Hold:
    try:
        return ground.start(order)
    except BaseException:
        pipes.close_outer()
        raise
