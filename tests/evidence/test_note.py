"""Signed notes and checkpoints by the rules of C2SP, read here by a second parser and signed for OpenSSL to check."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from madoguchi.evidence.errors import CheckpointBroken, EvidenceError
from madoguchi.evidence.keys import public_bytes, public_text
from madoguchi.evidence.note import Checkpoint, Verifier, open_note, sign

NAME = "madoguchi.example/counter"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SIGNER = Verifier(NAME, public_text(KEY))
TEXT = Checkpoint(NAME, 70_000, hashlib.sha256(b"root").digest()).text()
NOTE = sign(TEXT, NAME, KEY)


def parse(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """A second reader, made from the words of the specification: text, and (name, key id, signature) of each line."""
    end = note.rindex(b"\n\n")
    found = []
    for line in note[end + 2 :].removesuffix(b"\n").split(b"\n"):
        dash, name, coded = line.split(b" ")
        assert dash == "—".encode()
        raw = base64.standard_b64decode(coded)
        found.append((name.decode(), raw[:4], raw[4:]))
    return note[: end + 1], found


def test_another_reader_finds_the_same() -> None:
    text, [(name, key_id, signature)] = parse(NOTE.encode())
    assert text == TEXT.encode()
    assert name == NAME
    # signed-note, "Ed25519 signatures": SHA-256(name || 0x0A || 0x01 || public key)[:4]
    assert key_id == hashlib.sha256(NAME.encode() + b"\n\x01" + public_bytes(KEY)).digest()[:4]
    assert len(signature) == 64
    origin, size, root = text.decode().splitlines()
    assert (origin, int(size), len(base64.b64decode(root))) == (NAME, 70_000, 32)


@pytest.mark.parametrize("turned", [False, True])
def test_openssl_checks_the_signature(tmp_path: Path, *, turned: bool) -> None:
    text, [(_, _, signature)] = parse(NOTE.encode())
    (tmp_path / "key.pem").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "text").write_bytes(text.replace(b"70000", b"70001") if turned else text)
    (tmp_path / "signature").write_bytes(signature)
    done = subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "key.pem",
            "-rawin",
            "-in",
            "text",
            "-sigfile",
            "signature",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is not turned, done.stderr
    assert ("Signature Verified Successfully" in done.stdout) is not turned


def test_verifier_keys_as_text() -> None:
    text = SIGNER.text()
    name, key_id, coded = text.split("+", 2)
    assert (name, key_id) == (NAME, SIGNER.id.hex())
    assert base64.b64decode(coded) == b"\x01" + public_bytes(KEY)
    assert Verifier.parse(f"{text}\n") == SIGNER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        SIGNER.text()[:-4],
        SIGNER.text().replace(SIGNER.id.hex(), "00000000"),
        SIGNER.text().replace(NAME, "other.example"),
        SIGNER.text().replace(NAME, "two words"),
        SIGNER.text().replace(NAME, "\ud800"),
        f"{NAME}+00000000+{base64.b64encode(bytes(33)).decode()}",
        f"{NAME}+00000000+{base64.b64encode(bytes([1]) + bytes(32)).decode()}",
        f"{NAME}+00000000+{base64.b64encode(bytes([1]) + bytes(3)).decode()}",
        f"{NAME}+00000000+あ",
    ],
)
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(EvidenceError):
        Verifier.parse(text)


def test_a_note_opens_for_those_who_signed() -> None:
    assert open_note(NOTE, [SIGNER, Verifier(NAME, public_text(OTHER))]) == (TEXT, [SIGNER])


def test_further_signatures_by_strangers_do_not_matter() -> None:
    stranger = sign(TEXT, "stranger.example", OTHER).rpartition("\n\n")[2]
    assert open_note(NOTE + stranger, [SIGNER]) == (TEXT, [SIGNER])


def test_a_known_signer_who_signed_wrongly_spoils_the_note() -> None:
    other = Verifier("other.example", public_text(OTHER))
    wrong = sign(TEXT.replace("70000", "1"), "other.example", OTHER).rpartition("\n\n")[2]
    with pytest.raises(CheckpointBroken):
        open_note(NOTE + wrong, [SIGNER, other])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        NOTE.removesuffix("\n"),
        NOTE.replace("70000", "70001"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("\n\n", "\n\n\n"),
        NOTE + "\n",
        NOTE + "no signature\n",
        NOTE.replace("70000", "70000\x07"),
        NOTE.replace(NAME, "other.example"),
        NOTE[:-6] + "AAAA=\n",
        NOTE + "x" * 1_000_001,
    ],
)
def test_what_is_no_note_of_ours(note: str) -> None:
    with pytest.raises(CheckpointBroken):
        open_note(note, [SIGNER])


@pytest.mark.parametrize("place", range(0, len(NOTE.encode()) - 1, 3))
def test_every_changed_byte_is_found(place: int) -> None:
    raw = bytearray(NOTE.encode())
    raw[place] ^= 1
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises(CheckpointBroken):
        open_note(note, [SIGNER])


def test_the_key_of_everybody_signs_nothing() -> None:
    with pytest.raises(EvidenceError):
        open_note(NOTE, [Verifier(NAME, base64.b64encode(bytes([1]) + bytes(31)).decode()), *[]])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name\n5\n",
        TEXT.removesuffix("\n"),
        TEXT.replace("70000", "070000"),
        TEXT.replace("70000", "-1"),
        TEXT.replace("70000", "７"),
        TEXT.replace("70000", ""),
        # longer than Python turns into a number without complaint
        TEXT.replace("70000", "9" * 5000),
        f"{NAME}\n1\nAAAA\n",
        f"{NAME}\n1\nno base64\n",
        TEXT + "\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(CheckpointBroken):
        Checkpoint.parse(text)


def test_lines_for_people() -> None:
    given = Checkpoint(NAME, 5, bytes(32), ("2022-08-17 拠点1",))
    assert Checkpoint.parse(given.text()) == given


@pytest.mark.parametrize(("text", "name"), [("no end", NAME), ("bell\x07\n", NAME), ("a\n", "two words"), ("a\n", "")])
def test_what_is_not_signed(text: str, name: str) -> None:
    with pytest.raises(ValueError, match="a note is lines"):
        sign(text, name, KEY)
