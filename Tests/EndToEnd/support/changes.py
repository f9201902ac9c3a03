"""One good call of every operation that changes something, and all that such a call could change."""

import contextlib
import os

import botocore.exceptions

from support import custom_store, operations, wrapping
from support.principals import allow, root, text

HOME, AWAY = "us-east-1", "eu-west-1"
WRAPPING = "RSAES_OAEP_SHA_256"
ROLE = root("000000000000")
# Each has at most one custom key store of the token.
STORES = {"connect": "eu-south-1", "disconnect": "eu-south-2", "update": "eu-north-1", "delete": "eu-central-1"}
FRESH = "eu-central-2"
REGIONS = [HOME, AWAY, *STORES.values(), FRESH]


class Changes:
    """`calls`: the Region, the method of boto3 and its arguments by a name; each succeeds once, whatever was done of
    the others."""

    def __init__(self, server):
        self.server, self.kms = server, server.client(HOME)
        custom = {"CustomKeyStoreId": server.ready["customKeyStoreId"]}
        self.calls = {}
        self.add_key_changes()
        self.add_deletions()
        self.add_aliases_and_grants()
        self.add_multi_region()
        self.add_key_stores(server)
        for where, more in {"": {}, " in the key store": custom}.items():
            self.add_material(where, more)

    def create(self, **arguments):
        return self.kms.create_key(**arguments)["KeyMetadata"]["KeyId"]

    def add(self, method, name=None, region=HOME, **arguments):
        assert (name or method) not in self.calls
        self.calls[name or method] = region, method, arguments

    def add_key_changes(self):
        key = {"KeyId": self.create(Tags=[{"TagKey": "a", "TagValue": "1"}])}
        self.add("create_key")
        self.add("create_key", "create_key of a pair", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.add("create_key", "create_key without material", Origin="EXTERNAL")
        self.add("update_key_description", Description="another", **key)
        self.add("tag_resource", Tags=[{"TagKey": "b", "TagValue": "2"}], **key)
        self.add("untag_resource", TagKeys=["a"], **key)
        self.add("put_key_policy", Policy=text(allow("kms:*", principal=ROLE)), **key)
        self.add("rotate_key_on_demand", KeyId=self.create())
        self.add("enable_key_rotation", RotationPeriodInDays=100, KeyId=self.create())
        rotated = {"KeyId": self.create()}
        self.kms.enable_key_rotation(**rotated)
        self.add("disable_key_rotation", **rotated)
        self.add("disable_key", **key)
        disabled = {"KeyId": self.create()}
        self.kms.disable_key(**disabled)
        self.add("enable_key", **disabled)

    def add_deletions(self):
        self.add("schedule_key_deletion", KeyId=self.create(), PendingWindowInDays=7)
        pending = {"KeyId": self.create()}
        self.kms.schedule_key_deletion(**pending)
        self.add("cancel_key_deletion", **pending)

    def add_aliases_and_grants(self):
        keys = [self.create() for _ in range(2)]
        self.add("create_alias", AliasName="alias/new", TargetKeyId=keys[0])
        for name in ["moved", "removed"]:
            self.kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=keys[0])
        self.add("update_alias", AliasName="alias/moved", TargetKeyId=keys[1])
        self.add("delete_alias", AliasName="alias/removed")
        grant = {"KeyId": keys[0], "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
        self.add("create_grant", **grant)
        for method, name in {"revoke_grant": "revoked", "retire_grant": "retired"}.items():
            made = self.kms.create_grant(Name=name, RetiringPrincipal=ROLE, **grant)["GrantId"]
            self.add(method, KeyId=keys[0] if method == "revoke_grant" else self.arn(keys[0]), GrantId=made)

    def arn(self, key_id):
        return self.kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]

    def add_multi_region(self):
        keys = [self.create(MultiRegion=True) for _ in range(2)]
        self.add("replicate_key", KeyId=keys[0], ReplicaRegion=AWAY)
        self.kms.replicate_key(KeyId=keys[1], ReplicaRegion=AWAY)
        self.add("update_primary_region", KeyId=keys[1], PrimaryRegion=AWAY)

    def add_key_stores(self, server):
        for what, region in STORES.items():
            kms = server.client(region)
            store = {"CustomKeyStoreId": custom_store.create(kms, server.pin)}
            if what == "disconnect":
                custom_store.connect(kms, store["CustomKeyStoreId"])
            more = {"NewCustomKeyStoreName": "renamed"} if what == "update" else {}
            self.add(f"{what}_custom_key_store", region=region, **store, **more)
        self.add("create_custom_key_store", region=FRESH, **custom_store.arguments(server.pin))

    def add_material(self, where, custom):
        if custom:
            self.add("create_key", f"create_key{where}", Origin="AWS_CLOUDHSM", **custom)
        key = wrapping.create(self.kms, **custom)
        self.add(
            "get_parameters_for_import", f"get_parameters_for_import{where}", KeyId=key["KeyId"],
            WrappingAlgorithm=WRAPPING, WrappingKeySpec="RSA_2048")
        given = wrapping.parameters(self.kms, key, WRAPPING)
        self.add(
            "import_key_material", f"import_key_material{where}",
            **wrapping.request(key, given, os.urandom(32), WRAPPING))
        key = wrapping.create(self.kms, **custom)
        wrapping.bring(self.kms, key)
        self.add("delete_imported_key_material", f"delete_imported_key_material{where}", KeyId=key["KeyId"])

    def make(self, name):
        region, method, arguments = self.calls[name]
        return getattr(self.server.client(region), method)(**arguments)


def everything(server):
    """All that the API shows of keys, aliases, grants and key stores."""
    found = {}
    for region in REGIONS:
        kms = server.client(region)
        found[region] = kms.describe_custom_key_stores()["CustomKeyStores"], kms.list_aliases()["Aliases"]
        for page in kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                found[region, key["KeyId"]] = of_key(kms, {"KeyId": key["KeyId"]})
    return found


def of_key(kms, name):
    metadata = kms.describe_key(**name)["KeyMetadata"]
    found = [
        metadata, kms.get_key_policy(**name)["Policy"], kms.list_resource_tags(**name)["Tags"],
        kms.list_grants(**name)["Grants"]]
    if metadata["KeySpec"] == "SYMMETRIC_DEFAULT" and metadata["Origin"] != "AWS_CLOUDHSM":
        found.append(kms.list_key_rotations(IncludeKeyMaterial="ALL_KEY_MATERIAL", **name)["Rotations"])
        status = kms.get_key_rotation_status(**name)
        found.append({field: status[field] for field in status if field != "ResponseMetadata"})
    return found


def in_custom_store(server):
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


class Uses:
    """A good call of every cryptographic operation, with keys in the default store and in the custom one."""

    def __init__(self, server):
        self.server, kms = server, server.client(HOME)
        keys = [
            kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"] for spec, usage in operations.KINDS
            if spec != "ML_KEM_768"]  # Which no SoftHSM token has.
        keys.append(kms.create_key(**in_custom_store(server))["KeyMetadata"])
        self.calls = [call for key in keys for call in operations.calls(kms, key).items()]

    def make_all(self):
        kms = self.server.client(HOME)
        for method, arguments in self.calls:
            getattr(kms, method)(**arguments)
        return True

    def succeed(self):
        """Not before the login to the token in the background."""
        with contextlib.suppress(botocore.exceptions.ClientError):
            return self.make_all()
        return False
