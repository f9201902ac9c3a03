"""Keys in the situations of tables/error_texts.toml, and the values that its calls and texts name."""

import os
import uuid

from support import custom_store, wrapping
from support.materials import NEW
from support.principals import allow, root, text

HERE, ELSEWHERE = "us-east-1", "eu-west-1"
DISCONNECTED = "eu-texts-1"
ACCOUNT = "000000000000"
MOST_TAGS, MOST_ROTATIONS = 50, 25
WRAPPING = "RSAES_OAEP_SHA_256"
VALUES = {
    "caller": f"arn:aws:iam::{ACCOUNT}:user/dev", "missing": str(uuid.uuid4()), "129 characters": "x" * 129,
    "257 characters": "x" * 257, "215 bytes": bytes(215), "4097 bytes": bytes(4097),
    "locking-out": text(allow("kms:Describe*", principal=root(ACCOUNT)))}


class Situations:
    """Brings each situation about once. Nothing is done to its key but what is refused."""

    def __init__(self, server):
        self.server, self.made = server, {}
        self.kms, self.away = server.client(HERE), server.client(ELSEWHERE)

    def __getitem__(self, name):
        """The client of the key's Region, and what the table may name."""
        if name not in self.made:
            kms, key, more = (self.kms, {}, {}) if name is None else self.bring_about(name)
            values = {"id": key["KeyId"], "arn": key["Arn"]} if key else {}
            self.made[name] = kms, VALUES | values | more
        return self.made[name]

    def create(self, **arguments):
        return self.kms.create_key(**arguments)["KeyMetadata"]

    def ciphertext(self, kms, key):
        return kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]

    def bring_about(self, name):
        kms, more = self.kms, {}
        match name.split(", "):
            case ["symmetric"]:
                key, other = self.create(), self.create()
                blob = self.ciphertext(kms, key)
                more = {
                    "other": other["KeyId"], "ciphertext": blob, "ciphertext, cut": blob[:-1],
                    "ciphertext, flipped": blob[:-1] + bytes([blob[-1] ^ 1])}
            case ["elsewhere"]:
                key = self.away.create_key()["KeyMetadata"]
                more = {"region": ELSEWHERE, "ciphertext": self.ciphertext(self.away, key)}
            case ["closed"]:
                key = self.create(
                    Policy=text(allow(["kms:Describe*", "kms:PutKeyPolicy"], principal=root(ACCOUNT))))
            case ["replica"]:
                primary = self.create(MultiRegion=True)
                key = kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=ELSEWHERE)["ReplicaKeyMetadata"]
                kms = self.away
            case ["pending replica deletion"]:
                key = self.create(MultiRegion=True)
                kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=ELSEWHERE)
                kms.schedule_key_deletion(KeyId=key["KeyId"])
            case ["disconnected"]:
                kms = self.server.client(DISCONNECTED)
                store = custom_store.connected(kms, self.server.pin)
                key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
                custom_store.disconnect(kms, store)
            case ["fifty tags"]:
                key = self.create(Tags=[{"TagKey": str(index), "TagValue": ""} for index in range(MOST_TAGS)])
            case ["disabled", *then]:
                key = self.create()
                kms.disable_key(KeyId=key["KeyId"])
                if then == ["pending deletion"]:
                    kms.schedule_key_deletion(KeyId=key["KeyId"])
            case ["rotated for the last time"]:
                key = self.create()
                for _ in range(MOST_ROTATIONS):
                    kms.rotate_key_on_demand(KeyId=key["KeyId"])
            case ["without material"]:
                key = wrapping.create(kms)
            case ["material deleted"]:
                key = wrapping.create(kms)
                wrapping.bring(kms, key)
                kms.delete_imported_key_material(KeyId=key["KeyId"])
            case ["imported" | "new material waits"]:
                key, more = self.imported(name == "new material waits")
            case ["HMAC_256" | "HMAC_224" as spec]:
                key = self.create(KeySpec=spec, KeyUsage="GENERATE_VERIFY_MAC")
                more = {"ciphertext": self["symmetric"][1]["ciphertext"]}
            case [spec, *usage]:
                usages = {"encryption": "ENCRYPT_DECRYPT", "agreement": "KEY_AGREEMENT"}
                key = self.create(KeySpec=spec, KeyUsage=usages.get("".join(usage), "SIGN_VERIFY"))
                more = {"public": kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]}
        return kms, key, more

    def imported(self, with_more):
        """A key with material, perhaps with more that waits; and a request for other material again."""
        key = wrapping.create(self.kms)
        given = wrapping.parameters(self.kms, key, WRAPPING)
        answers = [
            self.kms.import_key_material(**wrapping.request(key, given, os.urandom(32), WRAPPING, **more))
            for more in ([{}, NEW] if with_more else [{}])]
        request = wrapping.request(key, given, os.urandom(32), WRAPPING)
        return key, {
            "token": request["ImportToken"], "wrapped": request["EncryptedKeyMaterial"],
            "pending": answers[-1]["KeyMaterialId"]}
