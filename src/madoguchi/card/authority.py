"""The test authority: made-up (架空) certificates of the two JPKI profiles.

利用者証明用 (auth): nothing about the person but a serial number; key usage digitalSignature.
署名用 (sign): the person as otherNames under 1.2.392.200149.8.5.5; key usage digitalSignature + nonRepudiation.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID, ObjectIdentifier

from madoguchi.card import tlv
from madoguchi.card.errors import CertificateUntrusted
from madoguchi.card.holder import Holder
from madoguchi.card.keys import KeyKind, PrivateKey, PublicKey, generate_key

JST = timezone(timedelta(hours=9))
PERSONAL_DATA = "1.2.392.200149.8.5.5"
NAME, NAME_SUBSTITUTES, SEX, BIRTH, ADDRESS, ADDRESS_SUBSTITUTES = (
    ObjectIdentifier(f"{PERSONAL_DATA}.{number}") for number in range(1, 7)
)

_ORGANIZATION = "架空公的個人認証(試験用)"
_UTF8_STRING = 0x0C
_ROOT_YEARS = 10
_BIRTHDAYS = 5
_ERAS = ((date(2019, 5, 1), 5), (date(1989, 1, 8), 4), (date(1926, 12, 25), 3), (date(1912, 7, 30), 2), (date.min, 1))


class CertificateAuthority:
    """A root that issues both profiles. Serial numbers are given in order, from 1 (the root's own)."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate) -> None:
        self.certificate = certificate
        self._key = key
        self._issued: list[x509.Certificate] = []

    @classmethod
    def create(cls, now: datetime, *, key: PrivateKey | None = None) -> "CertificateAuthority":
        """Make a root, valid ten years from `now` (aware). Without `key`, a fresh P-384 key: quick to make."""
        key = key or generate_key(KeyKind.P384)
        name = _name("架空認証局 ルート")
        usage = _usage(digital_signature=False, non_repudiation=False, authority=True)
        builder = (
            _builder(name, name, key.public_key(), 1, now, now + timedelta(days=365 * _ROOT_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def issued(self) -> tuple[x509.Certificate, ...]:
        """Every certificate issued so far, in order."""
        return tuple(self._issued)

    @property
    def serial_numbers(self) -> tuple[int, ...]:
        """Their serial numbers, in order."""
        return tuple(certificate.serial_number for certificate in self._issued)

    def issue_auth(self, public_key: PublicKey, holder: Holder, now: datetime) -> x509.Certificate:
        """Issue a 利用者証明用 certificate. Of the holder it shows only, by its end, the day and month of birth."""
        usage = _usage(digital_signature=True, non_repudiation=False, authority=False)
        return self._issue("利用者証明用", public_key, usage, holder, now, None)

    def issue_sign(self, public_key: PublicKey, holder: Holder, now: datetime) -> x509.Certificate:
        """Issue a 署名用 certificate, with name, sex, birth date and address."""
        usage = _usage(digital_signature=True, non_repudiation=True, authority=False)
        return self._issue("署名用", public_key, usage, holder, now, _personal(holder))

    def check(self, certificate: x509.Certificate, now: datetime) -> None:
        """Raise `CertificateUntrusted` unless issued by this authority and valid at `now` (aware)."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise CertificateUntrusted("not issued by this authority") from error
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise CertificateUntrusted("outside its validity")

    def _issue(
        self,
        profile: str,
        public_key: PublicKey,
        usage: x509.KeyUsage,
        holder: Holder,
        now: datetime,
        person: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        serial = len(self._issued) + 2
        subject = _name(f"架空{profile} {serial:08d}")
        end = last_moment(holder.birth, now)
        builder = _builder(subject, self.certificate.subject, public_key, serial, now, end)
        builder = builder.add_extension(usage, critical=True)
        if person is not None:
            builder = builder.add_extension(person, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        self._issued.append(certificate)
        return certificate


def last_moment(birth: date, issued: datetime) -> datetime:
    """End of validity: the last second of the fifth birthday after issue, Japanese time, as UTC.

    For 29 February the day before 1 March counts in ordinary years.
    """
    today = issued.astimezone(JST).date()
    years = [year for year in range(today.year, today.year + _BIRTHDAYS + 1) if _birthday(birth, year) > today]
    return datetime.combine(_birthday(birth, years[_BIRTHDAYS - 1]), time(23, 59, 59), JST).astimezone(UTC)


def birth_text(birth: date) -> str:
    """`EYYYYMMDD`: the era as one digit (1 明治 to 5 令和), then the Gregorian date."""
    era = next(number for first, number in _ERAS if birth >= first)
    return f"{era}{birth:%Y%m%d}"


def _birthday(birth: date, year: int) -> date:
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _personal(holder: Holder) -> x509.SubjectAlternativeName:
    """Write the person down in the profile's order; one `0` for each character that needed no substitute."""
    texts = (
        (NAME, holder.name),
        (BIRTH, birth_text(holder.birth)),
        (SEX, holder.sex.value),
        (ADDRESS, holder.address),
        (NAME_SUBSTITUTES, "0" * len(holder.name)),
        (ADDRESS_SUBSTITUTES, "0" * len(holder.address)),
    )
    return x509.SubjectAlternativeName(
        [x509.OtherName(oid, tlv.encode(_UTF8_STRING, text.encode())) for oid, text in texts]
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, serial: int, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    if start.tzinfo is None:
        raise ValueError("a time without zone")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(start.astimezone(UTC))
        .not_valid_after(end.astimezone(UTC))
    )


def _usage(*, digital_signature: bool, non_repudiation: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=non_repudiation,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
