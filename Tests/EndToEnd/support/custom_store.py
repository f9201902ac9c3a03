"""Custom key stores of type AWS_CLOUDHSM, step by step."""

import datetime
import functools
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import softhsm
from support.server import eventually


@functools.cache
def certificate():
    """A self-signed PEM certificate, for TrustAnchorCertificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "customerCA")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM).decode()


def arguments(pin, cluster=softhsm.CLUSTER, name=None):
    return {
        "CustomKeyStoreName": name or f"store-{uuid.uuid4()}", "CloudHsmClusterId": cluster,
        "TrustAnchorCertificate": certificate(), "KeyStorePassword": pin,
    }


def create(kms, pin, cluster=softhsm.CLUSTER, name=None):
    return kms.create_custom_key_store(**arguments(pin, cluster, name))["CustomKeyStoreId"]


def describe(kms, store):
    return kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]


def settled(kms, store, seconds=60):
    """Waits for the end of CONNECTING or DISCONNECTING and returns the entry of DescribeCustomKeyStores."""
    def entry():
        found = describe(kms, store)
        return found if not found["ConnectionState"].endswith("ING") else None

    return eventually(entry, "end of CONNECTING or DISCONNECTING", seconds)


def connect(kms, store):
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    return settled(kms, store)


def disconnect(kms, store):
    kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    entry = settled(kms, store)
    assert entry["ConnectionState"] == "DISCONNECTED"
    return entry


def connected(kms, pin, **more):
    store = create(kms, pin, **more)
    entry = connect(kms, store)
    assert entry["ConnectionState"] == "CONNECTED", entry
    return store
