"""Keys in every state, and one good call of every operation on them."""

import uuid

import botocore

from support import custom_store, operations, wrapping
from support.rights import listed

HOME, AWAY, FAR, DISCONNECTED = "eu-states-1", "eu-states-2", "eu-states-3", "eu-states-4"
SYMMETRIC = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
# The kind of key that an operation is for; all others are for symmetric encryption keys first of all.
KINDS = {
    **dict.fromkeys(["Sign", "Verify", "GetPublicKey"], ("ECC_NIST_P256", "SIGN_VERIFY")),
    **dict.fromkeys(["GenerateMac", "VerifyMac"], ("HMAC_256", "GENERATE_VERIFY_MAC")),
    "DeriveSharedSecret": ("ECC_NIST_P256", "KEY_AGREEMENT"),
    **dict.fromkeys(["Encapsulate", "Decapsulate"], ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"))}
# The part of a multi-Region key that an operation is for.
PARTS = {"ReplicateKey": "lone primary", "UpdatePrimaryRegion from": "primary", "UpdatePrimaryRegion to": "replica"}
ROOT = "arn:aws:iam::000000000000:root"
WRAPPING = "RSAES_OAEP_SHA_256"
# Arguments beside KeyId, of operations that are not cryptography.
ARGUMENTS = {
    "ScheduleKeyDeletion": {"PendingWindowInDays": 7}, "UpdateKeyDescription": {"Description": "changed"},
    "TagResource": {"Tags": [{"TagKey": "c", "TagValue": "d"}]}, "UntagResource": {"TagKeys": ["a"]},
    "CreateGrant": {"GranteePrincipal": ROOT, "RetiringPrincipal": ROOT, "Operations": ["DescribeKey"]},
    "GetParametersForImport": {"WrappingAlgorithm": WRAPPING, "WrappingKeySpec": "RSA_2048"},
    "ReplicateKey": {"ReplicaRegion": FAR}, "UpdatePrimaryRegion": {"PrimaryRegion": AWAY},
    "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"}}


def fresh_alias():
    return f"alias/{uuid.uuid4()}"


class Stage:
    """Where the keys are made: Regions of their own, of which two have a custom key store."""

    def __init__(self, server):
        self.server = server
        self.clients = {region: server.client(region) for region in [HOME, AWAY, FAR, DISCONNECTED]}
        self.stores, self.others = {}, {}

    def client(self, region):
        return self.clients[region]

    def placing(self, origin, region):
        """What CreateKey needs for a key of this origin."""
        if origin == "made":
            return {}
        if origin == "imported" and region != DISCONNECTED:
            return {"Origin": "EXTERNAL"}
        if region not in self.stores:
            self.stores[region] = custom_store.connected(self.client(region), self.server.pin)
        return {
            "Origin": {"custom": "AWS_CLOUDHSM", "imported": "EXTERNAL"}[origin],
            "CustomKeyStoreId": self.stores[region]}

    def disconnect(self):
        """Makes every key in the Region for it Unavailable."""
        custom_store.disconnect(self.client(DISCONNECTED), self.stores[DISCONNECTED])

    def other(self, region):
        """Another symmetric key in the Region, and a ciphertext under it."""
        if region not in self.others:
            kms = self.client(region)
            key_id = kms.create_key()["KeyMetadata"]["KeyId"]
            self.others[region] = key_id, kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        return self.others[region]


class Subject:
    """A key in a state. It was made whole, with two aliases, a tag, two grants and what its cryptography needs."""

    def __init__(self, stage, kind, origin, state, part=None):
        self.stage, self.region = stage, DISCONNECTED if state == "Unavailable" else HOME
        if state == "PendingReplicaDeletion":
            part = "primary"
        self.key = self.kms.create_key(
            KeySpec=kind[0], KeyUsage=kind[1], **({"MultiRegion": True} if part else {}),
            **stage.placing(origin, self.region))["KeyMetadata"]
        self.given = {}
        if origin == "imported":
            self.bring()
        self.calls = operations.calls(self.kms, self.key)
        if part in ("primary", "replica"):
            replica = self.kms.replicate_key(KeyId=self.id, ReplicaRegion=AWAY)["ReplicaKeyMetadata"]
            primary, self.key, self.region = self.key, replica, AWAY
            if origin == "imported":
                self.bring()
            if part == "primary":
                self.key, self.region = primary, HOME
        self.furnish()
        match state:
            case "Disabled":
                self.kms.disable_key(KeyId=self.id)
            case "PendingDeletion" | "PendingReplicaDeletion":
                self.kms.schedule_key_deletion(KeyId=self.id)
            case "PendingImport":
                self.kms.delete_imported_key_material(KeyId=self.id)

    @property
    def kms(self):
        return self.stage.client(self.region)

    @property
    def id(self):
        return self.key["KeyId"]

    @property
    def arn(self):
        return self.key["Arn"]

    def bring(self):
        self.given[self.region] = wrapping.parameters(self.kms, self.key, WRAPPING)
        self.kms.import_key_material(**self.import_request())

    def import_request(self):
        """Of the material that the key has or had; for keys that take none, something that looks like it."""
        if not self.given:
            return {"KeyId": self.id, "ImportToken": b"x", "EncryptedKeyMaterial": b"x", **wrapping.FOREVER}
        material = wrapping.material(self.key["KeySpec"])
        return wrapping.request(self.key, self.given[self.region], material, WRAPPING)

    def furnish(self):
        self.aliases = [fresh_alias() for _ in range(2)]
        for alias in self.aliases:
            self.kms.create_alias(AliasName=alias, TargetKeyId=self.id)
        self.kms.tag_resource(KeyId=self.id, Tags=[{"TagKey": "a", "TagValue": "b"}])
        self.grants = [
            self.kms.create_grant(KeyId=self.id, **ARGUMENTS["CreateGrant"])["GrantId"] for _ in range(2)]

    def look(self):
        """What an operation could change."""
        metadata = self.kms.describe_key(KeyId=self.id)["KeyMetadata"]
        tags = self.kms.list_resource_tags(KeyId=self.id)["Tags"]
        aliases = self.kms.list_aliases(KeyId=self.id)["Aliases"]
        return metadata, tags, aliases, listed(self.kms, self.key)

    def perform(self, operation):
        """One good call; "ReEncrypt from" says on which side this key is."""
        name, _, side = operation.partition(" ")
        # The primary is asked to give way to its replica.
        kms = self.stage.client(HOME) if (name, side) == ("UpdatePrimaryRegion", "to") else self.kms
        arguments = self.arguments(operation, name)
        getattr(kms, botocore.xform_name(name))(**arguments)

    def arguments(self, operation, name):
        other, blob = self.stage.other(self.region)
        match operation:
            case "ReEncrypt from":
                return {**self.calls["re_encrypt"], "DestinationKeyId": other}
            case "ReEncrypt to":
                return {**self.calls["re_encrypt"], "SourceKeyId": other, "CiphertextBlob": blob}
            case "CreateAlias":
                return {"AliasName": fresh_alias(), "TargetKeyId": self.id}
            case "DeleteAlias":
                return {"AliasName": self.aliases[0]}
            case "UpdateAlias from":
                return {"AliasName": self.aliases[1], "TargetKeyId": other}
            case "UpdateAlias to":
                alias = fresh_alias()
                self.kms.create_alias(AliasName=alias, TargetKeyId=other)
                return {"AliasName": alias, "TargetKeyId": self.id}
            case "RetireGrant":
                return {"KeyId": self.arn, "GrantId": self.grants[0]}
            case "RevokeGrant":
                return {"KeyId": self.id, "GrantId": self.grants[1]}
            case "PutKeyPolicy":
                return {"KeyId": self.id, "Policy": self.kms.get_key_policy(KeyId=self.id)["Policy"]}
            case "ImportKeyMaterial":
                return self.import_request()
        more = self.calls.get(botocore.xform_name(name), ARGUMENTS.get(name, {}))
        return {"KeyId": self.id, **more}
