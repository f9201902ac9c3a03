"""Every class of operation that reaches a token, made again and again, with a memory of what was acknowledged."""

import botocore.exceptions

from support import faulty, wrapping
from support.server import eventually

# What AWS answers while a key store is not there. Keys that are on a token because it is the default key store
# never heard of custom key stores, so that SDKs may try again.
DEFAULT_ERRORS = {"KeyUnavailableException", "DependencyTimeoutException", "KMSInternalException"}
CUSTOM_ERRORS = {"KMSInvalidStateException", "KMSInternalException"}
MESSAGE = b"attack at dawn"


def code_of(call, *arguments):
    """The error code of a call; None for an answer."""
    try:
        call(*arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


class Workload:
    """Keys in one place: on the default key store, or in a custom key store."""

    # The spec of the key whose material is imported.
    imported = "SYMMETRIC_DEFAULT"

    def __init__(self, kms, store=None):
        self.kms, self.store = kms, store
        self.allowed = CUSTOM_ERRORS if store else DEFAULT_ERRORS
        self.where = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store} if store else {}
        self.outside = {"CustomKeyStoreId": store} if store else {}
        self.created = []
        self.cipher = self.new_cipher()
        self.ecc = self.new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.hmac = self.new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        self.external = wrapping.create(kms, self.imported, **self.outside)
        self.material = wrapping.material(self.imported)
        self.request = wrapping.request(self.external, wrapping.parameters(kms, self.external), self.material)
        self.has_material = False
        self.blobs, self.signatures = [], []
        self.encrypt()
        self.import_material()
        self.external_answer = self.use_material()
        self.mac = self.make_mac()
        self.doomed = self.new_cipher()

    def new_key(self, **more):
        key = self.kms.create_key(**self.where, **more)["KeyMetadata"]
        self.created.append(key)
        return key

    def new_cipher(self):
        """A key that encrypts and decrypts."""
        return self.new_key()

    @property
    def operations(self):
        """By name: what makes the call, and remembers what it acknowledged."""
        found = {
            "Encrypt": self.encrypt, "Decrypt": self.decrypt, "GenerateDataKey": self.generate_data_key,
            "Sign": self.sign, "GenerateMac": self.generate_mac, "CreateKey": self.new_cipher,
            "CreateKey of a pair": lambda: self.new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
            "ImportKeyMaterial": self.import_material, "DeleteImportedKeyMaterial": self.delete_material,
            "ScheduleKeyDeletion": self.schedule_deletion,
        }
        if self.store:
            found["GenerateRandom"] = self.generate_random
        return found

    def prepare(self, operation):
        """Brings about, on a healthy token, what the operation needs; raises where the token is not well yet."""
        self.generate_mac()
        if operation == "ImportKeyMaterial" and self.has_material:
            self.delete_material()
        if operation == "DeleteImportedKeyMaterial" and not self.has_material:
            self.import_material()
        if operation == "ScheduleKeyDeletion":
            state = self.kms.describe_key(KeyId=self.doomed["KeyId"])["KeyMetadata"]["KeyState"]
            if state == "PendingDeletion":
                self.kms.cancel_key_deletion(KeyId=self.doomed["KeyId"])

    def encrypt(self):
        answer = self.kms.encrypt(KeyId=self.cipher["KeyId"], Plaintext=MESSAGE)
        self.blobs.append((answer["CiphertextBlob"], MESSAGE))

    def decrypt(self):
        blob, plaintext = self.blobs[-1]
        assert self.opened(blob) == plaintext

    def opened(self, blob):
        return self.kms.decrypt(CiphertextBlob=blob)["Plaintext"]

    def generate_data_key(self):
        answer = self.kms.generate_data_key(KeyId=self.cipher["KeyId"], KeySpec="AES_256")
        self.blobs.append((answer["CiphertextBlob"], answer["Plaintext"]))

    def sign(self):
        answer = self.kms.sign(KeyId=self.ecc["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
        self.signatures.append(answer["Signature"])

    def make_mac(self):
        return self.kms.generate_mac(KeyId=self.hmac["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]

    def generate_mac(self):
        assert self.make_mac() == self.mac

    def import_material(self):
        self.kms.import_key_material(**self.request)
        self.has_material = True

    def delete_material(self):
        self.kms.delete_imported_key_material(KeyId=self.external["KeyId"])
        self.has_material = False

    def use_material(self):
        """What only this material answers, now and later."""
        return self.kms.encrypt(KeyId=self.external["KeyId"], Plaintext=MESSAGE)["CiphertextBlob"]

    def knows_material(self):
        return self.kms.decrypt(CiphertextBlob=self.external_answer)["Plaintext"] == MESSAGE

    def schedule_deletion(self):
        self.kms.schedule_key_deletion(KeyId=self.doomed["KeyId"], PendingWindowInDays=7)

    def generate_random(self):
        answer = self.kms.generate_random(NumberOfBytes=32, CustomKeyStoreId=self.store)
        assert len(answer["Plaintext"]) == 32

    # What must be true afterwards

    def works(self):
        """Raises unless every operation works."""
        for operation, call in self.operations.items():
            self.prepare(operation)
            call()

    def lost(self):
        """What was acknowledged and is not there: descriptions, none in a right world."""
        lost = []
        for blob, plaintext in self.blobs:
            if code_of(lambda: self.check(self.opened(blob) == plaintext)):
                lost.append("a ciphertext")
        for signature in self.signatures:
            if code_of(lambda: self.kms.verify(
                    KeyId=self.ecc["KeyId"], Message=MESSAGE, Signature=signature,
                    SigningAlgorithm="ECDSA_SHA_256")):
                lost.append("a signature that verifies")
        for key in self.created:
            if code_of(lambda: self.use(key)):
                lost.append(f"{key['KeySpec']} key {key['KeyId']}")
        # Imported or deleted, as was acknowledged last; and the same bytes as ever.
        self.prepare("DeleteImportedKeyMaterial")
        if code_of(lambda: self.check(self.knows_material())):
            lost.append("imported key material")
        return lost

    @staticmethod
    def check(is_right):
        assert is_right

    def use(self, key):
        if key is self.doomed:
            self.kms.describe_key(KeyId=key["KeyId"])
        elif key["KeyUsage"] == "ENCRYPT_DECRYPT":
            self.kms.encrypt(KeyId=key["KeyId"], Plaintext=MESSAGE, EncryptionAlgorithm=key["EncryptionAlgorithms"][0])
        elif key["KeySpec"] == "ECC_NIST_P256":
            self.kms.sign(KeyId=key["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
        else:
            self.kms.generate_mac(KeyId=key["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")

    @property
    def expected_labels(self):
        """The labels of the objects that a token must hold, one each; wrapping keys for imports aside."""
        keys = [key["Arn"] for key in self.created]
        return sorted(keys + ([self.external["Arn"]] if self.has_material else []))


class WorkloadWithoutSymmetricKeys(Workload):
    """For a token without AES-GCM: RSA encrypts, and the imported material is that of an HMAC key."""

    imported = "HMAC_256"
    algorithm = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}

    def new_cipher(self):
        return self.new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")

    @property
    def operations(self):
        return {name: call for name, call in super().operations.items() if name != "GenerateDataKey"}

    def encrypt(self):
        answer = self.kms.encrypt(KeyId=self.cipher["KeyId"], Plaintext=MESSAGE, **self.algorithm)
        self.blobs.append((answer["CiphertextBlob"], MESSAGE))

    def opened(self, blob):
        return self.kms.decrypt(KeyId=self.cipher["KeyId"], CiphertextBlob=blob, **self.algorithm)["Plaintext"]

    def use_material(self):
        return self.kms.generate_mac(
            KeyId=self.external["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]

    def knows_material(self):
        return self.use_material() == self.external_answer


def leaves_nothing(objects, workloads, seconds=60):
    """Waits until the token holds the key material of what was acknowledged, each once, and nothing else."""
    expected = sorted(label for workload in workloads for label in workload.expected_labels)

    def found():
        return sorted(label for label in faulty.labels(objects()).elements() if not label.startswith("import "))

    try:
        eventually(lambda: found() == expected, "a token without orphans", seconds)
    except AssertionError:
        assert found() == expected
        raise
