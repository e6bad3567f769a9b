"""Plays the steps of a scenario at a counter and writes down what happens."""

from collections.abc import Callable
from datetime import datetime

from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.desks import Desk, Request
from madoguchi.replay.counter import Addresses, Counter
from madoguchi.replay.errors import NothingOnScreen
from madoguchi.replay.hands import Hands, Outcome
from madoguchi.replay.report import Refused, Registered, Result
from madoguchi.replay.scenario import Act, Condition, Scenario, Step
from madoguchi.replay.world import World

_SITE_CHECKS = {
    "applicant_mismatch": "applicant_check",
    "applicant_unread": "applicant_check",
    "second_read_mismatch": "second_read_check",
    "proof_missing": "proof",
    "proof_invalid": "proof",
}
_SEEN = {"nothing": "自分の登録は見えない", "own": "自分の登録が見える", "foreign": "別の人の登録が見える"}


class Player:
    """Plays one scenario."""

    def __init__(
        self,
        *,
        scenario: Scenario,
        world: World,
        counter: Counter,
        addresses: Addresses,
        result: Result,
    ) -> None:
        self._scenario = scenario
        self._world = world
        self._counter = counter
        self._result = result
        self._hands = {letter: Hands(person, addresses) for letter, person in scenario.people.items()}
        self._procedures: dict[str, str] = {}
        self._seats: dict[str, str] = {}
        self._requests: list[tuple[str, Request]] = []

    def play(self) -> None:
        """Every step whose condition holds, in order; then what the sites have written."""
        for step in self._scenario.steps:
            self._counter.pass_time((step.at - self._world.clock.now()).total_seconds())
            if step.only_if is None or self._holds(step.only_if):
                self._do(step)
        self._result.registrations = [
            Registered(r.kind.value, r.of, r.landed_on, r.at) for r in self._world.nation.registrations
        ]

    def _holds(self, condition: Condition) -> bool:
        hands = self._hands[condition.who]
        if condition.fact == "sees":
            return hands.sees == condition.value
        return condition.value in hands.refused

    def _do(self, step: Step) -> None:
        if step.procedure:
            self._procedures[step.who] = step.procedure
            self._seats[step.who] = step.terminal
        outcome = _PLAYS[step.do](self, step)
        self._result.tell(step.at, step.who, step.note or step.do.label, outcome)

    # --- at the counter ------------------------------------------------------------------------------------------

    def _arrive(self, step: Step) -> str:
        return self._counter.arrive(step.who, step.terminal, step.procedure)

    def _sit_down(self, step: Step) -> str:
        return self._counter.sit_down(step.who, step.terminal, step.procedure)

    def _put_card(self, step: Step) -> str:
        return self._counter.put_card(step.who)

    def _take_card(self, step: Step) -> str:
        return self._counter.take_card(step.who)

    def _leave(self, step: Step) -> str:
        return self._counter.leave(step.who, card_behind=step.do is Act.LEAVE_CARD_BEHIND)

    def _finish(self, step: Step) -> str:
        return self._counter.finish(step.who)

    def _minimise(self, _step: Step) -> str:
        return "画面は見えないだけで、残っている"

    # --- on the pages ----------------------------------------------------------------------------------------------

    def _open_portal(self, step: Step) -> str:
        try:
            pages = self._counter.open_portal(step.who)
        except NothingOnScreen as nothing:
            return self._through_reception(step, nothing)
        who = pages.text("who")
        return f"画面には{who}がログイン中" if who else "ログインのページ"

    def _log_in(self, step: Step) -> str:
        try:
            pages = self._counter.pages(step.who)
        except NothingOnScreen as nothing:
            return self._through_reception(step, nothing)
        outcome = self._hands[step.who].log_in(pages)
        return self._judge(step, outcome) or f"ログイン中: {pages.text('who')}"

    def _log_out(self, step: Step) -> str:
        self._hands[step.who].log_out(self._counter.pages(step.who), self._procedures[step.who])
        return "ログアウトした"

    def _write(self, step: Step) -> str:
        try:
            pages = self._counter.pages(step.who)
        except NothingOnScreen as nothing:
            story = self._through_reception(step, nothing)
            pages = self._counter.pages(step.who)
            return f"{story}; {self._write_on(step, pages)}"
        return self._write_on(step, pages)

    def _write_on(self, step: Step, pages: object) -> str:
        hands = self._hands[step.who]
        whose = hands.whose(pages, self._procedures[step.who])  # type: ignore[arg-type]  # Pages, see _write
        act = hands.apply_service if step.do is Act.APPLY_SERVICE else hands.register_account
        outcome = act(pages)  # type: ignore[arg-type]  # see above
        if not outcome.done and whose != hands.person.name:
            self._prevented_by_site(outcome)
        return self._judge(step, outcome) or f"登録された(ログイン中: {whose})"

    def _look(self, step: Step) -> str:
        sees = self._hands[step.who].look(self._counter.pages(step.who), self._procedures[step.who])
        return _SEEN[sees]

    def _look_afresh(self, step: Step) -> str:
        hands, procedure = self._hands[step.who], self._procedures[step.who]
        pages = self._counter.pages(step.who)
        hands.log_out(pages, procedure)
        self._judge(step, hands.log_in(self._counter.open_portal(step.who)))
        return _SEEN[hands.look(pages, procedure)]

    def _through_reception(self, step: Step, nothing: NothingOnScreen) -> str:
        """There is nothing to use: the person goes back, is called, and starts as one should."""
        self._refuse(step.who, "not_called", step.at, nothing.sentence)
        self._result.prevented("gate")
        self._counter.arrive(step.who, self._seats[step.who], self._procedures[step.who])
        self._counter.put_card(step.who)
        pages = self._counter.open_portal(step.who)
        self._hands[step.who].log_in(pages)
        return f"使える画面がない。受付で呼ばれてから始めた(ログイン中: {pages.text('who')})"

    # --- refusals ----------------------------------------------------------------------------------------------------

    def _judge(self, step: Step, outcome: Outcome) -> str:
        if outcome.done:
            return ""
        self._refuse(step.who, outcome.reason, step.at, outcome.sentence)
        return f"断られた: {outcome.reason}"

    def _refuse(self, who: str, reason: str, at: datetime, sentence: str) -> None:
        self._result.refusals.append(Refused(who, reason, at, sentence))

    def _prevented_by_site(self, outcome: Outcome) -> None:
        if outcome.reason in _SITE_CHECKS:
            self._result.prevented(_SITE_CHECKS[outcome.reason])
        elif outcome.at_card or outcome.reason == "other_card":
            self._result.prevented("proof" if self._result.sites == "proof" else "second_read_check")

    # --- the desks ---------------------------------------------------------------------------------------------------

    def _inquire(self, step: Step) -> str:
        means = self._scenario.people[step.who].payment
        if means is None:
            return "照会するものがない"
        stands = self._world.nation.soumu.service_stands(means.service, means.id)
        return "回答: その決済サービスは登録されている" if stands else "回答: その決済サービスは登録されていない"

    def _request(self, step: Step) -> str:
        request = _ASKS[step.ask](self, step.who)
        self._requests.append((step.desk, request))
        return f"依頼 {request.id}: {request.what}"

    def _desk_acts(self, step: Step) -> str:
        desk = self._desk(step.desk)
        closed = desk.work()
        return "; ".join(f"報告 {request.id}: {request.state.label}" for request in closed) or "まだ報告はない"

    def _desk(self, name: str) -> Desk:
        return self._world.nation.soumu if name == "soumu" else self._world.nation.digital

    def _ask_delete_service(self, who: str) -> Request:
        return self._world.nation.soumu.ask_delete_service(who)

    def _ask_correct_account(self, who: str) -> Request:
        person = self._scenario.people[who]
        given = person.account
        if given is None:
            raise LookupError(f"市民{who} has no account")
        account = Account(given.bank, given.branch, AccountKind(given.kind), given.number)
        return self._world.nation.soumu.ask_correct_account(who, account, person.kana)

    def _ask_delete_history(self, who: str) -> Request:
        """The entry of the past that is not the person's own account."""
        nation = self._world.nation
        page = nation.accounts.standing(who)
        foreign = next(entry for entry in page.history if nation.bank.owner(entry.account) != who)
        return nation.digital.ask_delete_history(who, foreign.number)


_PLAYS: dict[Act, Callable[[Player, Step], str]] = {
    Act.ARRIVE: Player._arrive,
    Act.SIT_DOWN: Player._sit_down,
    Act.PUT_CARD: Player._put_card,
    Act.TAKE_CARD: Player._take_card,
    Act.OPEN_PORTAL: Player._open_portal,
    Act.MINIMISE: Player._minimise,
    Act.LOG_IN: Player._log_in,
    Act.LOG_OUT: Player._log_out,
    Act.APPLY_SERVICE: Player._write,
    Act.REGISTER_ACCOUNT: Player._write,
    Act.LOOK: Player._look,
    Act.LOOK_AFRESH: Player._look_afresh,
    Act.LEAVE: Player._leave,
    Act.LEAVE_CARD_BEHIND: Player._leave,
    Act.FINISH: Player._finish,
    Act.INQUIRE: Player._inquire,
    Act.REQUEST: Player._request,
    Act.DESK_ACTS: Player._desk_acts,
}
_ASKS: dict[str, Callable[[Player, str], Request]] = {
    "delete_service": Player._ask_delete_service,
    "correct_account": Player._ask_correct_account,
    "delete_history": Player._ask_delete_history,
}
