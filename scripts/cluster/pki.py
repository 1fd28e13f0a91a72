"""The keys of a control plane: its own certificate authority, and a certificate for each of its parts.

Kubernetes takes a client's name and groups from the subject of its certificate, so these are its logins as well.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scripts.cluster import layout
from scripts.operate import storage

AUTHORITY = "ca"
ADMIN = "admin"
ACCOUNTS = "service-accounts"
LIFE = dt.timedelta(days=365)
# Certificates that are valid since a moment ago: clocks on one machine agree, roundings may not.
_SINCE = dt.timedelta(minutes=5)
_NAMES = ("localhost", "kubernetes.default", "metrics-server.kube-system.svc")
_ADDRESSES = ("127.0.0.1", "10.96.0.1", layout.CABLE, layout.NODE)

# Who there is: file name to common name and groups.
PARTIES: dict[str, tuple[str, tuple[str, ...]]] = {
    ADMIN: ("admin", ("system:masters",)),
    "kube-apiserver": ("kube-apiserver", ()),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "front-proxy": ("front-proxy", ()),
    "kubelet": (f"system:node:{layout.NODE_NAME}", ("system:nodes",)),
    "kube-proxy": ("system:kube-proxy", ()),
}

_Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Authority:
    key: _Key
    name: x509.Name

    def issue(self, subject: x509.Name, key: _Key, *, authority: bool = False) -> x509.Certificate:
        """A certificate of this authority for a key: for an authority itself, or for a party that serves and calls."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SINCE)
            .not_valid_after(now + LIFE)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            names = [x509.DNSName(name) for name in _NAMES]
            addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False).add_extension(
                x509.SubjectAlternativeName([*names, *addresses]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())


def write(cluster: layout.Cluster) -> None:
    """Write all keys and certificates, unless that was done."""
    if cluster.certificate(AUTHORITY).exists():
        return
    authority = _Authority(ec.generate_private_key(ec.SECP256R1()), _name("simulated-cluster", ()))
    _write_key(cluster, AUTHORITY, authority.key)
    for file, (common_name, groups) in PARTIES.items():
        key = ec.generate_private_key(ec.SECP256R1())
        _write_key(cluster, file, key)
        _write_certificate(cluster, file, authority.issue(_name(common_name, groups), key))
    _write_accounts_key(cluster)
    # Last: it says that all the others are there.
    _write_certificate(cluster, AUTHORITY, authority.issue(authority.name, authority.key, authority=True))


def _name(common_name: str, groups: tuple[str, ...]) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write_accounts_key(cluster: layout.Cluster) -> None:
    """The key that signs the tokens of service accounts. Its public half takes the place of a certificate."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    _write_key(cluster, ACCOUNTS, key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    storage.write(cluster.certificate(ACCOUNTS), public.decode())


def _write_key(cluster: layout.Cluster, name: str, key: _Key | rsa.RSAPrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    storage.write(cluster.key(name), text.decode())


def _write_certificate(cluster: layout.Cluster, name: str, certificate: x509.Certificate) -> None:
    storage.write(cluster.certificate(name), certificate.public_bytes(serialization.Encoding.PEM).decode())
