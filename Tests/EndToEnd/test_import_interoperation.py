"""The same bytes imported into two servers, one with its keys in software and one with its keys on a token: whatever
one of them makes, the other takes, and so does a program that has the bytes."""

import hmac
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import curves, outside, wrapping
from support.expect import INCORRECT_KEY, refused
from support.key_specs import HMAC, MATRIX, NIST_CURVES, OAEP, RSA
from support.materials import server
from support.server import servers
from support.wrapping import ELLIPTIC

MESSAGE = b"attack at dawn"


@pytest.fixture(scope="module")
def other(default_store):
    """A server whose keys live where those of the first do not."""
    with servers() as make:
        yield make({"software": "token", "token": "software"}[default_store])


@pytest.fixture
def pairs(server, other):
    """Imports the same material into both servers, and into a custom key store of the first: clients with the ids of
    their KMS keys, every two of them in both orders."""
    def make(spec, usage=None):
        made = []
        for one, where in [
                (server, {}), (other, {}), (server, {"CustomKeyStoreId": server.ready["customKeyStoreId"]})]:
            kms = one.client()
            key = wrapping.create(kms, spec, usage, **where)
            wrapping.bring(kms, key)
            made.append((kms, key["KeyId"]))
        assert len({key for _, key in made}) == 3
        return list(itertools.permutations(made, 2))

    return make


@pytest.mark.parametrize("spec", HMAC)
def test_message_authentication_codes(pairs, spec):
    [algorithm] = MATRIX[spec, "GENERATE_VERIFY_MAC"]
    for (here, key), (there, its_key) in pairs(spec):
        mac = here.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm=algorithm)["Mac"]
        assert mac == hmac.digest(wrapping.material(spec), MESSAGE, f"sha{spec[5:]}")
        named = {"KeyId": its_key, "Mac": mac, "MacAlgorithm": algorithm}
        assert there.verify_mac(Message=MESSAGE, **named)["MacValid"]
        with refused("KMSInvalidMacException", silent=True):
            there.verify_mac(Message=MESSAGE + b"!", **named)


@pytest.mark.parametrize("spec", [*RSA, *ELLIPTIC])
def test_signatures(pairs, spec):
    for (here, key), (there, its_key) in pairs(spec):
        assert here.get_public_key(KeyId=key)["PublicKey"] == wrapping.public(spec)
        for algorithm in MATRIX[spec, "SIGN_VERIFY"]:
            named = {"Message": MESSAGE, "SigningAlgorithm": algorithm}
            signature = here.sign(KeyId=key, **named)["Signature"]
            assert there.verify(KeyId=its_key, Signature=signature, **named)["SignatureValid"]
            assert outside.is_valid(wrapping.public(spec), algorithm, signature, MESSAGE)


@pytest.mark.parametrize("spec", RSA)
def test_encryption(pairs, spec):
    for (here, key), (there, its_key) in pairs(spec, "ENCRYPT_DECRYPT"):
        for algorithm in OAEP:
            named = {"EncryptionAlgorithm": algorithm}
            blob = here.encrypt(KeyId=key, Plaintext=MESSAGE, **named)["CiphertextBlob"]
            assert there.decrypt(KeyId=its_key, CiphertextBlob=blob, **named)["Plaintext"] == MESSAGE
            assert wrapping.private_key(spec).decrypt(blob, wrapping.oaep(algorithm)) == MESSAGE


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_agreement(pairs, spec):
    peer = ec.generate_private_key(curves.CURVES[spec])
    public = outside.der(peer.public_key())
    expected = peer.exchange(ec.ECDH(), wrapping.private_key(spec).public_key())
    for pair in pairs(spec, "KEY_AGREEMENT"):
        for kms, key in pair:
            answer = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public)
            assert answer["SharedSecret"] == expected


def test_ciphertexts_of_symmetric_keys_stay_with_their_key(pairs):
    """KMS API, ImportKeyMaterial: the same material in another KMS key does not decrypt them."""
    for (here, key), (there, its_key) in pairs("SYMMETRIC_DEFAULT"):
        blob = here.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        assert here.decrypt(CiphertextBlob=blob)["Plaintext"] == MESSAGE
        with refused(*INCORRECT_KEY):
            there.decrypt(KeyId=its_key, CiphertextBlob=blob)
