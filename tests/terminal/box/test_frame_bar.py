"""The bar and its curtain by themselves on a real display: words, buttons, countdown, keys, fingers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from madoguchi.terminal import curtain as curtain_module
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import BAR_HEIGHT
from madoguchi.terminal.curtain import CurtainFailed, Frame
from madoguchi.terminal.languages import LANGUAGES
from madoguchi.terminal.ports import Plate
from terminal.box.screen import AT_BUTTON, ENTER, IN_BAR, IN_PAGE, NIGHT, PRESS, picture
from terminal.box.support import until
from terminal.box.xserver import XServer

pytestmark = pytest.mark.slow


# the bar by itself


@pytest.fixture
def pressed() -> list[str]:
    return []


@pytest.fixture
def frame(tmp_path: Path, display: XServer, pressed: list[str]) -> Iterator[Frame]:
    """A bar that waits, as beside a box that waits."""
    config = BoxConfig(state=tmp_path, display=display.display)
    made = Frame(config, on_finish=lambda: pressed.append("finish"), on_death=pressed.append, hidden=True)
    made.size()
    yield made
    made.close()


F12, TAB, ESCAPE, SPACE = 96, 23, 9, 65


PLATE = Plate(ticket="A-012", procedure="架空の手続", grace=20.0)


def look(display: XServer, area: tuple[int, int, int, int]) -> list[str]:
    """What stands in a part of the display."""
    return display.area(*area)


def warns(display: XServer, area: tuple[int, int, int, int]) -> bool:
    """Whether something is in the colour of warnings there."""
    return WARN in display.area(*area)


WARN = "#ffe14d"


EVERYWHERE, BUTTONS = (0, 0, 1280, 800), (700, 0, 1280, BAR_HEIGHT)


WORDS = (0, 0, 720, BAR_HEIGHT)


COUNT = (200, 340, 1080, 420)


def test_a_bar_that_waits_is_not_there_until_it_is_shown(frame: Frame, display: XServer) -> None:
    frame.tell(PLATE)
    frame.curtain(down=False)
    assert display.pixel(*IN_BAR) != NIGHT
    display.click(*AT_BUTTON)
    display.press(F12)
    frame.show()
    frame.show()
    assert display.pixel(*IN_BAR) == NIGHT
    assert display.pixel(*IN_PAGE) != NIGHT


def test_a_curtain_is_not_kept_back_by_a_bar_that_waits(frame: Frame, display: XServer) -> None:
    frame.curtain(down=True)
    assert display.pixel(*IN_PAGE) == NIGHT


def test_the_bar_says_whose_turn_it_is_in_their_language(frame: Frame, display: XServer) -> None:
    frame.show()
    seen = [look(display, WORDS)]
    for language in LANGUAGES:
        frame.tell(replace(PLATE, language=language))
        until(lambda: look(display, WORDS) not in seen, 3)
        picture(display, f"bar-{language}")
        seen.append(look(display, WORDS))
    frame.tell(replace(PLATE, language="vi", ticket="A-013"))
    until(lambda: look(display, WORDS) not in seen, 3)


def test_finish_is_big_enough_for_a_finger(frame: Frame, display: XServer) -> None:
    frame.show()
    frame.tell(PLATE)
    until(lambda: PRESS in display.area(*BUTTONS))
    column = display.area(1258, 0, 1259, BAR_HEIGHT).count(PRESS)
    row = display.area(900, 9, 1280, 10).count(PRESS)
    assert column >= 40  # and the ring of the focus around it, which takes presses, too, 3 px on each side
    assert row >= 140


def test_every_pixel_of_the_ring_around_finish_takes_a_press(
    frame: Frame, display: XServer, pressed: list[str]
) -> None:
    frame.show()
    for y in (5, 50):
        display.click(1200, y)
    until(lambda: pressed == ["finish", "finish"], 3)


def test_the_curtain_counts_down_and_says_so_in_their_language(frame: Frame, display: XServer) -> None:
    frame.show()
    frame.tell(replace(PLATE, language="ko"))
    frame.curtain(down=True)
    first = look(display, COUNT)
    assert warns(display, COUNT)
    until(lambda: look(display, COUNT) != first, 3)
    picture(display, "curtain-counting")
    frame.tell(replace(PLATE, language="ko", ending=True))
    until(lambda: not warns(display, EVERYWHERE), 3)


def test_without_a_time_to_come_back_nothing_is_counted(frame: Frame, display: XServer) -> None:
    frame.show()
    frame.tell(replace(PLATE, grace=0.0))
    frame.curtain(down=True)
    assert not warns(display, EVERYWHERE)


def test_by_keyboard_alone_a_visit_is_ended(frame: Frame, display: XServer, pressed: list[str]) -> None:
    frame.show()
    display.press(ENTER)
    display.press(F12)
    until(lambda: warns(display, BUTTONS), 3)
    display.press(ENTER)
    until(lambda: pressed == ["finish"], 3)


def test_by_keyboard_alone_somebody_says_that_they_stay(frame: Frame, display: XServer, pressed: list[str]) -> None:
    frame.show()
    before = look(display, WORDS)
    frame.notice("あと 58 秒で終了します。")
    until(lambda: look(display, WORDS) != before, 3)
    display.press(F12)
    display.press(SPACE)
    until(lambda: look(display, WORDS) == before, 3)
    assert pressed == []
    assert (frame.idle_for() or 0) < 2


def test_the_stay_button_is_there_while_the_warning_is(frame: Frame, display: XServer) -> None:
    frame.show()
    frame.notice("あと 58 秒で終了します。")
    until(lambda: warns(display, BUTTONS), 3)
    picture(display, "bar-stay")
    display.click(700 + display.area(700, 10, 1280, 11).index(WARN) + 8, 28)
    until(lambda: not warns(display, BUTTONS), 3)


def test_the_key_does_nothing_under_the_curtain(frame: Frame, display: XServer, pressed: list[str]) -> None:
    frame.show()
    frame.curtain(down=True)
    for key in (F12, ENTER, SPACE, TAB, ENTER, ESCAPE):
        display.press(key)
    frame.curtain(down=False)
    assert pressed == []


def test_two_bars_share_a_display_one_after_the_other(
    tmp_path: Path, display: XServer, frame: Frame, pressed: list[str]
) -> None:
    """The key is taken while the visit before still has it: no reason to die, and the next visit has it."""
    frame.show()
    following = Frame(
        BoxConfig(state=tmp_path, display=display.display),
        on_finish=lambda: pressed.append("next"),
        on_death=pressed.append,
        hidden=True,
    )
    following.size()
    frame.close()
    following.show()
    until(lambda: _ends_by_key(display, pressed), 5)
    assert set(pressed) == {"next"}
    following.close()


def _ends_by_key(display: XServer, pressed: list[str]) -> bool:
    display.press(F12)
    display.press(ENTER)
    return bool(pressed)


def test_without_tk_the_curtain_fails_and_lifting_it_is_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(curtain_module.importlib.util, "find_spec", lambda _: None)  # type: ignore[attr-defined]  # own
    frame = Frame(BoxConfig(state=tmp_path, display=":99"), on_finish=lambda: None, on_death=lambda _: None)
    frame.curtain(down=False)
    frame.notice("何も起きません")
    with pytest.raises(CurtainFailed):
        frame.curtain(down=True)
    frame.close()


def test_a_display_that_is_not_there_is_a_death(tmp_path: Path) -> None:
    deaths: list[str] = []
    frame = Frame(BoxConfig(state=tmp_path, display=":4093"), on_finish=lambda: None, on_death=deaths.append)
    until(lambda: deaths == ["the bar died"], 10)
    frame.close()
