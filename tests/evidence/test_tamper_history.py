"""Trials of who holds keys: a history signed again, another key, a checkpoint of another log or time."""

from pathlib import Path

from evidence.logbook import Logbook, key_of, uuid_of
from evidence.support import Run


def test_rows_removed_at_the_end_with_a_new_checkpoint(run: Run, tmp_path: Path) -> None:
    """The key's holder can sign a shorter log. A paper that counts more tells."""
    book = Logbook.office()
    paper = tmp_path / "receipt.note"
    paper.write_text(book.checkpoint())
    size = len(book.entries)
    del book.entries[-5:], book.about[-5:]
    folder = book.write(tmp_path / "b")
    assert run(folder)[0] == 0
    code, words = run(folder, "--anchor", str(paper))
    assert code == 1
    assert f"The older checkpoint receipt.note counts {size} entries, the log now only {size - 5}" in words


def rewritten() -> Logbook:
    """The same days, signed again by the holders of all keys: one cause is another, everything fits."""
    book = Logbook.office()
    position = book.at("end", uuid_of("市民B 0"))
    book.change(position, lambda given: given["statement"]["body"].update(cause="finish"), resign=key_of("two"))
    return book


def test_a_whole_history_signed_again_is_found_with_an_older_checkpoint_only(run: Run, tmp_path: Path) -> None:
    paper = tmp_path / "report.note"
    paper.write_text(Logbook.office().checkpoint(25))
    folder = rewritten().write(tmp_path / "b")
    code, words = run(folder)
    assert code == 0
    assert "No older checkpoint was compared: if the key's holder has rewritten the past" in words
    code, words = run(folder, "--anchor", str(paper))
    assert code == 1
    assert (
        "The first 25 entries are not those of the older checkpoint report.note: the history was rewritten and signed "
        "again by the holder of the key."
    ) in words
    assert "鍵を持つ者が、過去の記録を書き換えて署名し直しました。" in words
    assert run(folder, "--anchor", str(paper), "--log-only")[0] == 1


def test_a_history_signed_again_is_found_in_the_bundles_own_anchors(run: Run, tmp_path: Path) -> None:
    before, after = Logbook.office(), rewritten()
    code, words = run(after.write(tmp_path / "b", anchors=[before.checkpoint(5), before.checkpoint(30)]))
    assert code == 1
    assert "the older checkpoint anchors/30-2.note: the history was rewritten" in words
    assert "continues the older checkpoint anchors/5-1.note (5 entries)" in words


def test_a_history_signed_again_with_a_part_of_the_log(run: Run, tmp_path: Path) -> None:
    before, after = Logbook.office(), rewritten()
    visit = uuid_of("市民B 0")
    folder = after.write(
        tmp_path / "b",
        scope={"kind": "visit", "visits": [visit]},
        positions=after.positions_of(visit),
        anchors=[before.checkpoint(25), before.checkpoint()],
    )
    code, words = run(folder)
    assert code == 1
    assert "It is not proven that the log continues the older checkpoint anchors/25-1.note (25 entries)" in words
    assert f"The first {len(after.entries)} entries are not those of the older checkpoint" in words


def test_a_history_signed_again_with_another_key(run: Run, tmp_path: Path) -> None:
    book = Logbook.office()
    other = Logbook.office(server=key_of("another"))
    folder = other.write(tmp_path / "b", anchors=[book.checkpoint(25)])
    code, words = run(folder)
    assert code == 1
    assert "The older checkpoint anchors/25-1.note is not signed with this log's key." in words
    code, words = run(folder, "--key", book.vkey)
    assert code == 1
    assert "The key in the bundle is not the key that was given." in words
    assert "The checkpoint's signature does not fit, or is by another key: not the log of this key." in words
    assert "A server's statement is signed with another key" in words


def test_a_checkpoint_of_another_log(run: Run, tmp_path: Path) -> None:
    book, other = Logbook.office(), Logbook.office()
    folder = book.write(tmp_path / "b")
    other.origin = "other.example/log"
    (folder / "checkpoint").write_text(other.checkpoint())
    code, words = run(folder)
    assert code == 1
    assert "The checkpoint is of another log, other.example/log" in words
    paper = tmp_path / "other.note"
    paper.write_text(other.checkpoint())
    code, words = run(book.write(tmp_path / "c"), "--anchor", str(paper))
    assert code == 1
    assert "The older checkpoint other.note is of another log." in words


def test_a_checkpoint_of_the_same_log_at_another_time(run: Run, tmp_path: Path) -> None:
    book = Logbook.office()
    folder = book.write(tmp_path / "b")
    (folder / "checkpoint").write_text(book.checkpoint(20))
    code, words = run(folder)
    assert code == 1
    assert "There are entries beyond the checkpoint (20 entries)." in words
