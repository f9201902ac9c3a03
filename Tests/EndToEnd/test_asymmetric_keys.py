"""Asymmetric and HMAC keys: what leaves the server is checked outside of it."""

import hashlib
import hmac

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from support.expect import DRY_RUN, refused

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "ECC_NIST_P256": ("ECDSA_SHA_256", ec.SECP256R1()), "ECC_NIST_P384": ("ECDSA_SHA_384", ec.SECP384R1()),
    "ECC_NIST_P521": ("ECDSA_SHA_512", ec.SECP521R1()), "ECC_SECG_P256K1": ("ECDSA_SHA_256", ec.SECP256K1()),
}
RSA_SIGNING = [f"RSASSA_{scheme}_SHA_{size}" for scheme in ["PKCS1_V1_5", "PSS"] for size in HASHES]
MESSAGE = b"attack at dawn"


def public_key(kms, key):
    return serialization.load_der_public_key(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])


def check(public, algorithm, signature, message):
    """Verifies outside of the server."""
    hash_ = HASHES[algorithm[-3:]]
    if algorithm.startswith("ECDSA"):
        public.verify(signature, message, ec.ECDSA(hash_))
    elif "PSS" in algorithm:
        public.verify(signature, message, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
    else:
        public.verify(signature, message, padding.PKCS1v15(), hash_)


@pytest.fixture(scope="module")
def rsa_keys():
    return {}


@pytest.mark.parametrize("algorithm", RSA_SIGNING)
def test_rsa_signs_messages_and_digests(kms, create_key, placement, rsa_keys, algorithm):
    if placement not in rsa_keys:
        rsa_keys[placement] = create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    key = rsa_keys[placement]
    assert key["SigningAlgorithms"] == RSA_SIGNING
    arguments = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm}
    answer = kms.sign(Message=MESSAGE, **arguments)
    assert answer["KeyId"] == key["Arn"]
    public = public_key(kms, key)
    check(public, algorithm, answer["Signature"], MESSAGE)
    digest = hashlib.new("sha" + algorithm[-3:], MESSAGE).digest()
    of_digest = kms.sign(Message=digest, MessageType="DIGEST", **arguments)["Signature"]
    check(public, algorithm, of_digest, MESSAGE)
    assert kms.verify(Message=MESSAGE, Signature=of_digest, **arguments)["SignatureValid"] is True
    assert kms.verify(Message=digest, MessageType="DIGEST", Signature=answer["Signature"], **arguments)["SignatureValid"]
    with refused("KMSInvalidSignatureException", silent=True):
        kms.verify(Message=MESSAGE + b"!", Signature=of_digest, **arguments)
    with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}."):
        kms.sign(Message=digest[:-1], MessageType="DIGEST", **arguments)
    with refused(*DRY_RUN):
        kms.sign(Message=MESSAGE, DryRun=True, **arguments)


@pytest.mark.parametrize("spec", CURVES)
def test_curves_sign(kms, create_key, spec):
    algorithm, curve = CURVES[spec]
    key = create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    assert key["SigningAlgorithms"] == [algorithm]
    public = public_key(kms, key)
    assert public.curve.name == curve.name
    signature = kms.sign(KeyId=key["KeyId"], Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    utils.decode_dss_signature(signature)
    check(public, algorithm, signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        check(public, algorithm, signature, MESSAGE + b"!")
    assert kms.verify(KeyId=key["KeyId"], Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)["SignatureValid"]
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=key["KeyId"], Message=MESSAGE, SigningAlgorithm="RSASSA_PSS_SHA_256")


def test_ed25519_signs_messages(kms, create_key):
    key = create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    signature = kms.sign(KeyId=key["KeyId"], Message=MESSAGE, SigningAlgorithm="ED25519_SHA_512")["Signature"]
    public_key(kms, key).verify(signature, MESSAGE)
    with refused("ValidationException"):
        kms.sign(
            KeyId=key["KeyId"], Message=hashlib.sha512(MESSAGE).digest(), MessageType="DIGEST",
            SigningAlgorithm="ED25519_SHA_512")


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_rsa_encrypts(kms, create_key, key, algorithm):
    asymmetric = create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    assert asymmetric["EncryptionAlgorithms"] == ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
    arguments = {"KeyId": asymmetric["KeyId"], "EncryptionAlgorithm": algorithm}
    hash_ = hashes.SHA1() if algorithm.endswith("_1") else hashes.SHA256()
    outside = public_key(kms, asymmetric).encrypt(MESSAGE, padding.OAEP(padding.MGF1(hash_), hash_, None))
    inside = kms.encrypt(Plaintext=MESSAGE, **arguments)["CiphertextBlob"]
    for ciphertext in (outside, inside):
        answer = kms.decrypt(CiphertextBlob=ciphertext, **arguments)
        assert (answer["Plaintext"], answer["EncryptionAlgorithm"]) == (MESSAGE, algorithm)
        assert "KeyMaterialId" not in answer
    limit = 214 if algorithm.endswith("_1") else 190
    assert kms.encrypt(Plaintext=b"x" * limit, **arguments)
    with refused(
            "ValidationException",
            f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes."):
        kms.encrypt(Plaintext=b"x" * (limit + 1), **arguments)
    with refused("ValidationException"):
        kms.encrypt(Plaintext=MESSAGE, EncryptionContext={"a": "b"}, **arguments)
    for wrong in (bytes([inside[0] ^ 1]) + inside[1:], inside[:-1], b"x"):
        with refused("InvalidCiphertextException", silent=True):
            kms.decrypt(CiphertextBlob=wrong, **arguments)
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=asymmetric["KeyId"], Plaintext=MESSAGE)
    # To and from a symmetric key.
    there = kms.re_encrypt(
        CiphertextBlob=inside, SourceKeyId=asymmetric["KeyId"], SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=key["KeyId"])
    back = kms.re_encrypt(
        CiphertextBlob=there["CiphertextBlob"], DestinationKeyId=asymmetric["KeyId"],
        DestinationEncryptionAlgorithm=algorithm)
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"], **arguments)["Plaintext"] == MESSAGE


@pytest.mark.parametrize("size", [224, 256, 384, 512])
def test_macs(kms, create_key, size):
    key = create_key(KeySpec=f"HMAC_{size}", KeyUsage="GENERATE_VERIFY_MAC")
    algorithm = f"HMAC_SHA_{size}"
    assert key["MacAlgorithms"] == [algorithm]
    arguments = {"KeyId": key["KeyId"], "MacAlgorithm": algorithm}
    code = kms.generate_mac(Message=MESSAGE, **arguments)["Mac"]
    assert len(code) == size // 8
    assert not hmac.compare_digest(code, kms.generate_mac(Message=MESSAGE + b"!", **arguments)["Mac"])
    assert kms.verify_mac(Message=MESSAGE, Mac=code, **arguments)["MacValid"] is True
    for wrong in (code[:-1], code + b"x", bytes([code[0] ^ 1]) + code[1:]):
        with refused("KMSInvalidMacException", silent=True):
            kms.verify_mac(Message=MESSAGE, Mac=wrong, **arguments)
    with refused("UnsupportedOperationException"):
        kms.get_public_key(KeyId=key["KeyId"])
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=MESSAGE)


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_shared_secrets(kms, create_key, spec):
    key = create_key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")
    assert key["KeyAgreementAlgorithms"] == ["ECDH"]
    peer = ec.generate_private_key(CURVES[spec][1])
    der = peer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    arguments = {"KeyId": key["KeyId"], "KeyAgreementAlgorithm": "ECDH"}
    secret = kms.derive_shared_secret(PublicKey=der, **arguments)["SharedSecret"]
    assert secret == peer.exchange(ec.ECDH(), public_key(kms, key))
    other = ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for wrong in (other, der[:-1], der + b"x", b"x"):
        with refused("ValidationException", silent=True):
            kms.derive_shared_secret(PublicKey=wrong, **arguments)


def test_a_dry_run_ends_like_the_call(kms, create_key):
    """What would fail fails, also where only the key can tell; what would succeed shows nothing."""
    signing = create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    decrypting = create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    coding = create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    agreeing = create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyId"]
    with_signing = {"KeyId": signing, "SigningAlgorithm": "ECDSA_SHA_256"}
    with_rsa = {"KeyId": decrypting, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    with_code = {"KeyId": coding, "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
    with_agreement = {"KeyId": agreeing, "KeyAgreementAlgorithm": "ECDH"}
    signature = kms.sign(Message=MESSAGE, **with_signing)["Signature"]
    ciphertext = kms.encrypt(Plaintext=MESSAGE, **with_rsa)["CiphertextBlob"]
    code = kms.generate_mac(**with_code)["Mac"]
    peer = kms.get_public_key(KeyId=agreeing)["PublicKey"]
    wrong = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    for expected, call in [
        (DRY_RUN, lambda: kms.sign(Message=MESSAGE, DryRun=True, **with_signing)),
        (("ValidationException",),
         lambda: kms.sign(Message=b"short", MessageType="DIGEST", DryRun=True, **with_signing)),
        (DRY_RUN, lambda: kms.verify(Message=MESSAGE, Signature=signature, DryRun=True, **with_signing)),
        (("KMSInvalidSignatureException", ""),
         lambda: kms.verify(Message=b"other", Signature=signature, DryRun=True, **with_signing)),
        (DRY_RUN, lambda: kms.encrypt(Plaintext=MESSAGE, DryRun=True, **with_rsa)),
        (("ValidationException",), lambda: kms.encrypt(Plaintext=b"x" * 191, DryRun=True, **with_rsa)),
        (DRY_RUN, lambda: kms.decrypt(CiphertextBlob=ciphertext, DryRun=True, **with_rsa)),
        (("InvalidCiphertextException", ""), lambda: kms.decrypt(CiphertextBlob=wrong, DryRun=True, **with_rsa)),
        (DRY_RUN, lambda: kms.generate_mac(DryRun=True, **with_code)),
        (DRY_RUN, lambda: kms.verify_mac(Mac=code, DryRun=True, **with_code)),
        (("KMSInvalidMacException", ""), lambda: kms.verify_mac(Mac=code[::-1], DryRun=True, **with_code)),
        (DRY_RUN, lambda: kms.derive_shared_secret(PublicKey=peer, DryRun=True, **with_agreement)),
        (("ValidationException", ""),
         lambda: kms.derive_shared_secret(PublicKey=peer[:-1], DryRun=True, **with_agreement)),
    ]:
        with refused(*expected):
            call()


def test_data_key_pairs(kms):
    key = kms.create_key()["KeyMetadata"]
    context = {"purpose": "pairs"}
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"]:
        arguments = {"KeyId": key["KeyId"], "KeyPairSpec": spec, "EncryptionContext": context}
        pair = kms.generate_data_key_pair(**arguments)
        private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
        assert private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == pair["PublicKey"]
        opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"], EncryptionContext=context)["Plaintext"]
        assert opened == pair["PrivateKeyPlaintext"]
        without = kms.generate_data_key_pair_without_plaintext(**arguments)
        assert "PrivateKeyPlaintext" not in without and without["PublicKey"] != pair["PublicKey"]
    with refused(*DRY_RUN):
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="RSA_4096", DryRun=True)


def test_a_custom_key_store_makes_no_data_key_pairs(kms, server):
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]
    with refused("UnsupportedOperationException"):
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="RSA_2048")


def test_keys_outlive_a_restart(new_server):
    server = new_server()
    kms = server.client()
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    code_key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    code = kms.generate_mac(KeyId=code_key["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
    public = kms.get_public_key(KeyId=signing["KeyId"])["PublicKey"]
    server.restart()
    kms = server.client()
    assert kms.get_public_key(KeyId=signing["KeyId"])["PublicKey"] == public
    signature = kms.sign(KeyId=signing["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    check(serialization.load_der_public_key(public), "ECDSA_SHA_256", signature, MESSAGE)
    assert kms.verify_mac(KeyId=code_key["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_256", Mac=code)["MacValid"]
