"""Imported RSA and EC key pairs at work: what they do fits the public key that was there before."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import curves, outside, wrapping
from support.expect import refused
from support.key_specs import MATRIX, NIST_CURVES, OAEP, RSA
from support.materials import Importer, server
from support.openssl import openssl
from support.wrapping import ELLIPTIC

MESSAGE = b"attack at dawn"


@pytest.fixture
def bring(kms, create_external):
    """Makes a KMS key and imports the key pair with this number."""
    def make(spec, usage="SIGN_VERIFY", number=0, secret=None):
        key = create_external(spec, usage)
        assert "CurrentKeyMaterialId" not in key
        answer = wrapping.bring(kms, key, wrapping.material(spec, number) if secret is None else secret)
        assert "KeyMaterialId" not in answer
        described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        assert described["KeyState"] == "Enabled" and "CurrentKeyMaterialId" not in described
        return key

    return make


@pytest.mark.parametrize("spec", [*RSA, *ELLIPTIC])
def test_signatures(kms, bring, spec):
    key, private = bring(spec), wrapping.private_key(spec)
    assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public(spec)
    for algorithm in MATRIX[spec, "SIGN_VERIFY"]:
        named = {"KeyId": key["KeyId"], "Message": MESSAGE, "SigningAlgorithm": algorithm}
        assert outside.is_valid(wrapping.public(spec), algorithm, kms.sign(**named)["Signature"], MESSAGE)
        assert kms.verify(Signature=outside.sign(private, algorithm, MESSAGE), **named)["SignatureValid"]


@pytest.mark.parametrize("spec", RSA)
def test_decryption(kms, bring, spec):
    key, public = bring(spec, "ENCRYPT_DECRYPT"), wrapping.private_key(spec).public_key()
    assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public(spec)
    for algorithm in OAEP:
        named = {"KeyId": key["KeyId"], "EncryptionAlgorithm": algorithm}
        blob = public.encrypt(MESSAGE, wrapping.oaep(algorithm))
        assert kms.decrypt(CiphertextBlob=blob, **named)["Plaintext"] == MESSAGE
        blob = kms.encrypt(Plaintext=MESSAGE, **named)["CiphertextBlob"]
        assert wrapping.private_key(spec).decrypt(blob, wrapping.oaep(algorithm)) == MESSAGE


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_agreement(kms, bring, spec):
    key, peer = bring(spec, "KEY_AGREEMENT"), ec.generate_private_key(curves.CURVES[spec])
    answer = kms.derive_shared_secret(
        KeyId=key["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=outside.der(peer.public_key()))
    assert answer["SharedSecret"] == peer.exchange(ec.ECDH(), wrapping.private_key(spec).public_key())


# Encodings of one key pair: RFC 5208, RFC 5915

def encodings(spec):
    """Other PKCS#8 forms of the same EC key pair: without the public key, by another writer."""
    private = wrapping.private_key(spec)
    sec1 = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    by_openssl = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", "key", "-out", "out", key=sec1).out
    bare = openssl(
        "ec", "-no_public", "-in", "key", "-outform", "DER", "-out", "out", key=wrapping.material(spec)).out
    without_public = openssl(
        "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER", "-in", "key", "-out", "out", key=bare).out
    return {"by openssl": by_openssl, "without the public key": without_public}


@pytest.mark.parametrize("spec", ELLIPTIC)
@pytest.mark.parametrize("form", ["by openssl", "without the public key"])
def test_encodings_of_one_key_pair(kms, bring, spec, form):
    key = bring(spec, secret=encodings(spec)[form])
    assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public(spec)


def test_scalars_with_leading_zeros(kms, bring):
    """A number has as many bytes as the order of its group, whatever its value."""
    for number in [1, 2**200 + 7, curves.ORDERS["ECC_NIST_P256"] - 1]:
        private = ec.derive_private_key(number, ec.SECP256R1())
        key = bring("ECC_NIST_P256", secret=wrapping.pkcs8(private))
        public = outside.der(private.public_key())
        assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == public
        signature = kms.sign(KeyId=key["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
        assert outside.is_valid(public, "ECDSA_SHA_256", signature, MESSAGE)


# One key pair on two servers

def test_the_same_material_on_two_servers(kms, new_server):
    other = new_server().client()
    keys = {}
    for spec, usage in [
            ("HMAC_256", "GENERATE_VERIFY_MAC"), ("RSA_2048", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT"),
            ("ECC_NIST_P384", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT")]:
        made = [wrapping.create(client, spec, usage) for client in [kms, other]]
        for client, key in zip([kms, other], made):
            wrapping.bring(client, key)
        keys[spec, usage] = [key["KeyId"] for key in made]

    here, there = keys["HMAC_256", "GENERATE_VERIFY_MAC"]
    mac = kms.generate_mac(KeyId=here, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert other.verify_mac(KeyId=there, Message=MESSAGE, Mac=mac, MacAlgorithm="HMAC_SHA_256")["MacValid"]
    for spec, algorithm in [("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P384", "ECDSA_SHA_384")]:
        here, there = keys[spec, "SIGN_VERIFY"]
        signature = kms.sign(KeyId=here, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
        answer = other.verify(KeyId=there, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)
        assert answer["SignatureValid"]
    here, there = keys["RSA_2048", "ENCRYPT_DECRYPT"]
    blob = kms.encrypt(KeyId=here, Plaintext=MESSAGE, EncryptionAlgorithm="RSAES_OAEP_SHA_256")["CiphertextBlob"]
    answer = other.decrypt(KeyId=there, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert answer["Plaintext"] == MESSAGE
    secrets = {
        client.derive_shared_secret(
            KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=wrapping.public("ECC_NIST_P256", 1))["SharedSecret"]
        for client, key in zip([kms, other], keys["ECC_NIST_P256", "KEY_AGREEMENT"])}
    assert len(secrets) == 1


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "HMAC_256"])
def test_only_the_same_material_is_taken_back(kms, create_external, spec):
    """For life, also after its deletion (KMS API, ImportKeyMaterial)."""
    key = create_external(spec)
    bring = Importer(kms, key)
    for wanted in ["Enabled", "PendingImport"]:
        bring(wrapping.material(spec))
        if wanted == "PendingImport":
            kms.delete_imported_key_material(KeyId=key["KeyId"])
        with refused("IncorrectKeyMaterialException"):
            bring(wrapping.material(spec, 1))
        assert wrapping.state(kms, key) == wanted
        assert bring(wrapping.material(spec)) is None
        assert wrapping.state(kms, key) == "Enabled"
