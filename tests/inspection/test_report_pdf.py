"""The report on paper, read back with poppler: everything is text, tagged, with page numbers and embedded fonts."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspection.report_data import HOSTILE, finding, keep, summary
from madoguchi.inspection import accounts, report, visits
from madoguchi.inspection.report import pdf
from madoguchi.inspection.report.curve import curve
from madoguchi.inspection.report.errors import FontMissing
from madoguchi.inspection.report.pdf import SHOWN, write_pdf
from madoguchi.inspection.summary import Look

_MARK = "架空のデータ"


def tool(name: str, *arguments: str) -> str:
    return subprocess.run(
        [name, *arguments], check=True, capture_output=True, encoding="utf-8", errors="replace"
    ).stdout


def written(folder: Path, *rows: dict[str, Any], **said: Any) -> Path:
    target = folder / "report.pdf"
    write_pdf(target, findings=keep(folder, *rows), summary=summary(len(rows), **said))
    return target


def text(file: Path, *chosen: str) -> str:
    """What is read, without the breaks of lines that a narrow column makes."""
    return re.sub(r"\s+", "", tool("pdftotext", *chosen, str(file), "-"))


def test_what_is_needed_stands_on_paper(tmp_path: Path) -> None:
    file = written(tmp_path, *(finding(n) for n in range(1, 61)))
    said = text(file)
    for part in (
        "口座の点検",
        "Inspectionofaccounts",
        "register.parquet",
        "同じ口座",
        "見本花子",
        "別の人OTHER",
        "2022-08-3013:35",
    ):
        assert part in said
    assert f"P{SHOWN:05d}" in said
    assert f"P{SHOWN + 1:05d}" not in said
    assert "60件のうち上位50件" in said
    assert "99%:119" in said
    assert "適合率Precision" in said
    assert "83.33%" in said, "found after 100 looks"
    assert "11.16%" in said, "precision of 100 looks"
    info = tool("pdfinfo", str(file))
    assert re.search(r"Tagged: +yes", info)
    assert "(A4)" in info
    pages = int(re.search(r"Pages: +(\d+)", info)[1])  # type: ignore[index] # a missing count fails the test
    assert pages > 1
    for page in range(1, pages + 1):
        assert f"{page}/{pages}" in text(file, "-f", str(page), "-l", str(page))


def test_it_says_that_it_is_accessible(tmp_path: Path) -> None:
    raw = written(tmp_path, finding(1)).read_bytes()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in raw
    assert re.search(rb"/Lang ?\(ja", raw)
    structure = tool("pdfinfo", "-struct-text", str(tmp_path / "report.pdf"))
    for tag in ("Figure", "Table", "TH", "H1"):
        assert re.search(rf"^ *{tag}\b", structure, re.MULTILINE), tag


def test_every_font_is_embedded(tmp_path: Path) -> None:
    rows = tool("pdffonts", str(written(tmp_path, finding(1)))).splitlines()[2:]
    assert rows
    assert all(row.split()[-5] == "yes" for row in rows)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_would_be_markup_stays_a_name(tmp_path: Path, name: str) -> None:
    said = {"source": name, "engine": name, "title_ja": name, "title_en": name}
    seen = text(written(tmp_path, finding(1, kanji=name, reason_ja=name, person_id=name, signals=[name]), **said))
    assert seen.count(re.sub(r"\s+", "", name)) >= 6
    assert "root:" not in seen


def test_signs_that_turn_the_direction_of_writing_are_shown(tmp_path: Path) -> None:
    assert "山\ufffd田" in text(written(tmp_path, finding(1, kanji="山\u202e田")))


def test_the_mark_of_made_up_data_stands_on_every_page(tmp_path: Path) -> None:
    file = written(tmp_path, *(finding(n) for n in range(1, 41)))
    pages = tool("pdftotext", str(file), "-").split("\f")[:-1]
    assert len(pages) > 1
    assert all(_MARK in page for page in pages)


def test_real_data_are_not_called_made_up(tmp_path: Path) -> None:
    assert "架空" not in text(written(tmp_path, finding(1, place="庁舎")))


def test_nothing_found_is_said(tmp_path: Path) -> None:
    seen = text(written(tmp_path, looks=(), steps=(), expected_wrong=0.0, looks_for_99=0))
    assert "確認が必要なものはありませんでした" in seen
    assert "99%" not in seen


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path, finding(1)).read_bytes()
    assert written(tmp_path, finding(1)).read_bytes() == first


def test_a_long_reason_is_cut_and_the_page_holds(tmp_path: Path) -> None:
    seen = text(written(tmp_path, finding(1, reason_ja="長" * 5000, kanji="名" * 5000)))
    assert "長" * 239 in seen
    assert "長" * 240 not in seen


def test_without_a_japanese_font_nothing_is_printed_but_the_list_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "FONTS", ("No Such Font",))
    with pytest.raises(FontMissing) as caught:
        report.write(tmp_path, keep(tmp_path, finding(1)), summary())
    assert "fonts-noto-cjk" in caught.value.sentence
    assert (tmp_path / "findings.xlsx").exists()
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.parametrize("inspect", [accounts.inspect, visits.inspect])
def test_an_inspection_without_a_japanese_font_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inspect: Callable[..., object]
) -> None:
    monkeypatch.setattr(pdf, "FONTS", ("No Such Font",))
    with pytest.raises(FontMissing):
        inspect(tmp_path / "never read", out=tmp_path / "out")
    assert not any(tmp_path.iterdir())


def test_the_template_fetches_nothing() -> None:
    template = (Path(pdf.__file__).parent / "report.typ").read_text(encoding="utf-8")
    assert "#import" not in template
    assert "#include" not in template
    assert "eval(" not in template


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.0, "100.00%"), (0.99999, "> 99.99%"), (0.9999, "99.99%"), (0.0, "0.00%"), (1e-9, "< 0.01%"), (0.5, "50.00%")],
)
def test_a_share_is_not_rounded_to_certainty(value: float, said: str) -> None:
    assert pdf.shown(value, "0.00%") == said


def test_the_line_goes_through_the_aim() -> None:
    drawn = curve(summary(looks=(Look(1, 0.1, 1.0), Look(10, 0.5, 1.0), Look(100, 1.0, 0.2)), looks_for_99=50))
    assert [drawn["needed"], 0.99] in drawn["points"]
    assert drawn["points"] == sorted(drawn["points"])


def test_the_curve_stays_within_its_frame() -> None:
    many = tuple(Look(n, n / 99_999, 0.1) for n in range(1, 100_000))
    drawn = curve(summary(looks=many, looks_for_99=98_999))
    assert drawn["points"][0][0] == 0.0
    assert drawn["points"][-1] == [1.0, 1.0]
    assert len(drawn["points"]) < 300
    assert all(0 <= part <= 1 for point in drawn["points"] for part in point)
    assert [tick["label"] for tick in drawn["acrosses"]] == ["1", "10", "100", "1,000", "10,000"]
    assert 0.99 < drawn["needed"] < 1


@pytest.mark.parametrize("looks", [(), (Look(1, 1.0, 1.0),), (Look(0, 0.0, 0.0), Look(1, 1.0, 1.0))])
def test_a_curve_that_is_none_is_left_out(looks: tuple[Look, ...]) -> None:
    assert curve(summary(looks=looks)) == {"points": []}


def test_a_goal_outside_of_the_frame_is_not_drawn() -> None:
    looks = (Look(1, 0.1, 1.0), Look(10, 0.5, 1.0))
    assert curve(summary(looks=looks, looks_for_99=1000))["needed"] is None
    assert curve(summary(looks=looks, looks_for_99=0))["needed"] is None
