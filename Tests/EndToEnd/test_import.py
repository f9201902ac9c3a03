"""Imported key material: every wrapping algorithm, wrapping key and key spec; symmetric and HMAC keys at work."""

import base64
import hmac
import os
import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from support import outside, wrapping
from support import server as server_module
from support.expect import refused
from support.key_specs import HMAC, MATRIX
from support.materials import server
from support.wrapping import ALGORITHMS, FOREVER, IMPORTABLE, TOOLS, WRAPPING_KEYS

# Every algorithm with every wrapping key and, with the wrapping keys in turn, with every key spec; not all three with
# each other: wrapping keys take a processor seconds, and what is unwrapped knows nothing of the key that wrapped it. The
# longest material goes with the longest wrapping key as well.
COMBINATIONS = list(dict.fromkeys([
    *((algorithm, wrapping_key, "SYMMETRIC_DEFAULT") for algorithm in ALGORITHMS for wrapping_key in WRAPPING_KEYS),
    *((algorithm, wrapping.in_turn(index + number, algorithm, spec), spec) for index, spec in enumerate(IMPORTABLE)
      if index > 0 for number, algorithm in enumerate(ALGORITHMS) if wrapping.allowed(algorithm, "RSA_4096", spec)),
    ("RSA_AES_KEY_WRAP_SHA_256", "RSA_4096", "RSA_4096")]))
REFUSED = [
    (algorithm, wrapping_key, spec) for spec in IMPORTABLE for algorithm in ALGORITHMS
    for wrapping_key in WRAPPING_KEYS if not wrapping.allowed(algorithm, wrapping_key, spec)]


def mac(kms, key, message=b"x"):
    [algorithm] = MATRIX[key["KeySpec"], "GENERATE_VERIFY_MAC"]
    return kms.generate_mac(KeyId=key["KeyId"], Message=message, MacAlgorithm=algorithm)["Mac"]


def assert_works(kms, key):
    """The KMS key is the material of its spec."""
    secret, spec = wrapping.material(key["KeySpec"]), key["KeySpec"]
    if spec == "SYMMETRIC_DEFAULT":
        # The format of a ciphertext is the server's own: here only that it works.
        blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"x"
    elif spec in HMAC:
        for message in [b"x", os.urandom(4096)]:
            expected = hmac.digest(secret, message, f"sha{spec[5:]}")
            assert mac(kms, key, message) == expected
            [algorithm] = MATRIX[spec, "GENERATE_VERIFY_MAC"]
            arguments = {"KeyId": key["KeyId"], "Mac": expected, "MacAlgorithm": algorithm}
            assert kms.verify_mac(Message=message, **arguments)["MacValid"]
            with refused("KMSInvalidMacException", silent=True):
                kms.verify_mac(Message=message[1:] + b"!", **arguments)
    else:
        algorithm = MATRIX[spec, "SIGN_VERIFY"][0]
        assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public(spec)
        signature = kms.sign(KeyId=key["KeyId"], Message=b"x", SigningAlgorithm=algorithm)["Signature"]
        assert outside.is_valid(wrapping.public(spec), algorithm, signature, b"x")


def import_with_every_tool(kms, key, algorithm, wrapping_key):
    """An import token serves until it expires: KMS API, GetParametersForImport."""
    given = wrapping.parameters(kms, key, algorithm, wrapping_key)
    assert outside.load(given["PublicKey"]).key_size == int(wrapping_key[4:])
    for tool in TOOLS.values():
        answer = kms.import_key_material(
            **wrapping.request(key, given, wrapping.material(key["KeySpec"]), algorithm, tool))
        assert answer["KeyId"] == key["Arn"]
        assert ("KeyMaterialId" in answer) == (key["KeySpec"] == "SYMMETRIC_DEFAULT")
        assert_works(kms, key)
        kms.delete_imported_key_material(KeyId=key["KeyId"])
        assert wrapping.state(kms, key) == "PendingImport"


@pytest.fixture(scope="module")
def keys():
    """One KMS key of each spec for all combinations."""
    return {}


@pytest.mark.parametrize(("algorithm", "wrapping_key", "spec"), COMBINATIONS)
def test_an_import(kms, keys, algorithm, wrapping_key, spec):
    if spec not in keys:
        keys[spec] = wrapping.create(kms, spec)
    import_with_every_tool(kms, keys[spec], algorithm, wrapping_key)


@pytest.mark.parametrize(("algorithm", "wrapping_key", "spec"), REFUSED)
def test_what_does_not_fit_into_one_block_is_refused(kms, keys, algorithm, wrapping_key, spec):
    if spec not in keys:
        keys[spec] = wrapping.create(kms, spec)
    with refused("UnsupportedOperationException", matching=f"{algorithm} .*cannot wrap .*"):
        wrapping.parameters(kms, keys[spec], algorithm, wrapping_key)


@pytest.mark.parametrize("placement", ["custom"], indirect=True)
@pytest.mark.parametrize("spec", IMPORTABLE)
def test_an_import_into_a_custom_key_store(server, kms, create_external, spec):
    """Beyond AWS, whose custom key stores take no imported material."""
    key = create_external(spec)
    described = {name: key.get(name) for name in ["Origin", "CustomKeyStoreId", "KeyState"]}
    assert described == {
        "Origin": "EXTERNAL", "CustomKeyStoreId": server.ready["customKeyStoreId"], "KeyState": "PendingImport"}
    if spec == "SYMMETRIC_DEFAULT":
        for algorithm in ALGORITHMS:
            import_with_every_tool(kms, key, algorithm, "RSA_2048")
    else:
        import_with_every_tool(kms, key, "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048")


def test_aws_has_no_imported_material_in_custom_key_stores(default_store):
    with server_module.servers() as make:
        server = make(default_store, ["--compatibility", "aws"])
        kms = server.client()
        with refused(
                "ValidationException",
                "CustomKeyStoreId is valid only for an Origin of AWS_CLOUDHSM or EXTERNAL_KEY_STORE."):
            wrapping.create(kms, CustomKeyStoreId=server.ready["customKeyStoreId"])
        key = wrapping.create(kms)
        wrapping.bring(kms, key)
        assert_works(kms, key)


# What GetParametersForImport gives

def test_the_parameters_of_an_import(kms):
    key = wrapping.create(kms)
    one, other = (wrapping.parameters(kms, key) for _ in range(2))
    assert set(one) == {"KeyId", "ImportToken", "PublicKey", "ParametersValidTo", "ResponseMetadata"}
    assert one["KeyId"] == key["Arn"]
    assert abs(one["ParametersValidTo"].timestamp() - time.time() - 86400) < 60
    assert one["PublicKey"] != other["PublicKey"] and one["ImportToken"] != other["ImportToken"]
    assert 1 <= len(one["ImportToken"]) <= 6144
    public = outside.load(one["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey) and public.public_numbers().e == 65537
    assert outside.der(public) == one["PublicKey"]


@pytest.mark.parametrize(("algorithm", "wrapping_key", "code"), [
    ("RSAES_PKCS1_V1_5", "RSA_2048", "UnsupportedOperationException"),
    ("SM2PKE", "SM2", "ValidationException"), ("SM2PKE", "RSA_2048", "ValidationException"),
    ("RSAES_OAEP_SHA_256", "SM2", "ValidationException"), ("RSAES_OAEP_SHA_512", "RSA_2048", "ValidationException"),
    ("RSAES_OAEP_SHA_256", "RSA_1024", "ValidationException"), (None, "RSA_2048", "ValidationException"),
    ("RSAES_OAEP_SHA_256", None, "ValidationException"),
])
def test_algorithms_and_wrapping_keys_that_there_are_not(kms, algorithm, wrapping_key, code):
    arguments = {"WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping_key}
    with refused(code):
        kms.get_parameters_for_import(
            KeyId=wrapping.create(kms)["KeyId"],
            **{name: value for name, value in arguments.items() if value is not None})


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"])
def test_imports_are_for_keys_of_origin_external(kms, spec):
    key = kms.create_key(KeySpec=spec, KeyUsage=IMPORTABLE[spec])["KeyMetadata"]
    text = f"{key['Arn']} origin is AWS_KMS which is not valid for this operation."
    with refused("UnsupportedOperationException", text):
        wrapping.parameters(kms, key)
    with refused("UnsupportedOperationException", text):
        kms.import_key_material(
            KeyId=key["KeyId"], ImportToken=b"x", EncryptedKeyMaterial=b"x", **FOREVER)
    with refused("UnsupportedOperationException", text):
        kms.delete_imported_key_material(KeyId=key["KeyId"])


@pytest.mark.parametrize("spec", ["ECC_NIST_EDWARDS25519", "ML_DSA_65"])
def test_key_specs_that_are_not_imported(kms, spec):
    with refused("UnsupportedOperationException"):
        kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage="SIGN_VERIFY")


# Symmetric encryption

def test_the_same_bytes_in_two_keys_are_two_keys(kms, create_external):
    """The format of a ciphertext binds it to its KMS key (KMS API, ImportKeyMaterial)."""
    secret = os.urandom(32)
    one, other = create_external(), create_external()
    ids = [wrapping.bring(kms, key, secret)["KeyMaterialId"] for key in [one, other]]
    assert ids[0] != ids[1]
    blob = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=other["KeyId"])
    kms.delete_imported_key_material(KeyId=one["KeyId"])
    with refused("KMSInvalidStateException", f"{one['Arn']} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    assert wrapping.bring(kms, one, secret)["KeyMaterialId"] == ids[0]
    answer = kms.decrypt(CiphertextBlob=blob)
    assert (answer["Plaintext"], answer["KeyMaterialId"]) == (b"x", ids[0])


def test_an_import_survives_a_restart(new_server):
    server = new_server()
    kms = server.client()
    kept = {spec: wrapping.create(kms, spec) for spec in ["SYMMETRIC_DEFAULT", "HMAC_384", "RSA_2048", "ECC_NIST_P256"]}
    waiting = wrapping.create(kms)
    given = wrapping.parameters(kms, waiting)
    for key in kept.values():
        wrapping.bring(kms, key)
    blob = kms.encrypt(KeyId=kept["SYMMETRIC_DEFAULT"]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms = server.restart().client()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    for key in kept.values():
        assert_works(kms, key)
    # The wrapping key is still there, too.
    kms.import_key_material(**wrapping.request(waiting, given, os.urandom(32)))
    assert_works(kms, waiting)


# The log

@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048", "ECC_NIST_P256"])
def test_the_log_tells_the_way_of_the_material(server, kms, create_external, placement, default_store, spec):
    key = create_external(spec)
    wrapping.bring(kms, key)
    [line] = [
        line for line in server.log.splitlines() if "unwrapped imported key material" in line and key["Arn"] in line]
    [exposed] = re.findall(r"plaintextInHostMemory\W+(true|false)", line)
    if placement == "default" and default_store == "software":
        assert exposed == "true"
    assert re.search(r"path\W+\S+", line)
    secret = wrapping.material(spec)
    for text in [secret[-32:].hex(), base64.b64encode(secret).decode()[:40]]:
        assert text not in server.log
