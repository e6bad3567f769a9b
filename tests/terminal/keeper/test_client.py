"""The agent's side: every doubt is named, and nothing counts as proven that nobody has seen."""

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from madoguchi.protocol import Procedure
from madoguchi.terminal import keeperground
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.config import TerminalConfig, box_config
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.keeperground import KeeperGround, KeeperHold
from madoguchi.terminal.live import always, nothing
from madoguchi.terminal.service import choose_boxes
from terminal.box.support import until
from terminal.keeper.doubles import NAME, NotedGround, an_order, keeping, open_descriptors, proof


@pytest.fixture
def noted() -> NotedGround:
    return NotedGround()


@pytest.fixture
def place(tmp_path: Path, noted: NotedGround) -> Iterator[Path]:
    with keeping(tmp_path / "k", noted):
        yield tmp_path / "k"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[KeeperGround]:
    """The agent's side, whether there is a keeper or not."""
    made = KeeperGround(tmp_path / "k", name=NAME, keeper_uid=os.geteuid(), back=0.3)
    yield made
    made.close()


@pytest.fixture
def ground(place: Path, client: KeeperGround) -> KeeperGround:
    """The agent's side of a keeper that runs."""
    assert place.is_socket()
    return client


def started(ground: KeeperGround) -> KeeperHold:
    with an_order() as order:
        return ground.start(order)


def test_a_box_from_start_to_proof(ground: KeeperGround, noted: NotedGround) -> None:
    hold = started(ground)
    hold.settle()
    hold.kill()
    assert noted.holds[0].killed == 1
    assert hold.prove(logout="visited") == replace(proof(), logout="visited")
    with pytest.raises(WipeUnproven, match="no box 1"):
        hold.prove(logout="visited")
    assert noted.holds[0].proven == 1


def test_what_the_keeper_lacks_is_told(ground: KeeperGround, noted: NotedGround) -> None:
    assert ground.missing() == ()
    noted.lacks = ("bubblewrap が入っていません。",)
    assert ground.missing() == noted.lacks


def test_a_refused_start_says_why(ground: KeeperGround, noted: NotedGround) -> None:
    noted.refuses = True
    before = open_descriptors()
    with pytest.raises(BoxUnavailable) as refused:
        started(ground)
    assert refused.value.missing == ("箱を作れません", "ブラウザがありません")
    assert open_descriptors() <= before + 2  # both ends of the line


def test_a_box_without_a_space_of_its_own_is_told(ground: KeeperGround, noted: NotedGround) -> None:
    noted.unsettled = True
    with pytest.raises(BoxUnavailable, match="箱がありません"):
        started(ground).settle()


def test_an_unproven_end_stays_unproven_until_it_is_proven(ground: KeeperGround, noted: NotedGround) -> None:
    hold = started(ground)
    noted.held = True
    for _ in range(2):
        with pytest.raises(WipeUnproven, match="held by 123"):
            hold.prove(logout="not_tried")
    noted.held = False
    assert hold.prove(logout="not_tried") == proof()


def test_a_sweep_proves_the_boxes_it_ends(ground: KeeperGround, noted: NotedGround) -> None:
    hold = started(ground)
    noted.leftovers = 3
    assert ground.sweep().leftovers == 3
    assert noted.holds[0].proven == 1
    noted.held = True  # whoever got the old numbers since is nobody of ours
    assert hold.prove(logout="unreachable") == replace(proof(), logout="unreachable")


def test_only_so_many_boxes_at_once(ground: KeeperGround, noted: NotedGround) -> None:
    holds = [started(ground) for _ in range(4)]
    with pytest.raises(BoxUnavailable, match="not proven gone"):
        started(ground)
    holds[2].prove(logout="not_tried")
    started(ground)
    assert len(noted.holds) == 5


def test_a_hang_up_ends_every_box(ground: KeeperGround, noted: NotedGround) -> None:
    for _ in range(3):
        started(ground)
    ground.close()
    until(lambda: all(hold.proven for hold in noted.holds))
    assert noted.events[:4] == ["kill", "kill", "kill", "kill"]  # all of them before the first is waited for
    assert ground.sweep() == proof(leftovers=3)
    assert ground.sweep().leftovers == 0


def test_nothing_starts_while_an_end_from_before_is_unproven(ground: KeeperGround, noted: NotedGround) -> None:
    started(ground)
    noted.held = True
    ground.close()
    for _ in range(2):
        with pytest.raises(WipeUnproven):
            started(ground)
        with pytest.raises(WipeUnproven):
            ground.sweep()
    noted.held = False
    assert ground.sweep().space_gone_at
    assert noted.holds[0].proven == 1
    started(ground)


def test_an_end_that_only_the_keeper_remembers_is_asked_for_by_the_next_agent(
    place: Path, ground: KeeperGround, noted: NotedGround
) -> None:
    started(ground)
    noted.held = True
    ground.close()
    another = KeeperGround(place, name=NAME, keeper_uid=os.geteuid(), back=2)
    with pytest.raises(WipeUnproven):
        another.sweep()
    with an_order() as order, pytest.raises(WipeUnproven):
        another.start(order)
    another.close()


def test_a_fault_in_the_keeper_ends_every_box_and_is_swept_first(
    ground: KeeperGround, noted: NotedGround, caplog: pytest.LogCaptureFixture
) -> None:
    hold = started(ground)
    sweeps = noted.sweeps
    noted.fault = RuntimeError("personal data")
    with pytest.raises(BoxUnavailable):
        hold.settle()
    until(lambda: noted.holds[0].proven == 1)
    assert "RuntimeError" in caplog.text
    assert "personal data" not in caplog.text
    assert hold.prove(logout="visited") == replace(proof(leftovers=1), logout="visited")
    assert noted.sweeps == sweeps + 1


def test_without_a_keeper_nothing_starts_and_nothing_is_proven(client: KeeperGround) -> None:
    before = open_descriptors()
    (line,) = client.missing()
    assert "systemctl status madoguchi-keeper" in line
    with pytest.raises(BoxUnavailable, match="madoguchi-keeper"):
        started(client)
    with pytest.raises(WipeUnproven, match="keeper"):
        client.sweep()
    assert open_descriptors() == before


def test_a_keeper_that_comes_late_is_waited_for(tmp_path: Path, noted: NotedGround) -> None:
    patient = KeeperGround(tmp_path / "k", name=NAME, keeper_uid=os.geteuid(), back=10)
    found: list[object] = []
    asking = threading.Thread(target=lambda: found.append(patient.sweep()))
    asking.start()
    with keeping(tmp_path / "k", noted):
        asking.join()
        patient.close()
    assert found == [proof("none")]


def test_a_box_of_a_lost_keeper_is_proven_by_the_next_ones_sweep(
    tmp_path: Path, client: KeeperGround, noted: NotedGround
) -> None:
    with keeping(tmp_path / "k", noted):
        first, second = started(client), started(client)
    first.kill()
    with pytest.raises(WipeUnproven, match="keeper"):
        first.prove(logout="visited")
    again = NotedGround(leftovers=2)
    with keeping(tmp_path / "k", again):
        assert first.prove(logout="visited") == replace(proof("none", leftovers=2), logout="visited")
        spare = started(client)
        assert second.prove(logout="not_tried") == proof("none", leftovers=2)
        assert not again.holds[0].killed  # a proof from before needs no second sweep
        spare.prove(logout="not_tried")


def test_a_lost_keeper_is_found_before_the_next_order_is_sent(
    tmp_path: Path, client: KeeperGround, noted: NotedGround
) -> None:
    with keeping(tmp_path / "k", noted):
        assert client.missing() == ()
    with keeping(tmp_path / "k", NotedGround()) as _:
        started(client).prove(logout="not_tried")


def test_a_keeper_that_does_not_answer_is_doubt(
    tmp_path: Path, client: KeeperGround, noted: NotedGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeperground, "_LIMITS", dict.fromkeys(keeperground._LIMITS, 0.2))
    with keeping(tmp_path / "k", noted):
        hold = started(client)
        noted.gate.clear()
        with pytest.raises(WipeUnproven, match="keeper"):
            hold.prove(logout="not_tried")
        noted.gate.set()
        assert until(lambda: noted.holds[0].proven)
        assert hold.prove(logout="visited").logout == "visited"


@pytest.mark.parametrize("held", [False, True])
def test_a_start_that_is_not_answered_is_proven_gone_or_told(
    place: Path, noted: NotedGround, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    patient = KeeperGround(place, name=NAME, keeper_uid=os.geteuid(), back=5)
    patient.sweep()
    monkeypatch.setattr(keeperground, "_LIMITS", {**keeperground._LIMITS, "start": 0.05})
    noted.gate.clear()
    noted.held = held
    threading.Timer(0.2, noted.gate.set).start()
    with pytest.raises(WipeUnproven if held else BoxUnavailable):
        started(patient)
    (hold,) = noted.holds
    assert hold.killed
    assert bool(hold.proven) is not held
    noted.held = False
    patient.close()


def test_somebody_elses_socket_is_not_talked_to(place: Path, noted: NotedGround) -> None:
    stranger = KeeperGround(place, name=NAME, keeper_uid=os.geteuid() + 1, back=0.3)
    with pytest.raises(BoxUnavailable, match="somebody else"):
        started(stranger)
    assert noted.holds == []


def test_the_keeper_of_another_terminal_is_not_ours(place: Path, noted: NotedGround) -> None:
    stranger = KeeperGround(place, name="f" * 16, keeper_uid=os.geteuid(), back=0.3)
    (line,) = stranger.missing()
    assert "another terminal" in line
    with pytest.raises(WipeUnproven):
        stranger.sweep()
    assert noted.sweeps == 1  # the keeper's own, at its start


def test_a_second_agent_is_told_that_there_is_one(place: Path, ground: KeeperGround) -> None:
    assert ground.missing() == ()
    second = KeeperGround(place, name=NAME, keeper_uid=os.geteuid(), back=0.3)
    (line,) = second.missing()
    assert "KeeperBusy" in line
    assert ground.missing() == ()


@pytest.mark.parametrize("answer", [b"", b"no json", b"[]", b"{}", b'{"refused": 5}', b'{"done": {"name": 1}}'])
def test_a_keeper_that_talks_nonsense_is_doubt(tmp_path: Path, client: KeeperGround, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "k"))
        listener.listen()

        def talk() -> None:
            line, _ = listener.accept()
            with line:
                line.send(answer)

        talking = threading.Thread(target=talk)
        talking.start()
        (line,) = client.missing()
        talking.join()
    assert "madoguchi-keeper" in line


def test_an_order_that_the_line_cannot_carry_is_no_box(ground: KeeperGround, noted: NotedGround) -> None:
    long = Procedure("p", "架空", "https://a.test/", "", ("a" * 3000,) * 100)
    with an_order(long) as order, pytest.raises(BoxUnavailable):
        ground.start(order)
    odd = Procedure("p", "架空", "ftp://a.test/", "", ())
    with an_order(odd) as order, pytest.raises(BoxUnavailable, match="start_url"):
        ground.start(order)
    assert noted.holds == []
    assert ground.missing() == ()


def test_agent_and_keeper_read_the_same_settings(tmp_path: Path) -> None:
    given = TerminalConfig(server_url="http://a.test", state_dir=tmp_path, card_client="http://127.0.0.1:9", display="")
    made = box_config(given)
    assert made.name == BoxConfig(state=tmp_path).name
    assert (made.card_client, made.display, made.training) == ("http://127.0.0.1:9", None, False)


def test_a_keeper_that_is_configured_is_never_done_without(tmp_path: Path) -> None:
    given = TerminalConfig(server_url="http://a.test", state_dir=tmp_path, training=True, keeper=str(tmp_path / "none"))
    boxes = choose_boxes(given, on_finish=nothing, alive=always)
    assert boxes.training is False
    (line,) = boxes.missing()
    assert "madoguchi-keeper" in line
