"""A certificate authority: makes itself, issues certificates for identities of the mesh, and tells when one is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRUST_DOMAIN = "spiffe://souk/"
LIFETIME = timedelta(days=90)
AUTHORITY_LIFETIME = timedelta(days=3650)
# Clocks of two machines differ a little: a certificate is valid from a moment ago.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def due(self, now: datetime) -> bool:
        """Whether less than a third of its life is left, or it cannot be read at all."""
        try:
            read = x509.load_pem_x509_certificate(self.certificate)
            key = serialization.load_pem_private_key(self.key, None)
        except ValueError:
            return True
        life = read.not_valid_after_utc - read.not_valid_before_utc
        return read.not_valid_after_utc - now < life / 3 or read.public_key() != key.public_key()


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA, by its own certificate and key."""

    pair: Pair

    @classmethod
    def made(cls, now: datetime, lifetime: timedelta = AUTHORITY_LIFETIME) -> Self:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Souk mesh")])
        built = (
            _builder(name, name, key, (now - SKEW, now + lifetime))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(_pair(built.sign(key, hashes.SHA256()), key))

    def issue(self, identity: str, names: Sequence[str], now: datetime, lifetime: timedelta = LIFETIME) -> Pair:
        """A certificate for `spiffe://souk/<identity>`, for both sides of a connection, at these DNS names too."""
        issuer = x509.load_pem_x509_certificate(self.pair.certificate)
        signer = serialization.load_pem_private_key(self.pair.key, None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is not on an elliptic curve")
        key = ec.generate_private_key(ec.SECP256R1())
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        until = min(now + lifetime, issuer.not_valid_after_utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
        built = (
            _builder(subject, issuer.subject, key, (now - SKEW, until))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(identity, names)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
        )
        return _pair(built.sign(signer, hashes.SHA256()), key)

    def issued(self, pair: Pair, identity: str, names: Sequence[str]) -> bool:
        """Whether this authority made the certificate, for this identity and at least these DNS names."""
        try:
            read = x509.load_pem_x509_certificate(pair.certificate)
            read.verify_directly_issued_by(x509.load_pem_x509_certificate(self.pair.certificate))
            held = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ours
            return False
        return all(name in held for name in _names(identity, names))


def now() -> datetime:
    """The present moment, to the second, as certificates have it."""
    return datetime.now(UTC).replace(microsecond=0)


def _names(identity: str, names: Sequence[str]) -> list[x509.GeneralName]:
    uri = x509.UniformResourceIdentifier(f"{TRUST_DOMAIN}{identity}")
    return [uri, *(x509.DNSName(name) for name in dict.fromkeys([identity, *names]))]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    begin, end = valid
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return Pair(certificate.public_bytes(pem), key.private_bytes(pem, form, serialization.NoEncryption()))
