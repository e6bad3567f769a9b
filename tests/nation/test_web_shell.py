"""What every page owes: cookies, tokens, headers, refusals, nothing personal in addresses."""

import re
from collections.abc import Iterator

import httpx
import pytest

from madoguchi.nation.world import Behaviour
from nation.street import ACCOUNTS, CARD, DESKS, POINTS, Street
from nation.town import KANA, NAMES, Town

ALL = (POINTS, ACCOUNTS, DESKS, CARD)


@pytest.fixture
def place() -> Street:
    return Street(Town(Behaviour.PROOF))


def everything(place: Street) -> Iterator[httpx.Response]:
    """Every page of a full tour, refusals and back channel included."""
    page = place.window()
    answers: list[httpx.Response] = []
    page.client.event_hooks = {"response": [answers.append]}
    for letter, origin in (("A", POINTS), ("C", ACCOUNTS)):
        place.log_in(page, origin, letter)
        place.apply(page, letter) if origin == POINTS else place.register(page, letter)
        page.press("me").press("apply" if origin == POINTS else "register")
        assert page.name == "refused"
        page.press("logout").go(origin + "/me")
    for path in ("/", "/soumu", "/digital"):
        page.go(DESKS + path)
    for origin in ALL:
        page.go(origin + "/nowhere")
    page.go(CARD + "/use?site=points&challenge=guessed").go(CARD + "/")
    yield from answers


def test_every_answer_carries_the_security_headers(place: Street) -> None:
    answers = list(everything(place))
    assert len(answers) > 40
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_every_page_says_that_it_is_for_training_and_loads_nothing_from_outside(place: Street) -> None:
    pages = [answer for answer in everything(place) if not answer.is_redirect]
    assert len(pages) > 20
    for page in pages:
        page.read()
        assert "訓練用・架空のサイト" in page.text
        assert "Training site" in page.text
        assert '<html lang="ja">' in page.text
        assert "<script" not in page.text
        assert " style=" not in page.text
        assert all(found.startswith("/") for found in re.findall(r'(?:src|href|action)="([^"]*)"', page.text))


def test_nothing_personal_stands_in_an_address(place: Street) -> None:
    secrets = [*NAMES.values(), *KANA.values()]
    for letter in "AC":
        means = place.town.means(letter)
        secrets += [place.town.pin(letter), place.town.face_pin(letter), means.payment_id, means.security_code]
        secrets.append(place.town.account(letter).number)
    answers = list(everything(place))
    addresses = [answer.url for answer in answers]
    addresses += [httpx.URL(answer.headers["Location"]) for answer in answers if answer.is_redirect]
    for address in addresses:
        text = address.path + str(address.params)
        parts = re.split(r"[/?=&]", text)
        assert not set(secrets) & set(parts), address


def test_the_four_apps_never_share_a_cookie_name(place: Street) -> None:
    page = place.window()
    names = set()
    for origin in ALL:
        page.go(origin + "/")
        names |= {cookie.name for cookie in page.client.cookies.jar}
    assert names == {"madoguchi_points", "madoguchi_accounts", "madoguchi_desks", "madoguchi_card"}


@pytest.mark.parametrize("origin", ALL)
def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(place: Street, origin: str) -> None:
    header = place.client().get(origin + "/").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header


def posts(place: Street) -> Iterator[tuple[str, str]]:
    for origin, app in place.apps.items():
        for rule in app.url_map.iter_rules():
            if "POST" in (rule.methods or set()) and not rule.rule.startswith("/card/answer"):
                path = rule.rule.replace("<any(soumu, digital):desk>", "soumu")
                path = path.replace("<any(begin, finish, refuse):act>", "finish").replace("<identity>", "soumu-0001")
                yield origin, path


def test_no_form_is_taken_without_the_token_of_its_own_session(place: Street) -> None:
    other = place.window()
    seen = list(posts(place))
    assert len(seen) >= 14
    for origin, path in seen:
        page = place.window()
        (place.log_in(page, origin, "A") if origin in (POINTS, ACCOUNTS) else page.go(origin + "/"))
        foreign = other.go(origin + "/").document.xpath("string(//input[@name='csrf']/@value)")
        for data in ({}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": str(foreign)}):
            answer = page.client.post(origin + path, data=data)
            assert answer.status_code == 403, (origin, path, data)
            assert "form_expired" in answer.text


@pytest.mark.parametrize("origin", ALL)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost"])
def test_only_the_own_host_name_is_answered(place: Street, origin: str, host: str) -> None:
    answer = place.client().get(origin + "/", headers={"Host": host})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_the_pages_of_a_person_are_closed_to_strangers(place: Street) -> None:
    for origin in (POINTS, ACCOUNTS):
        rules = [rule for rule in place.apps[origin].url_map.iter_rules() if "GET" in (rule.methods or set())]
        paths = [rule.rule for rule in rules if "<" not in rule.rule and rule.rule not in ("/", "/logout")]
        assert len(paths) >= 5
        for path in paths:
            stranger = place.window().go(origin + path)
            assert (stranger.name, stranger.text("reason")) == ("refused", "session_expired"), path
            opened = place.window().go(origin + "/").go(origin + path)
            assert (opened.name, opened.text("reason")) == ("refused", "not_logged_in"), path


def test_logging_out_by_address_alone_really_ends_the_session(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A")
    kept = page.client.cookies["madoguchi_points"]
    assert page.go(POINTS + "/logout").name == "logged-out"
    assert "madoguchi_points" not in page.client.cookies
    thief = place.window()
    thief.client.cookies.set("madoguchi_points", kept, domain="127.0.0.1")
    assert thief.go(POINTS + "/me").text("reason") == "session_expired"
    assert page.go(POINTS + "/logout").name == "logged-out"


def test_a_failing_log_out_is_told(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A")
    place.town.nation.points.fault_logout_fails()
    assert page.go(POINTS + "/logout").text("reason") == "logout_failed"
    assert page.response.status_code == 503
    place.town.nation.clear_faults()
    assert page.go(POINTS + "/").text("who") == NAMES["A"]


def test_a_site_that_is_down_says_so(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A")
    place.town.nation.points.fault_down()
    for path in ("/", "/me", "/logout"):
        assert page.go(POINTS + path).text("reason") == "site_down"
        assert page.response.status_code == 503


def test_idle_for_an_hour_ends_in_a_page_that_leads_to_the_start(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A").press("apply")
    place.town.clock.forward(hours=1)
    page.fill(service="架空ペイ").press("next")
    assert (page.text("reason"), page.response.status_code) == ("session_expired", 403)
    assert page.press("back").name == "start"
    assert not page.has("who")


def test_wrong_input_leads_back_to_the_form_with_what_was_typed_but_the_code(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "B").press("apply").fill(service="架空カード").press("next")
    page.fill(payment_id=place.town.means("B").payment_id, security_code="000").press("next").press("submit")
    assert page.text("reason") == "wrong_security_code"
    page.press("back")
    assert page.name == "means"
    assert page.document.xpath("string(//input[@name='payment_id']/@value)") == place.town.means("B").payment_id
    assert page.document.xpath("string(//input[@name='security_code']/@value)") == ""


def test_wrong_account_data_lead_back_to_the_form(place: Street) -> None:
    page = place.window()
    place.log_in(page, ACCOUNTS, "C").press("register").fill(consent="yes").press("next")
    place.use_card(page, "C")
    page.fill(kana="架空", bank="9901", branch="101", kind="普通", number="12").press("next")
    assert (page.text("reason"), page.response.status_code) == ("input_malformed", 422)
    page.press("back").fill(kana="かくう みえ", number="9999999").press("next").press("submit")
    assert page.text("reason") == "account_not_found"
    assert page.press("back").document.xpath("string(//input[@name='kana']/@value)") == "カクウ ミエ"


def test_no_consent_no_second_read(place: Street) -> None:
    page = place.window()
    place.log_in(page, ACCOUNTS, "C").press("register").press("next")
    assert page.text("reason") == "consent_missing"


def test_steps_cannot_be_skipped(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A")
    assert page.go(POINTS + "/apply/confirm").name == "service"
    assert page.go(POINTS + "/apply/means").name == "service"
    place.log_in(page, ACCOUNTS, "C")
    for path in ("/account", "/confirm"):
        assert page.go(ACCOUNTS + path).text("reason") == "second_read_missing"
    assert page.go(ACCOUNTS + "/delete").text("reason") == "nothing_registered"


def test_deleting_needs_the_card_in_proof(place: Street) -> None:
    page = place.window()
    place.log_in(page, ACCOUNTS, "C")
    place.register(page, "C")
    page.press("me").press("delete").press("submit")
    assert page.name == "card"
    assert "削除" in page.text("summary")
    assert place.use_card(page, "C").text("result") == "登録を削除しました。"
    assert page.press("me").has("history-1")


def test_names_with_markup_are_shown_as_text(place: Street) -> None:
    page = place.window()
    place.log_in(page, POINTS, "A").press("apply").fill(service="架空ペイ").press("next")
    page.fill(payment_id="<b>x</b>", security_code="1").press("next")
    assert "<b>x</b>" not in page.response.text
    assert "&lt;b&gt;x&lt;/b&gt;" in page.response.text


def test_a_body_that_is_too_large_is_refused(place: Street) -> None:
    page = place.window().go(POINTS + "/")
    answer = page.client.post(POINTS + "/login", data={"csrf": "x" * 100_000})
    assert answer.status_code == 413
