"""One good call of every cryptographic operation that a key has."""

from support.key_specs import MATRIX

# Operations that a key of a usage has, by the method of boto3.
BY_USAGE = {
    "ENCRYPT_DECRYPT": {"encrypt": "Encrypt", "decrypt": "Decrypt", "re_encrypt": "ReEncrypt"},
    "SIGN_VERIFY": {"sign": "Sign", "verify": "Verify"},
    "GENERATE_VERIFY_MAC": {"generate_mac": "GenerateMac", "verify_mac": "VerifyMac"},
    "KEY_AGREEMENT": {"derive_shared_secret": "DeriveSharedSecret"},
    "ENCAPSULATE_DECAPSULATE": {"encapsulate": "Encapsulate", "decapsulate": "Decapsulate"},
}
# And what symmetric encryption keys have besides; key pairs not in a custom key store.
DATA_KEYS = {
    "generate_data_key": "GenerateDataKey", "generate_data_key_without_plaintext": "GenerateDataKeyWithoutPlaintext"}
DATA_KEY_PAIRS = {
    "generate_data_key_pair": "GenerateDataKeyPair",
    "generate_data_key_pair_without_plaintext": "GenerateDataKeyPairWithoutPlaintext"}
NAMES = {**DATA_KEYS, **DATA_KEY_PAIRS}
for _operations in BY_USAGE.values():
    NAMES.update(_operations)

# One kind of key for each set of operations.
KINDS = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"), ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "KEY_AGREEMENT"), ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")]


def calls(kms, key):
    """Arguments with which every operation of an enabled key succeeds, by the method of boto3."""
    spec, usage, name = key["KeySpec"], key["KeyUsage"], {"KeyId": key["KeyId"]}
    algorithm = MATRIX[spec, usage][0]
    match usage:
        case "ENCRYPT_DECRYPT":
            named = {"EncryptionAlgorithm": algorithm}
            blob = kms.encrypt(Plaintext=b"x", **named, **name)["CiphertextBlob"]
            made = {
                "encrypt": {"Plaintext": b"x", **named, **name},
                "decrypt": {"CiphertextBlob": blob, **named, **name},
                "re_encrypt": {
                    "CiphertextBlob": blob, "SourceKeyId": key["KeyId"], "SourceEncryptionAlgorithm": algorithm,
                    "DestinationKeyId": key["KeyId"], "DestinationEncryptionAlgorithm": algorithm}}
            if spec == "SYMMETRIC_DEFAULT":
                made.update({method: {"KeySpec": "AES_256", **name} for method in DATA_KEYS})
                if "CustomKeyStoreId" not in key:
                    made.update({method: {"KeyPairSpec": "ECC_NIST_P256", **name} for method in DATA_KEY_PAIRS})
            return made
        case "SIGN_VERIFY":
            named = {"Message": b"x", "SigningAlgorithm": algorithm, **name}
            return {"sign": named, "verify": {"Signature": kms.sign(**named)["Signature"], **named}}
        case "GENERATE_VERIFY_MAC":
            named = {"Message": b"x", "MacAlgorithm": algorithm, **name}
            return {"generate_mac": named, "verify_mac": {"Mac": kms.generate_mac(**named)["Mac"], **named}}
        case "KEY_AGREEMENT":
            public = kms.get_public_key(**name)["PublicKey"]
            return {"derive_shared_secret": {"PublicKey": public, "KeyAgreementAlgorithm": "ECDH", **name}}
        case _:
            named = {"EncapsulationAlgorithm": "ML_KEM", **name}
            blob = kms.encapsulate(**named)["SharedSecretCiphertextBlob"]
            return {"encapsulate": named, "decapsulate": {"SharedSecretCiphertextBlob": blob, **named}}


def with_key(method, arguments, key_id):
    """The same call with another key."""
    names = ["SourceKeyId", "DestinationKeyId"] if method == "re_encrypt" else ["KeyId"]
    return {**arguments, **{name: key_id for name in names}}
