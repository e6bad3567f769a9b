"""The training city (架空): three sites, their terminals, the procedures with bring lists, help lines, logins."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction

from madoguchi.protocol import Role
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import BringItem, HelpLine, ProcedureKind, Site, Terminal

SITES = (("A", "honcho", "本庁舎", 3), ("B", "tonan", "都南総合支所", 2), ("C", "tamayama", "玉山総合事務所", 2))

PAYMENT, ACCOUNT, INSURANCE, RENEWAL = (
    "payment_service",
    "public_money_account",
    "insurance_card",
    "certificate_renewal",
)

_CARD = ("マイナンバーカード", "", True)
_PIN = ("利用者証明用の暗証番号(数字4けた)", "3回まちがえるとロックされます。", True)

PROCEDURES: tuple[dict[str, Any], ...] = (
    {
        "code": PAYMENT,
        "label": "マイナポイントの申込(キャッシュレス決済サービス)",
        "label_en": "Cashless payment service",
        "needs_own_name": True,
        "guardian_possible": True,
        "wait_after_renewal": "約24時間",
        "bring": (
            _CARD,
            _PIN,
            ("決済サービスIDとセキュリティコード", "決済サービスの画面や会員ページに書いてあります。", True),
        ),
    },
    {
        "code": ACCOUNT,
        "label": "公金受取口座の登録",
        "label_en": "Public-money account",
        "needs_own_name": True,
        "bring": (
            _CARD,
            _PIN,
            ("券面事項入力補助用の暗証番号(数字4けた)", "カードの読み取りが2回あります。", True),
            ("口座の情報", "本人名義の口座に限ります。通帳やキャッシュカードは預かりません。", True),
        ),
    },
    {
        "code": INSURANCE,
        "label": "マイナ保険証の利用登録",
        "label_en": "Card as health insurance card",
        "guardian_possible": True,
        "bring": (_CARD, _PIN),
    },
    {
        "code": RENEWAL,
        "label": "電子証明書の有効期限の確認",
        "label_en": "Check the certificate's expiry",
        "bring": (_CARD, _PIN, ("有効期限のお知らせ", "届いている方はお持ちください。", False)),
    },
)

HELP_LINES = (
    ("マイナンバー総合フリーダイヤル", "0120-95-0178", "5", "マイナポイント"),
    ("マイナンバー総合フリーダイヤル", "0120-95-0178", "6", "公金受取口座"),
    ("マイナンバー総合フリーダイヤル", "0120-95-0178", "4 → 2", "マイナ保険証"),
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a procedure happens: the prepared shortcut, the site's own log-out, the origins the box may reach."""

    start_url: str
    logout_url: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Login:
    """A training login, to be printed."""

    username: str
    password: str
    role: str
    site: str


@dataclass(slots=True)
class City:
    """What was planted. `logins` are all training logins with their passwords."""

    sites: list[Site] = field(default_factory=list)
    terminals: list[Terminal] = field(default_factory=list)
    procedures: list[ProcedureKind] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)


PLACEHOLDER = Addresses("https://site.example/", "https://site.example/logout", ("https://site.example",))


@transaction.atomic
def seed_training_city(
    *,
    addresses: Mapping[str, Addresses] | None = None,
    password: str | None = None,
    payment_until: date | None = date(2023, 9, 30),
) -> City:
    """Plant the training city, or bring it up to date: addresses are set anew, people's changes stay.

    `addresses`: by procedure code. `password`: of every training login (made up when `None`, only for logins that do
    not exist yet). `payment_until`: the last day of the payment-service programme; `None`: open for training.
    """
    city = City()
    city.sites = [_site(letter, slug, name) for letter, slug, name, _ in SITES]
    for site, (_, _, _, count) in zip(city.sites, SITES, strict=True):
        names = [f"端末{number}" for number in range(1, count + 1)]
        city.terminals += [Terminal.objects.get_or_create(site=site, name=name)[0] for name in names]
    until = {PAYMENT: payment_until}
    given = addresses or {}
    for place, data in enumerate(PROCEDURES):
        code = data["code"]
        city.procedures.append(_procedure(data, place, given.get(code), until.get(code)))
    _help_lines()
    city.logins = _logins(city.sites, password)
    return city


def _site(letter: str, slug: str, name: str) -> Site:
    return Site.objects.get_or_create(slug=slug, defaults={"name": name, "ticket_letter": letter, "training": True})[0]


def _procedure(data: dict[str, Any], place: int, addresses: Addresses | None, until: date | None) -> ProcedureKind:
    fields = {key: value for key, value in data.items() if key not in ("code", "bring")}
    where = addresses or PLACEHOLDER
    found, made = ProcedureKind.objects.get_or_create(
        code=data["code"],
        defaults=fields | {"position": place, "active_until": until, "start_url": where.start_url},
    )
    if made:
        for number, (label, note, required) in enumerate(data["bring"]):
            BringItem.objects.create(procedure=found, label=label, note=note, required=required, position=number)
    if made or addresses is not None:
        found.start_url, found.logout_url = where.start_url, where.logout_url
        found.allowed = "\n".join(where.allowed)
        found.save()
    return found


def _help_lines() -> None:
    if not HelpLine.objects.exists():
        for place, (name, number, keys, subject) in enumerate(HELP_LINES):
            HelpLine.objects.create(name=name, number=number, keys=keys, subject=subject, position=place)


def _logins(sites: list[Site], password: str | None) -> list[Login]:
    """Two supporters per site (a spoken confirmation needs two), one of everything else."""
    people: list[tuple[str, str, Role, Site | None]] = [
        (f"{site.slug}-{number}", f"{site.name} 支援員{number}(架空)", Role.SUPPORTER, site)
        for site in sites
        for number in (1, 2)
    ]
    people += [
        ("manager", "業務責任者(架空)", Role.CONTRACTOR_MANAGER, None),
        ("officer", "市職員(架空)", Role.CITY_OFFICER, None),
        ("callcentre", "コールセンター(架空)", Role.CALL_CENTRE, None),
        ("auditor", "監査担当(架空)", Role.AUDITOR, None),
    ]
    return [_login(*person, password) for person in people]


def _login(username: str, display: str, role: Role, site: Site | None, password: str | None) -> Login:
    """The password of an existing login is not known any more; it is set only when one is given."""
    where = site.name if site else "すべての拠点"
    chosen = password or secrets.token_urlsafe(12)
    staff = Staff.objects.filter(username=username).first()
    if staff is None:
        Staff.objects.create_user(username, chosen, display_name=display, role=role.value, site=site, training=True)
    elif password is not None and staff.training:
        staff.set_password(password)
        staff.save(update_fields=["password"])
    else:
        chosen = ""
    return Login(username, chosen, role.label, where)
