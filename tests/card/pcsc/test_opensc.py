"""Debian's OpenSC, unmodified, against the virtual card; openssl judges the signatures."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card.pcsc.support import Hand, tool
from card.support import SELECT_JPKI, select, status
from madoguchi.card import VirtualCard
from madoguchi.card.pcscd import PrivatePcscd

pytestmark = pytest.mark.slow

_DATA = "本人が書いたこと".encode()


@pytest.fixture
def opensc(service: PrivatePcscd, slot: Hand, card: VirtualCard, tmp_path: Path) -> "OpenSc":
    slot.insert(card)
    return OpenSc(service, tmp_path, card)


class OpenSc:
    """The programs, with the PINs that belong to the card."""

    def __init__(self, service: PrivatePcscd, home: Path, card: VirtualCard) -> None:
        self._service = service
        self.home = home
        self.card = card

    def run(self, *command: str, good: bool = True) -> str:
        return tool(self._service, self.home, *command, good=good)

    def tries(self) -> list[str]:
        listing = self.run("pkcs15-tool", "--list-pins")
        return [line.split(":")[1].strip() for line in listing.splitlines() if "Tries left" in line]

    def certificate(self, *arguments: str) -> x509.Certificate:
        file = self.home / "certificate.pem"
        self.run("pkcs15-tool", *arguments, "--output", str(file))
        return x509.load_pem_x509_certificate(file.read_bytes())

    def verified(self, signature: Path, certificate: x509.Certificate, data: Path) -> str:
        key = self.home / "public.pem"
        key.write_bytes(certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(data)]
        return self.run(*command, good=data.read_bytes() == _DATA)


def test_the_card_is_known_for_what_it_is(opensc: OpenSc) -> None:
    assert "jpki" in opensc.run("opensc-tool", "--name")
    listing = opensc.run("pkcs15-tool", "--list-certificates", "--list-pins", "--list-keys")
    for name in ("User Authentication Certificate", "Digital Signature Certificate", "User Authentication PIN"):
        assert f"[{name}]" in listing
    assert listing.count("ModLength      : 2048") == 2


def test_both_certificates_are_read(opensc: OpenSc) -> None:
    assert opensc.certificate("--read-certificate", "1") == opensc.card.auth_certificate
    with_pin = ["--verify-pin", "--auth-id", "2", "--pin", "ABC123", "--read-certificate", "2"]
    assert opensc.certificate(*with_pin) == opensc.card.sign_certificate


def test_the_signing_certificate_is_not_given_out_without_its_pin(opensc: OpenSc) -> None:
    opensc.run("pkcs15-tool", "--read-certificate", "2", good=False)


def test_tries_are_counted_and_a_right_pin_resets_them(opensc: OpenSc) -> None:
    assert opensc.tries() == ["3", "5"]
    wrong = ["pkcs15-tool", "--verify-pin", "--auth-id", "1", "--pin", "9999"]
    assert "PIN code or key incorrect" in opensc.run(*wrong, good=False)
    opensc.run("pkcs15-tool", "--verify-pin", "--auth-id", "2", "--pin", "WRONG1", good=False)
    assert opensc.tries() == ["2", "4"]
    opensc.run(*wrong[:-1], "1234")
    opensc.run("pkcs15-tool", "--verify-pin", "--auth-id", "2", "--pin", "ABC123")
    assert opensc.tries() == ["3", "5"]


def test_a_locked_pin_stays_locked(opensc: OpenSc) -> None:
    verify = ["pkcs15-tool", "--verify-pin", "--auth-id", "1", "--pin"]
    for pin in ("9999", "9998", "9997", "1234"):
        opensc.run(*verify, pin, good=False)
    assert opensc.tries() == ["0", "5"]
    assert status(opensc.card, SELECT_JPKI, select(0x0018), "0020008004 31323334") == "6984"


@pytest.mark.parametrize(
    ("slot_index", "pin", "key", "certificate"),
    [("0", "1234", "01", "auth_certificate"), ("1", "ABC123", "02", "sign_certificate")],
)
def test_signatures_of_both_keys_hold_before_openssl(
    opensc: OpenSc, slot_index: str, pin: str, key: str, certificate: str
) -> None:
    data, signature = opensc.home / "data", opensc.home / "signature"
    data.write_bytes(_DATA)
    sign = ["pkcs11-tool", "--slot-index", slot_index, "--login", "--pin", pin, "--sign", "--mechanism"]
    sign += ["SHA256-RSA-PKCS", "--id", key, "--input-file", str(data), "--output-file", str(signature)]
    opensc.run(*sign)
    pinned = getattr(opensc.card, certificate)
    assert "Verified OK" in opensc.verified(signature, pinned, data)
    data.write_bytes(_DATA + b"!")
    assert "failure" in opensc.verified(signature, pinned, data).lower()


def test_the_next_program_must_log_in_again(opensc: OpenSc) -> None:
    data = opensc.home / "data"
    data.write_bytes(_DATA)
    opensc.run("pkcs15-tool", "--verify-pin", "--auth-id", "1", "--pin", "1234")
    with_key = ["pkcs11-tool", "--slot-index", "0", "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01"]
    opensc.run(*with_key, "--input-file", str(data), "--output-file", str(opensc.home / "none"), good=False)


def test_the_national_software_can_use_the_card_while_it_is_watched(opensc: OpenSc, slot: Hand) -> None:
    """Nothing is held in between, and another program's use is no event."""
    known = slot.state()
    for _ in range(3):
        opensc.run("pkcs11-tool", "--slot-index", "0", "--login", "--pin", "1234", "--list-objects")
        assert slot.wait(known, 0) == known
    assert opensc.tries() == ["3", "5"]
