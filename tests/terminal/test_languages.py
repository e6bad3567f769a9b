"""The catalogues: complete, in their own language, with readings; and for one visit only."""

import re
from pathlib import Path
from string import Formatter

import pytest

from madoguchi.protocol import Confirmation, EndCause, InterruptReason, Outcome, OwnName, TerminalState
from madoguchi.terminal import texts
from madoguchi.terminal.errors import AgentBusy, ClosedElsewhere, FormIncomplete, JournalBroken
from madoguchi.terminal.languages import KANJI, LANGUAGES, READING, Catalogue, catalogue
from madoguchi.terminal.manner import Manner
from madoguchi.terminal.ports import (
    LOGOUT_NOT_TRIED,
    LOGOUT_UNREACHABLE,
    LOGOUT_VISITED,
    SPACE_NAMESPACE,
    SPACE_NONE,
    SPACE_UNMOUNTED,
    WipeProof,
)
from madoguchi.terminal.status import View
from terminal.deskclient import HOME, SIGNED, Desk, plain, to_confirming
from terminal.doubles import CARD_B
from terminal.rig import Rig

KEYS = sorted(catalogue("ja"))
LATIN = ("en", "pt", "vi")
HAN, KANA, HANGUL = rf"[{KANJI}]", r"[ぁ-ヿ]", r"[가-힣]"
VIETNAMESE = re.compile(r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
WIDE = re.compile(rf"{HAN}|{KANA}|{HANGUL}")
SOURCES = [*Path(texts.__file__).parent.glob("*.py"), *Path(texts.__file__).parent.glob("templates/**/*.html")]


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    said = catalogue(language)
    assert sorted(said) == KEYS
    assert [key for key in said if not said.plain(key).strip()] == []
    assert {key for key in said if fields(said.marked(key)) != fields(catalogue("ja").marked(key))} == set()


def test_there_is_no_other_language() -> None:
    for name in ("", "fr", "../ja", "JA"):
        with pytest.raises(KeyError):
            catalogue(name)


def foreign(said: Catalogue, key: str) -> bool:
    """Whether a text is not in the letters of its language."""
    text = said.plain(key)
    match said.language:
        case "ja":
            return not re.search(rf"{HAN}|{KANA}", text)
        case "easy":
            return bool(re.search(HAN, text)) or not re.search(KANA, text)
        case "zh":
            return bool(re.search(rf"{KANA}|{HANGUL}", text)) or not re.search(HAN, text)
        case "ko":
            return bool(re.search(rf"{KANA}|{HAN}", text)) or not re.search(HANGUL, text)
        case _:
            return bool(WIDE.search(text)) or not re.search(r"[A-Za-z]", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_another_language(language: str) -> None:
    said = catalogue(language)
    assert [key for key in said if key != "meta.lang" and foreign(said, key)] == []


def test_the_latin_languages_do_not_borrow_from_each_other() -> None:
    for one, other in (("en", "pt"), ("en", "vi"), ("pt", "vi")):
        same = {key for key in KEYS if catalogue(one).plain(key) == catalogue(other).plain(key)}
        assert same == set(), (one, other)
    plain_letters = [key for key in KEYS if not VIETNAMESE.search(catalogue("vi").plain(key)) and key != "meta.lang"]
    assert plain_letters == []


def test_every_kanji_carries_a_reading() -> None:
    said = catalogue("ja")
    bare = {key: found for key in KEYS if (found := re.findall(HAN, READING.sub("", said.marked(key))))}
    assert bare.pop("meta.name") == list("日本語")
    assert bare == {}
    readings = [reading for key in KEYS for _, reading in READING.findall(said.marked(key))]
    assert [reading for reading in readings if not re.fullmatch(r"[ぁ-んー]+", reading)] == []


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "ja"])
def test_only_japanese_has_readings(language: str) -> None:
    assert [key for key in KEYS if set("《》") & set(catalogue(language).marked(key))] == []


def test_the_same_kanji_are_not_read_differently_by_mistake() -> None:
    """What is read in two ways is listed: everything else is a slip of the pen."""
    ways: dict[str, set[str]] = {}
    for key in KEYS:
        for kanji, reading in READING.findall(catalogue("ja").marked(key)):
            ways.setdefault(kanji, set()).add(reading)
    two = {kanji: sorted(readings) for kanji, readings in ways.items() if len(readings) > 1}
    assert two == {"人": ["にん", "ひと"], "消": ["き", "け"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_happen_has_words(language: str) -> None:
    said = set(catalogue(language))
    assert {texts.cause_of(cause) for cause in EndCause} <= said
    assert {texts.heading_of(view) for view in View} <= said
    assert {texts.more_of(view) for view in View} - {""} <= said
    listed = {"outcome": Outcome, "reason": InterruptReason, "kind": Confirmation, "own_name": OwnName}
    for section, kind in listed.items():
        rows = {key for key in said if key.startswith(f"{section}.")}
        assert rows == {f"{section}.{member}" for member in kind}, section
    assert {f"error.{field}" for field in texts.FIELDS} <= said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_an_end_is_a_sentence_of_its_own(language: str) -> None:
    said = [catalogue(language).plain(texts.cause_of(cause)) for cause in EndCause]
    assert len(set(said)) == len(said)
    assert all(len(text) >= 8 and text[-1] in ".。" for text in said)


@pytest.mark.parametrize("logout", [LOGOUT_VISITED, LOGOUT_UNREACHABLE, LOGOUT_NOT_TRIED])
@pytest.mark.parametrize("space", [SPACE_UNMOUNTED, SPACE_NAMESPACE, SPACE_NONE])
@pytest.mark.parametrize("training", [True, False])
def test_every_proof_can_be_told_in_every_language(logout: str, space: str, training: bool) -> None:
    at = "2022-08-17T10:00:00+00:00"
    for language in LANGUAGES:
        proof = WipeProof(training, logout, at, at, at, space)
        lines = texts.proof_lines(texts.Saying(Manner(language=language)), proof)
        assert len(lines) == (4 if training else 3)
        assert not any("{" in line for line in lines)


def test_japanese_labels_are_those_of_the_record() -> None:
    """What the citizen chooses and what the office reads are the same words."""
    said = catalogue("ja")
    for section, kind in {"outcome": Outcome, "reason": InterruptReason, "kind": Confirmation}.items():
        assert [said.plain(f"{section}.{member}") for member in kind] == [member.label for member in kind]  # type: ignore[attr-defined]


def test_no_text_is_kept_that_nobody_shows() -> None:
    code = "\n".join(source.read_text(encoding="utf-8") for source in SOURCES)
    by_name = {"meta", "view", "cause", "outcome", "reason", "kind", "own_name", "absence", "error", "proof", "more"}
    unused = [key for key in KEYS if key.split(".")[0] not in by_name and key not in code]
    assert [
        key for key in unused if not key.startswith("page.size_") and key.removeprefix("form.") not in texts.FIELDS
    ] == []


def test_a_text_escapes_what_is_put_into_it() -> None:
    say = texts.Saying(Manner())
    said = say("proof.processes_gone", at="<b>&10:00</b>")
    assert "&lt;b&gt;&amp;10:00" in said
    assert "<ruby>" in said
    assert "<ruby>" not in texts.Saying(Manner(kana="off"))("proof.processes_gone", at="x")


@pytest.mark.parametrize("error", [FormIncomplete("kind"), AgentBusy("x"), ClosedElsewhere("1"), JournalBroken("x")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_is_said_in_the_chosen_language(language: str, error: FormIncomplete) -> None:
    said = texts.trouble_of(texts.Saying(Manner(language=language)), error)
    assert said
    if language in LATIN:
        assert re.match(r"[A-ZĐ]", said)


# on the page, for one visit


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


def choose(desk: Desk, **manner: str) -> int:
    return desk.post("/manner", manner).status_code


def language_of(page: str) -> str:
    found = re.search(r'<html lang="([^"]+)" data-size="(\w+)" data-contrast="(\w+)"', page)
    assert found
    return " ".join(found.groups())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_can_be_chosen_by_its_own_name(desk: Desk, language: str) -> None:
    desk.rig.office.call()
    desk.rig.poll()
    said = catalogue(language)
    pattern = rf'name="language"\s+value="{language}"\s+aria-pressed="false"\s+lang="{said.lang}"[^>]*>\s+{said.name}'
    assert re.search(pattern, desk.page()) or language == "ja"
    assert choose(desk, language=language) == 303
    page = desk.page()
    assert language_of(page).startswith(said.lang)
    assert re.search(rf"<h1[^>]*>{re.escape(said.plain('view.waiting_card'))}</h1>", page)
    assert re.search(rf'name="language"\s+value="{language}"\s+aria-pressed="true"', page)


def test_the_bar_and_the_idle_warning_speak_it_too(desk: Desk) -> None:
    desk.rig.office.call()
    desk.rig.poll()
    choose(desk, language="pt")
    desk.rig.put()
    [box] = desk.rig.boxes.alive
    assert (box.plates[-1].language, box.plates[-1].ticket) == ("pt", "A-001")
    assert box.plates[-1].grace == desk.rig.config.grace_seconds
    choose(desk, language="vi")
    assert box.plates[-1].language == "vi"
    desk.rig.agent.settle()
    desk.rig.wait(545)
    assert box.notices[-1] == catalogue("vi").plain("act.idle", seconds=55)
    desk.rig.wait(1)
    assert box.notices[-1] == catalogue("vi").plain("act.idle", seconds=54)
    desk.rig.agent.finish()
    assert box.plates[-1].ending


def test_the_next_person_finds_nothing_of_it(desk: Desk) -> None:
    to_confirming(desk)
    choose(desk, language="ko", size="largest", contrast="high", kana="off")
    assert language_of(desk.page()) == "ko largest high"
    assert desk.confirm(SIGNED).status_code == 303
    assert language_of(desk.page()) == "ja normal normal"
    desk.rig.take()
    desk.rig.poll()
    desk.rig.serve(CARD_B)
    assert language_of(desk.page()) == "ja normal normal"
    assert desk.rig.boxes.alive[0].plates[-1].language == "ja"
    assert "<ruby>" in desk.raw()


def test_a_visit_withdrawn_before_the_card_takes_its_language_along(desk: Desk) -> None:
    desk.rig.office.call()
    desk.rig.poll()
    choose(desk, language="en")
    desk.rig.office.back_to_queue()
    desk.rig.poll()
    assert desk.rig.now() is TerminalState.LOCKED
    assert language_of(desk.page()) == "ja normal normal"


def test_a_restart_forgets_it(desk: Desk) -> None:
    to_confirming(desk)
    choose(desk, language="en")
    desk.rig.restart()
    assert desk.rig.now() is TerminalState.CONFIRMING
    assert language_of(Desk(desk.rig).page()) == "ja normal normal"


def test_the_terminal_s_own_language_comes_back(memory: Path) -> None:
    rig = Rig(memory, language="en").start()
    desk = Desk(rig)
    to_confirming(desk)
    choose(desk, language="zh")
    desk.confirm(SIGNED)
    assert language_of(desk.page()) == "en normal normal"
    rig.close()


@pytest.mark.parametrize("lease", ["0", "2", "-1"])
def test_nobody_chooses_for_another_visit(desk: Desk, lease: str) -> None:
    desk.rig.serve()
    assert desk.post("/manner", {"lease": lease, "language": "en"}).status_code == 409
    assert desk.rig.agent.status().manner == Manner()


def test_there_is_nothing_to_choose_while_nobody_is_there(desk: Desk) -> None:
    assert 'name="language"' not in desk.page()
    assert choose(desk, language="en") == 409
    assert desk.rig.agent.status().manner == Manner()


@pytest.mark.parametrize(
    "manner", [{"language": "fr"}, {"size": "huge"}, {"contrast": "1"}, {"kana": ""}, {"language": "<b>"}]
)
def test_what_is_not_on_offer_is_refused(desk: Desk, manner: dict[str, str]) -> None:
    desk.rig.serve()
    answer = desk.post("/manner", manner)
    assert answer.status_code == 400
    assert "<b>" not in answer.text
    assert desk.rig.agent.status().manner == Manner()


def test_the_end_s_reason_is_told_in_the_chosen_language(desk: Desk) -> None:
    desk.rig.serve()
    choose(desk, language="en")
    desk.rig.take()
    desk.rig.wait(30)
    assert catalogue("en").plain("cause.card_gone") in desk.page()
    assert desk.client.get("/", base_url=HOME).text.count('lang="en"') >= 1


def test_readings_stand_over_the_kanji_until_switched_off(desk: Desk) -> None:
    desk.rig.serve()
    assert '<ruby>手続中<rt aria-hidden="true">てつづきちゅう</rt></ruby>です。' in desk.raw()
    choose(desk, kana="off")
    assert "<rt" not in desk.raw()
    assert "手続中です。" in plain(desk.raw())
