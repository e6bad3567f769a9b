"""The card client: what it shows is what is signed, PINs stay here, every trouble of reader and card has its page."""

import io
import json
from collections.abc import Callable

import httpx
import pytest

from madoguchi.card import CardRemoved, Pins, VirtualCard
from madoguchi.nation.challenges import CardUse
from madoguchi.nation.web.card_client import create_card_client_app
from madoguchi.nation.world import Behaviour
from nation.street import ACCOUNTS, CARD, POINTS, Page, Street
from nation.town import NAMES, Town


@pytest.fixture
def place() -> Street:
    return Street(Town(Behaviour.PROOF))


def at_card(place: Street) -> Page:
    page = place.window().go(POINTS + "/").press("login")
    assert page.name == "card"
    return page


def challenge_id(page: Page) -> str:
    return str(page.url.params["challenge"])


def test_a_wrong_pin_is_told_with_the_tries_left_and_reloading_costs_none(place: Street) -> None:
    page = at_card(place)
    place.town.put("A")
    page.fill(pin="9999").press("use")
    assert page.text("note-code") == "PinWrong"
    assert "あと2回" in page.text("note")
    page.go(str(page.url)).go(str(page.url))
    assert not page.has("note")
    assert "あと2回" in page.text("tries")
    assert place.use_card(page, "A").text("who") == NAMES["A"]


def test_a_locked_pin_says_where_to_go_and_only_leads_back(place: Street) -> None:
    page = at_card(place)
    place.town.put("A")
    for _ in range(3):
        page.fill(pin="9999").press("use")
    assert page.has("locked")
    assert "窓口" in page.text("locked")
    assert not page.has("pin")
    assert not page.has("use")
    assert page.press("cancel").text("reason") == "challenge_cancelled"


def test_a_pin_of_the_wrong_form_costs_no_try(place: Street) -> None:
    page = at_card(place)
    place.town.put("A")
    for typed in ("", "12", "abcd"):
        page.fill(pin=typed).press("use")
        assert page.text("note-code") == "PinMalformed"
    assert "あと3回" in page.text("tries")


def empty(town: Town) -> None:
    town.put(None)


def lost(town: Town) -> None:
    town.reader.lose()


def foreign(town: Town) -> None:
    town.put(None)
    town.reader.insert(VirtualCard.foreign())


def without_certificates(town: Town) -> None:
    town.put(None)
    pins = Pins("1001", "1111", "0000", "KAKU1234")
    town.reader.insert(VirtualCard.without_certificates(town.nation.people["A"], pins))


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(empty, "NoCard"), (lost, "ReaderLost"), (foreign, "AppletMissing"), (without_certificates, "CertificateMissing")],
)
def test_every_trouble_has_its_sentence_and_can_be_got_over(
    place: Street, trouble: Callable[[Town], None], code: str
) -> None:
    page = at_card(place)
    trouble(place.town)
    page.fill(pin="1001").press("use")
    assert page.name == "card"
    assert page.text("note-code") == code
    assert page.text("note").endswith("。")
    place.town.reader.recover()
    assert place.use_card(page, "A").text("who") == NAMES["A"]


def test_a_card_taken_away_while_it_signs_answers_nothing(place: Street) -> None:
    page = at_card(place)
    place.town.put("A")
    page.fill(pin=place.town.pin("A"))
    place.town.reader.pull_at(5)
    page.press("use")
    assert page.text("note-code") == CardRemoved.__name__
    assert place.town.nation.points.fetch(challenge_id(page)).use is CardUse.PROVE


def test_the_pin_goes_to_the_card_and_to_no_site(place: Street) -> None:
    heard: list[bytes] = []
    for origin in (POINTS, ACCOUNTS):
        inner = place.apps[origin].wsgi_app

        def listen(environ: dict[str, object], start: object, inner: object = inner) -> object:
            body = environ["wsgi.input"].read()  # type: ignore[attr-defined]
            heard.append(str(environ.get("QUERY_STRING", "")).encode() + str(environ["PATH_INFO"]).encode() + body)
            environ["wsgi.input"] = io.BytesIO(body)
            return inner(environ, start)  # type: ignore[operator]

        place.apps[origin].wsgi_app = listen  # type: ignore[method-assign,assignment]
    page = place.window()
    place.log_in(page, ACCOUNTS, "C")
    place.register(page, "C")
    assert page.name == "done"
    assert len(heard) > 15
    for pin in (place.town.pin("C"), place.town.face_pin("C")):
        assert not any(pin.encode() in said for said in heard)


def test_what_is_shown_is_what_the_site_asked_for(place: Street) -> None:
    page = at_card(place)
    assert "ログイン" in page.text("summary")
    assert POINTS in page.text("summary")


Meddle = Callable[[dict[str, object]], object]


def shows_other_lines(data: dict[str, object]) -> object:
    return data | {"summary": [["すること", "なんでもない"]]}


def names_other_site(data: dict[str, object]) -> object:
    return data | {"origin": ACCOUNTS}


def asks_for_other_act(data: dict[str, object]) -> object:
    return data | {"act": "points.register"}


def asks_for_other_use(data: dict[str, object]) -> object:
    return data | {"use": "everything"}


def lacks_digest(data: dict[str, object]) -> object:
    return {name: value for name, value in data.items() if name != "digest"}


@pytest.mark.parametrize(
    "meddle",
    [shows_other_lines, names_other_site, asks_for_other_act, asks_for_other_use, lacks_digest],
)
def test_a_forged_request_is_neither_shown_nor_signed(place: Street, meddle: Meddle) -> None:
    real, forging, signed = place.client(), [False], []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            signed.append(request.content)
        data = real.request(request.method, request.url, content=request.content).json()
        return httpx.Response(200, json=meddle(data) if forging[0] else data)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    place.apps[CARD] = create_card_client_app(place.town.reader, sites={"points": POINTS}, http=http)
    page = at_card(place)
    forging[0] = True
    assert place.use_card(page, "A").text("reason") == "challenge_forged"
    page.go(POINTS + "/").press("login")
    assert (page.name, page.text("reason")) == ("refused", "challenge_forged")
    assert signed == []


def test_a_site_that_is_not_on_the_list_gets_no_card(place: Street) -> None:
    page = place.window()
    for site in ("evil", "", "http://evil.example"):
        page.go(CARD + "/use?" + str(httpx.QueryParams({"site": site, "challenge": "x"})))
        assert page.text("reason") == "site_unknown"


def test_an_unknown_used_or_expired_request_is_refused_in_the_sites_words(place: Street) -> None:
    page = at_card(place)
    address = str(page.url)
    page.go(CARD + "/use?site=points&challenge=guessed")
    assert page.text("reason") == "challenge_unknown"
    place.use_card(page.go(address), "A")
    assert page.go(address).text("reason") == "challenge_unknown"
    page = at_card(place)
    place.town.clock.forward(minutes=5)
    assert place.use_card(page, "A").text("reason") == "challenge_expired"


@pytest.mark.parametrize(
    "failing", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), "<html>", "[]", '"text"']
)
def test_a_site_that_cannot_be_reached(place: Street, failing: Exception | str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(failing, str):
            return httpx.Response(200, text=failing)
        raise failing

    http = httpx.Client(transport=httpx.MockTransport(answer))
    place.apps[CARD] = create_card_client_app(place.town.reader, sites={"points": POINTS}, http=http)
    page = place.window().go(POINTS + "/").press("login")
    assert (page.text("reason"), page.response.status_code) == ("site_unreachable", 502)


def test_the_return_address_alone_is_worth_nothing(place: Street) -> None:
    """Somebody lures the victim to use the card for a login that started in another browser."""
    attacker = at_card(place)
    address, identity = str(attacker.url), challenge_id(attacker)
    victim = place.window().go(address)
    place.use_card(victim, "A")
    assert (victim.name, victim.text("reason")) == ("refused", "session_expired")
    for guess in ("", "?ticket=", "?ticket=guessed"):
        attacker.go(f"{POINTS}/card/return/{identity}{guess}")
        assert attacker.name == "refused"
        assert not attacker.go(POINTS + "/").has("who")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        json.dumps({"certificate": "", "signature": None, "attributes": None}).encode(),
        json.dumps({"certificate": "%%%", "signature": "%%%", "attributes": {}}).encode(),
        json.dumps({"certificate": 5, "signature": 5, "attributes": 5}).encode(),
        b"\xff",
    ],
)
def test_a_malformed_answer_is_refused_and_uses_nothing_up(place: Street, body: bytes) -> None:
    page = at_card(place)
    answer = place.client().post(
        f"{POINTS}/card/answer/{challenge_id(page)}", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["reason"]) == (409, "answer_malformed")
    assert answer.json()["sentence"].endswith("。")
    assert place.use_card(page, "A").text("who") == NAMES["A"]


def test_the_no_pin_read_only_needs_a_press(place: Street) -> None:
    place.town.nation.behaviour = Behaviour.Y2023
    page = place.window()
    place.log_in(page, POINTS, "A")
    means = place.town.means("A")
    page.press("apply").fill(service=means.service).press("next")
    page.fill(payment_id=means.payment_id, security_code=means.security_code).press("next").press("submit")
    assert page.name == "card"
    assert not page.has("pin")
    place.town.put("A")
    assert page.press("use").name == "done"


def test_without_a_site_the_client_has_nothing_to_do(place: Street) -> None:
    assert place.window().go(CARD + "/").name == "card-idle"
