"""Pages of the two desks, for whoever plays them in training, and for the counter that asks them.

`page-desks` (links `soumu`, `digital`).
`page-soumu`: field `asked_person` and button `inquire-person`; fields `service`, `payment_id` and button
`inquire-means`; field `delete_person` and button `ask-delete-service`; fields `correct_person`, `kana`, `bank`,
`branch`, `kind`, `number` and button `ask-correct-account`.
`page-digital`: fields `history_person`, `entry` and button `ask-delete-history`.
Both list requests (`#request-ID`, `#state-ID`, buttons `begin-ID`, `finish-ID`, `refuse-ID`, field `reason`) and have
the button `work`: do what is due by the clock. `page-answer`: `#answer`.
"""

from collections.abc import Callable

from flask import Flask, redirect, render_template
from flask.typing import ResponseReturnValue

from madoguchi.nation.accounts import normal_kana, normal_number
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.desks import Desk
from madoguchi.nation.errors import InputMalformed
from madoguchi.nation.web.shell import Shell, make_app, typed
from madoguchi.nation.world import Nation


def create_desks_app(nation: Nation, *, host: str = "127.0.0.1") -> Flask:
    """Both desks on one port. `host`: the only Host name answered."""
    return _DeskPages(nation, host).app


class _DeskPages:
    def __init__(self, nation: Nation, host: str) -> None:
        self.nation = nation
        self.desks: dict[str, Desk] = {desk.name: desk for desk in (nation.soumu, nation.digital)}
        shell = Shell(name="desks", title="国の窓口(架空)", cookie="madoguchi_desks", host=host, own_cookie=True)
        self.app = make_app(shell)
        for path, view, methods in (
            ("/", self.start, ["GET"]),
            ("/<any(soumu, digital):desk>", self.desk, ["GET"]),
            ("/soumu/person", self.person, ["POST"]),
            ("/soumu/means", self.means, ["POST"]),
            ("/soumu/delete-service", self.delete_service, ["POST"]),
            ("/soumu/correct-account", self.correct_account, ["POST"]),
            ("/digital/delete-history", self.delete_history, ["POST"]),
            ("/<any(soumu, digital):desk>/work", self.work, ["POST"]),
            ("/<any(soumu, digital):desk>/<identity>/<any(begin, finish, refuse):act>", self.act, ["POST"]),
        ):
            self.app.add_url_rule(path, view_func=view, methods=methods)

    def start(self) -> ResponseReturnValue:
        return render_template("desks/start.html", desks=self.desks.values())

    def desk(self, desk: str) -> ResponseReturnValue:
        return render_template(
            f"desks/{desk}.html",
            desk=self.desks[desk],
            requests=self.desks[desk].requests(),
            people=self.nation.people,
            services=self.nation.payments.services,
            banks=self.nation.bank.banks,
            kinds=AccountKind,
        )

    def person(self) -> ResponseReturnValue:
        """What stands on a person's record."""
        person, soumu = typed("asked_person"), self.nation.soumu
        service, account = soumu.which_service(person), soumu.which_account(person)
        name, label = self.nation.people[person].name, self.nation.bank.label
        return render_template("desks/person.html", person=name, service=service, account=account, label=label)

    def means(self) -> ResponseReturnValue:
        """Whether a means stands anywhere."""
        service = typed("service")
        stands = self.nation.soumu.service_stands(service, typed("payment_id"))
        return render_template("desks/means.html", service=service, stands=stands)

    def delete_service(self) -> ResponseReturnValue:
        self.nation.soumu.ask_delete_service(typed("delete_person"))
        return _back_to(self.nation.soumu)

    def correct_account(self) -> ResponseReturnValue:
        if typed("kind") not in list(AccountKind):
            raise InputMalformed("kind", "口座の種類を選んでください。")
        number = normal_number(typed("number"))
        account = Account(typed("bank"), typed("branch"), AccountKind(typed("kind")), number)
        self.nation.soumu.ask_correct_account(typed("correct_person"), account, normal_kana(typed("kana")))
        return _back_to(self.nation.soumu)

    def delete_history(self) -> ResponseReturnValue:
        number = normal_number(typed("entry"))
        if not number.isdecimal():
            raise InputMalformed("entry", "履歴の番号を、数字で入力してください。")
        self.nation.digital.ask_delete_history(typed("history_person"), int(number))
        return _back_to(self.nation.digital)

    def work(self, desk: str) -> ResponseReturnValue:
        """Let the desk do what is due by the clock."""
        self.desks[desk].work()
        return _back_to(self.desks[desk])

    def act(self, desk: str, identity: str, act: str) -> ResponseReturnValue:
        """Somebody at the desk takes a request up, finishes it, or refuses it."""
        place = self.desks[desk]
        acts: dict[str, Callable[[], object]] = {
            "begin": lambda: place.begin(identity),
            "finish": lambda: place.finish(identity),
            "refuse": lambda: place.refuse(identity, typed("reason") or "理由の記載なし"),
        }
        acts[act]()
        return _back_to(place)


def _back_to(desk: Desk) -> ResponseReturnValue:
    return redirect(f"/{desk.name}", 303)
