"""Files in, files out: the same bytes however often a run is stopped; nothing half-done under the output's name."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from madoguchi.names import file_errors, frames, parts, score
from madoguchi.names.batch import SCORES
from madoguchi.names.commands import commands
from madoguchi.names.csv_file import records
from madoguchi.names.decide import PRIORS
from names.scored_files import PART, ROWS, made, read_csv, table, write_csv, write_parquet


def expected(content: pa.Table) -> list[tuple[object, ...]]:
    found = frames.score_arrow(content)
    return list(zip(*(found[name].to_pylist() for name in SCORES), strict=True))


def scored(row: dict[str, str]) -> tuple[object, ...]:
    return tuple(float(row[name]) if name.startswith("p_") else row[name] for name in SCORES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv(tmp_path: Path, encoding: str, end: str) -> None:
    plain = encoding.removesuffix("-sig")
    content = table(plain)
    source, out = write_csv(tmp_path / "in.csv", content, encoding=encoding, end=end), tmp_path / "out.csv"
    done = score.score(source, out, encoding=plain, rows=PART)
    assert done == score.Scored(ROWS, 0)
    rows = read_csv(out, encoding)
    assert [scored(row) for row in rows] == expected(content)
    assert [tuple(row[name] for name in content.column_names) for row in rows] == list(
        zip(*(column.to_pylist() for column in content.columns), strict=True)
    )
    lines, before = out.read_bytes(), source.read_bytes()
    assert lines.startswith(before[: before.index(b"note") + 4])
    assert lines.endswith(end.encode())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_records_go_out_as_they_came_in(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    good = 'id,"kanji",kana,x\r\n1,"佐藤花子","ｻﾄｳﾊﾅｺ","a ""b"",\r\nc"\r\n\r\n\r\n'
    source.write_bytes(good.encode() + b"2,\xff\xfe,,\r\n3,,\x83,z\x1a")
    score.score(source, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_bytes().split(b"\r\n")
    assert lines[0] == b'id,"kanji",kana,x,' + ",".join(SCORES).encode()
    assert lines[2].startswith(b'c",SELF,0.99')
    assert lines[3].startswith(b"2,\xff\xfe,,,UNDETERMINED,%.3f," % PRIORS[0])
    assert lines[4].startswith(b"3,,\x83,z,UNDETERMINED,%.3f," % PRIORS[0])
    assert lines[5:] == [b""]


@pytest.mark.parametrize("groups", [ROWS, 70, 33])
def test_parquet(tmp_path: Path, groups: int) -> None:
    content = table().append_column("list", pa.array([[place, None] for place in range(ROWS)]))
    content = content.set_column(1, "kanji", content["kanji"].combine_chunks().dictionary_encode())
    source = write_parquet(tmp_path / "in.parquet", content, row_group_size=groups)
    done = score.score(source, tmp_path / "out.parquet", rows=PART)
    found = pq.read_table(tmp_path / "out.parquet")
    assert done == score.Scored(ROWS, 0)
    assert found.select(content.column_names).equals(pq.read_table(source))
    assert found.select(SCORES).to_pydict() == frames.score_arrow(content).select(SCORES).to_pydict()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("rows", [0, 1])
def test_files_with_hardly_a_row(tmp_path: Path, kind: str, rows: int) -> None:
    source, out = made(tmp_path, kind, table().slice(0, rows)), tmp_path / f"out.{kind}"
    assert score.score(source, out).rows == rows
    found = len(read_csv(out)) if kind == "csv" else pq.read_table(out).num_rows
    assert found == rows


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("threads", "rows"), [(1, 10), (3, 50), (2, 1 << 17)])
def test_threads_and_sizes_of_parts_change_no_byte(tmp_path: Path, kind: str, threads: int, rows: int) -> None:
    source = made(tmp_path, kind, table())
    score.score(source, tmp_path / f"one.{kind}")
    score.score(source, tmp_path / f"other.{kind}", threads=threads, rows=rows)
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"other.{kind}").read_bytes()


class Stopped(Exception):
    pass


def stopping(after: int) -> Callable[[str, int, int | None], None]:
    """Progress that stops the run when it was told so often."""
    told = iter(range(after))

    def tell(what: str, done: int, total: int | None) -> None:
        del what, done, total
        if next(told, None) is None:
            raise Stopped

    return tell


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("after", [0, 1, 3, 6, 7])
def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, kind: str, after: int) -> None:
    source, out = made(tmp_path, kind, table()), tmp_path / f"out.{kind}"
    score.score(source, tmp_path / f"whole.{kind}", rows=PART)
    with pytest.raises(Stopped):
        score.score(source, out, rows=PART, progress=stopping(after))
    assert not out.exists()
    done = score.score(source, out, rows=PART)
    assert done.resumed > 0
    assert done.rows == ROWS
    assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
    assert not (tmp_path / f"out.{kind}.parts").exists()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("damage", ["part", "cut", "gone", "journal", "half", "aside", "other input", "other rows"])
def test_damaged_or_foreign_parts_are_made_again(tmp_path: Path, kind: str, damage: str) -> None:
    source, out = made(tmp_path, kind, table()), tmp_path / f"out.{kind}"
    with pytest.raises(Stopped):
        score.score(source, out, rows=PART, progress=stopping(4))
    folder = tmp_path / f"out.{kind}.parts"
    part, journal = folder / "00000001", folder / "journal"
    if damage == "part":
        part.write_bytes(bytes([part.read_bytes()[0] ^ 1]) + part.read_bytes()[1:])
    elif damage == "cut":
        part.write_bytes(part.read_bytes()[:-1])
    elif damage == "gone":
        part.unlink()
    elif damage == "journal":
        journal.unlink()
    elif damage == "half":
        journal.write_bytes(journal.read_bytes()[:-5])
    elif damage == "aside":
        (folder / "aside").write_bytes(b"half")
        (folder / "joined").write_bytes(b"half")
    elif damage == "other input":
        source = made(tmp_path, kind, table().slice(1))
    elif damage == "other rows":
        lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
        lines[0]["of"]["program"] = "0"
        journal.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    done = score.score(source, out, rows=PART)
    assert (done.resumed > 0) is (damage in ("part", "cut", "gone", "half", "aside"))
    score.score(source, tmp_path / f"whole.{kind}", rows=PART)
    assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()


def test_a_run_killed_after_its_output_was_in_place_is_tidied_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = made(tmp_path, "csv", table()), tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(parts.Parts, "remove", lambda _: (_ for _ in ()).throw(Stopped))
        with pytest.raises(Stopped):
            score.score(source, out)
    whole = out.read_bytes()
    assert (tmp_path / "out.csv.parts").exists()
    score.score(source, out)
    assert out.read_bytes() == whole
    assert not (tmp_path / "out.csv.parts").exists()


def test_two_runs_of_one_output_do_not_meet(tmp_path: Path) -> None:
    source = made(tmp_path, "csv", table())
    held = parts.Parts(tmp_path / "out.csv")
    with pytest.raises(file_errors.AlreadyRunning):
        score.score(source, tmp_path / "out.csv")
    held.close()
    assert score.score(source, tmp_path / "out.csv").rows == ROWS


def test_an_output_that_exists_is_replaced_only_when_asked(tmp_path: Path) -> None:
    source, out = made(tmp_path, "csv", table()), tmp_path / "out.csv"
    out.write_bytes(b"old")
    with pytest.raises(file_errors.OutputExists):
        score.score(source, out)
    with pytest.raises(Stopped):
        score.score(source, out, overwrite=True, rows=PART, progress=stopping(2))
    with pytest.raises(file_errors.OutputExists):
        score.score(source, out, rows=PART)
    assert out.read_bytes() == b"old"
    assert score.score(source, out, overwrite=True, rows=PART).rows == ROWS
    assert len(read_csv(out)) == ROWS


def test_an_input_that_changes_meanwhile_is_not_trusted(tmp_path: Path) -> None:
    source, out = made(tmp_path, "csv", table()), tmp_path / "out.csv"

    def change(what: str, done: int, total: int | None) -> None:
        del what, done, total
        os.utime(source, (1, 1))

    with pytest.raises(file_errors.InputChanged):
        score.score(source, out, rows=PART, progress=change)
    assert not out.exists()


GOOD = "id,kanji,kana\n"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("id,kanji\n1,佐藤\n", file_errors.ColumnsMissing, "kana"),
        ("kanji,kana\n佐藤,ｻﾄｳ\n", file_errors.ColumnsMissing, "id"),
        ("id,kanji,kana,reason\n", file_errors.ColumnsTaken, "reason"),
        ("id,kanji,kana,id\n", file_errors.ColumnsTaken, "id"),
        ("", file_errors.InputUnreadable, "in.csv"),
        ("\n\n", file_errors.InputUnreadable, "in.csv"),
        (GOOD + "1,佐藤,ｻﾄｳ\n2,佐藤\n", file_errors.LineMalformed, "^3行目$"),
        (GOOD + "1,佐藤,ｻﾄｳ\n\n2,佐藤,a,b\n", file_errors.LineMalformed, "^4行目$"),
        (GOOD + '1,"佐\n藤",ｻﾄｳ\n2,佐藤\n', file_errors.LineMalformed, "^4行目$"),
        (GOOD + '1,佐藤,ｻﾄｳ\n2,"佐藤,ｻﾄｳ\n3,佐藤,ｻﾄｳ\n', file_errors.LineMalformed, "^3行目$"),
        (GOOD + '1,佐藤,ｻﾄｳ\n2,佐"藤,ｻﾄｳ\n3,佐藤,ｻ"ﾄｳ\n', file_errors.LineMalformed, "^3行目$"),
        (GOOD + '1,佐藤,ｻﾄｳ\n2,佐"藤,ｻﾄｳ\n3,佐藤,ｻﾄｳ\n', file_errors.LineMalformed, "^3行目$"),
        ('id,"kanji,kana\n', file_errors.LineMalformed, "^1行目$"),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("rows", [1, 1 << 17])
def test_bad_csv_is_named(tmp_path: Path, text: str, error: type[Exception], says: str, rows: int) -> None:
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(error, match=says) as caught:
        score.score(tmp_path / "in.csv", tmp_path / "out.csv", rows=rows)
    assert "。" in str(getattr(caught.value, "sentence", ""))
    assert not (tmp_path / "out.csv").exists()


def test_a_mended_line_is_all_that_is_needed_to_go_on(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(GOOD + "1,佐藤花子,ｻﾄｳﾊﾅｺ\n2,佐藤花子\n")
    with pytest.raises(file_errors.LineMalformed):
        score.score(source, out)
    source.write_text(GOOD + "1,佐藤花子,ｻﾄｳﾊﾅｺ\n2,佐藤花子,\n")
    assert score.score(source, out).rows == 2


@pytest.mark.parametrize(("written", "said"), [("cp932", "utf-8"), ("utf-8", "cp932"), ("utf-8-sig", "cp932")])
def test_the_wrong_encoding_is_named(tmp_path: Path, written: str, said: str) -> None:
    source = write_csv(tmp_path / "in.csv", table("cp932"), encoding=written)
    with pytest.raises(file_errors.EncodingWrong):
        score.score(source, tmp_path / "out.csv", encoding=said)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_cannot_be_read_or_written_is_named(tmp_path: Path, kind: str) -> None:
    source = made(tmp_path, kind, table())
    with pytest.raises(file_errors.InputUnreadable):
        score.score(tmp_path / f"none.{kind}", tmp_path / f"out.{kind}")
    (tmp_path / f"folder.{kind}").mkdir()
    with pytest.raises(file_errors.InputUnreadable):
        score.score(tmp_path / f"folder.{kind}", tmp_path / f"out.{kind}")
    for place in (source, tmp_path / "nowhere"):
        with pytest.raises(file_errors.OutputFailed):
            score.score(source, place / f"out.{kind}")
    with pytest.raises(file_errors.OutputFailed):
        score.score(source, tmp_path / f"folder.{kind}", overwrite=True)
    for out in ("out.txt", "out.csv" if kind == "parquet" else "out.parquet"):
        with pytest.raises(file_errors.FormatUnknown):
            score.score(source, tmp_path / out)


def test_a_damaged_parquet_is_named(tmp_path: Path) -> None:
    source = made(tmp_path, "parquet", table())
    whole = source.read_bytes()
    for bad in (b"PAR1", whole[: len(whole) // 2], b"x" * 1000):
        source.write_bytes(bad)
        with pytest.raises(file_errors.InputUnreadable):
            score.score(source, tmp_path / "out.parquet")
    names = table().drop_columns(["kana"])
    with pytest.raises(file_errors.ColumnsMissing, match="kana"):
        score.score(write_parquet(source, names), tmp_path / "out.parquet")


def test_texts_of_a_megabyte_pass(tmp_path: Path) -> None:
    long = "花" * 400_000
    source = tmp_path / "in.csv"
    source.write_text(GOOD + f"1,{long},ｱ\n2,佐藤花子,ｻﾄｳﾊﾅｺ\n3,佐藤,{long}\n")
    assert score.score(source, tmp_path / "out.csv", rows=1).rows == 3
    assert [
        row["verdict"] for row in csv.DictReader((tmp_path / "out.csv").read_text().replace(long, "*").splitlines())
    ] == [
        "UNDETERMINED",
        "SELF",
        "UNDETERMINED",
    ]


def test_records_end_only_outside_quotes() -> None:
    data = b'a,"b\n""c""\n",d\r\n\n\r\n"e"\nlast'
    starts, ends = records(data)
    assert [data[start:end] for start, end in zip(starts, ends, strict=True)] == [b'a,"b\n""c""\n",d', b'"e"', b"last"]


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", table("cp932"), encoding="cp932")
    done = CliRunner().invoke(commands, ["score", str(source), str(tmp_path / "out.csv"), "--encoding", "cp932"])
    assert done.exit_code == 0, done.output
    assert "700 件を判定しました" in done.output
    checked = CliRunner().invoke(
        commands, ["check", "佐藤花子", "ｽｽﾞｷﾊﾅｺ", "--former", "鈴木", "--alias", "山田", "--furigana", "サトウ　ハナコ"]
    )
    assert "OLDNAME" in checked.output
    assert "鈴木" in checked.output
    assert "%" in checked.output
    firm = CliRunner().invoke(commands, ["check", "佐藤花子", "ｶ)ｻﾄｳ"])
    assert "会社" in firm.output
    assert "%" not in firm.output, "prior chances say nothing of this account"
