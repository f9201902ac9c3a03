"""Work begun in one key store, or in none, and ended in another: the answers fit together."""

import hashlib

import pytest

from support import custom_store, outside
from support.expect import refused
from support.key_specs import ECDSA, HMAC, MATRIX, NIST_CURVES, PURE, RSA_SIGNING
from support.openssl import openssl

MESSAGE = b"attack at dawn"
SIGNING = [*(("RSA_2048", algorithm) for algorithm in RSA_SIGNING), *ECDSA.items(), ("ECC_NIST_EDWARDS25519", PURE)]
PLACEMENTS = ["default", "custom"]


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_keys_in_two_stores_agree(lender, spec):
    one, two = (lender(spec, "KEY_AGREEMENT", placement) for placement in PLACEMENTS)

    def derive(key, peer):
        return key.kms.derive_shared_secret(
            KeyId=key.id, KeyAgreementAlgorithm="ECDH", PublicKey=peer.public)["SharedSecret"]

    assert derive(one, two) == derive(two, one)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_openssl_verifies_what_any_store_signs(lender, placement, spec, algorithm):
    """A second implementation besides the one of `cryptography`; of the digest where there is one."""
    key = lender(spec, placement=placement)
    signature = key.kms.sign(KeyId=key.id, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    options, data = [], MESSAGE
    if algorithm == PURE:
        options = ["-rawin"]
    else:
        name = f"sha{algorithm[-3:]}"
        data = hashlib.new(name, MESSAGE).digest()
        options = ["-pkeyopt", f"digest:{name}"]
        if "PSS" in algorithm:
            options += ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]
    assert openssl(
        "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-in", "data", "-sigfile", "signature",
        *options, key=key.public, data=data, signature=signature).succeeded


@pytest.mark.parametrize("spec", HMAC)
def test_macs_of_two_stores_are_of_two_keys(lender, spec):
    algorithm = MATRIX[spec, "GENERATE_VERIFY_MAC"][0]
    keys = [lender(spec, "GENERATE_VERIFY_MAC", placement) for placement in PLACEMENTS]
    macs = {key.kms.generate_mac(KeyId=key.id, Message=MESSAGE, MacAlgorithm=algorithm)["Mac"] for key in keys}
    assert len(macs) == 2


def test_without_its_key_store_a_key_does_nothing(server, own_kms):
    """Not even what only needs the public key, which is known here (KMS Developer Guide, key states)."""
    store = custom_store.connected(own_kms, server.pin)
    key = own_kms.create_key(
        KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
    named = {"KeyId": key["KeyId"], "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = own_kms.sign(**named)["Signature"]
    public = own_kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    custom_store.disconnect(own_kms, store)
    for call in [
        lambda: own_kms.sign(**named), lambda: own_kms.verify(Signature=signature, **named),
        lambda: own_kms.get_public_key(KeyId=key["KeyId"]),
    ]:
        with refused("KMSInvalidStateException", f"{key['Arn']} is unavailable."):
            call()
    described = own_kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (described["KeyState"], described["SigningAlgorithms"]) == ("Unavailable", ["ECDSA_SHA_256"])
    assert outside.is_valid(public, "ECDSA_SHA_256", signature, MESSAGE)
    assert custom_store.connect(own_kms, store)["ConnectionState"] == "CONNECTED"
    assert own_kms.verify(Signature=signature, **named)["SignatureValid"]
