"""A tool that keeps keys, replicas, aliases and grants as they are declared, as infrastructure-as-code tools do: it
reads what there is through the API alone, compares every property, and changes only what differs."""

import contextlib
import json

import botocore.exceptions

from support import wrapping

GONE = ("PendingDeletion", "PendingReplicaDeletion")
WRAPPING = "RSAES_OAEP_SHA_256"
# Of resources that cannot change in it: the tool would make another one, and these tests expect that it need not.
FIXED = {
    "spec", "usage", "origin", "multi_region", "custom_key_store", "primary", "key", "name", "grantee", "retiring",
    "operations", "constraints"}


class Missing(Exception):
    """There is no such resource."""


def found(call, **arguments):
    try:
        return call(**arguments)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            raise Missing from error
        raise


def pages(kms, operation, member, **arguments):
    return [entry for page in kms.get_paginator(operation).paginate(**arguments) for entry in page[member]]


def tag_list(tags):
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


class Key:
    """A KMS key, with material made by KMS or imported. Declared: any of `read`'s properties, and `material`."""

    def __init__(self, kms):
        self.kms = kms

    def create(self, wanted):
        names = {
            "description": "Description", "spec": "KeySpec", "usage": "KeyUsage", "origin": "Origin",
            "multi_region": "MultiRegion", "custom_key_store": "CustomKeyStoreId"}
        arguments = {names[name]: value for name, value in wanted.items() if name in names}
        if "policy" in wanted:
            arguments["Policy"] = wanted["policy"]
        key_id = self.kms.create_key(Tags=tag_list(wanted.get("tags", {})), **arguments)["KeyMetadata"]["KeyId"]
        if "material" in wanted:
            self.bring(key_id, wanted)
        self.finish(key_id, wanted)
        return key_id

    def finish(self, key_id, wanted):
        """What there is no argument for."""
        if wanted.get("rotation"):
            self.kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=wanted["rotation"])
        if wanted.get("enabled") is False and (wanted.get("origin") != "EXTERNAL" or "material" in wanted):
            self.kms.disable_key(KeyId=key_id)  # Without material a key is not enabled anyway.

    def bring(self, key_id, wanted):
        key = {"KeyId": key_id}
        more = {"ValidTo": wanted["valid_to"]} if wanted.get("valid_to") else {}
        self.kms.import_key_material(**wrapping.request(
            key, wrapping.parameters(self.kms, key, WRAPPING), wanted["material"], WRAPPING, **more))

    def read(self, key_id):
        metadata = found(self.kms.describe_key, KeyId=key_id)["KeyMetadata"]
        if metadata["KeyState"] in GONE:
            raise Missing
        there = {
            "description": metadata["Description"], "spec": metadata["KeySpec"], "usage": metadata["KeyUsage"],
            "origin": metadata["Origin"], "enabled": metadata["Enabled"], "multi_region": metadata["MultiRegion"],
            "custom_key_store": metadata.get("CustomKeyStoreId"), "valid_to": metadata.get("ValidTo"),
            "policy": found(self.kms.get_key_policy, KeyId=key_id, PolicyName="default")["Policy"],
            "tags": {
                tag["TagKey"]: tag["TagValue"]
                for tag in pages(self.kms, "list_resource_tags", "Tags", KeyId=key_id)}}
        if there["origin"] == "AWS_KMS":
            status = found(self.kms.get_key_rotation_status, KeyId=key_id)
            there["rotation"] = status["RotationPeriodInDays"] if status["KeyRotationEnabled"] else None
        if there["multi_region"]:
            configuration = metadata["MultiRegionConfiguration"]
            if configuration["MultiRegionKeyType"] == "REPLICA":
                there["primary"] = configuration["PrimaryKey"]["Arn"]
        return there

    def update(self, key_id, wanted, changed, there):
        # A disabled key takes few changes: enabled first, disabled last.
        if "enabled" in changed and wanted["enabled"]:
            self.kms.enable_key(KeyId=key_id)
        if "rotation" in changed:
            if wanted["rotation"]:
                self.kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=wanted["rotation"])
            else:
                self.kms.disable_key_rotation(KeyId=key_id)
        if "description" in changed:
            self.kms.update_key_description(KeyId=key_id, Description=wanted["description"])
        if "policy" in changed:
            self.kms.put_key_policy(KeyId=key_id, Policy=wanted["policy"], PolicyName="default")
        if "tags" in changed:
            if surplus := sorted(there["tags"].keys() - wanted["tags"].keys()):
                self.kms.untag_resource(KeyId=key_id, TagKeys=surplus)
            if wanted["tags"]:
                self.kms.tag_resource(KeyId=key_id, Tags=tag_list(wanted["tags"]))
        if "valid_to" in changed:
            self.bring(key_id, wanted)
        if "enabled" in changed and not wanted["enabled"]:
            self.kms.disable_key(KeyId=key_id)

    def delete(self, key_id):
        try:
            found(self.kms.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=7)
        except botocore.exceptions.ClientError as error:
            # Somebody else was faster.
            assert error.response["Error"]["Code"] == "KMSInvalidStateException"
            assert "is pending deletion" in error.response["Error"]["Message"]


class Replica(Key):
    """A replica in the Region of `kms`; asked for in the Region of its primary."""

    def __init__(self, kms, primary_kms):
        super().__init__(kms)
        self.primary_kms = primary_kms

    def create(self, wanted):
        names = {"description": "Description", "policy": "Policy"}
        answer = self.primary_kms.replicate_key(
            KeyId=wanted["primary"].rsplit("/", 1)[1], ReplicaRegion=self.kms.meta.region_name,
            Tags=tag_list(wanted.get("tags", {})),
            **{names[name]: value for name, value in wanted.items() if name in names})
        key_id = answer["ReplicaKeyMetadata"]["KeyId"]
        if "material" in wanted:
            self.bring(key_id, wanted)
        self.finish(key_id, {"enabled": wanted.get("enabled")})
        return key_id


class Alias:
    """An alias; its identifier is its name."""

    def __init__(self, kms):
        self.kms = kms

    def create(self, wanted):
        self.kms.create_alias(AliasName=wanted["name"], TargetKeyId=wanted["target"])
        return wanted["name"]

    def read(self, name):
        for entry in pages(self.kms, "list_aliases", "Aliases"):
            if entry["AliasName"] == name:
                return {"name": name, "target": entry["TargetKeyId"]}
        raise Missing

    def update(self, name, wanted, changed, there):
        self.kms.update_alias(AliasName=name, TargetKeyId=wanted["target"])

    def delete(self, name):
        found(self.kms.delete_alias, AliasName=name)


class Grant:
    """A grant; its identifier is that of its key and its own."""

    def __init__(self, kms):
        self.kms = kms

    def create(self, wanted):
        names = {"name": "Name", "retiring": "RetiringPrincipal", "constraints": "Constraints"}
        answer = self.kms.create_grant(
            KeyId=wanted["key"], GranteePrincipal=wanted["grantee"], Operations=sorted(wanted["operations"]),
            **{names[name]: value for name, value in wanted.items() if name in names})
        return wanted["key"], answer["GrantId"]

    def read(self, identifier):
        key_id, grant_id = identifier
        for entry in pages(self.kms, "list_grants", "Grants", KeyId=key_id):
            if entry["GrantId"] == grant_id:
                return {
                    "key": key_id, "name": entry.get("Name") or None, "grantee": entry["GranteePrincipal"],
                    "retiring": entry.get("RetiringPrincipal"), "operations": set(entry["Operations"]),
                    "constraints": entry.get("Constraints")}
        raise Missing

    def delete(self, identifier):
        found(self.kms.revoke_grant, KeyId=identifier[0], GrantId=identifier[1])


def same(name, wanted, there):
    """Policies are equal if their JSON is."""
    return json.loads(wanted) == json.loads(there) if name == "policy" else wanted == there


class Tool:
    """Remembers the identifiers of what it made, and nothing else."""

    def __init__(self):
        self.made = {}

    def plan(self, kind, label, wanted):
        """The names of the properties that differ; all of them if there is no such resource."""
        if label not in self.made:
            return set(wanted)
        try:
            there = kind.read(self.made[label])
        except Missing:
            return set(wanted)
        return {name for name in wanted if name != "material" and not same(name, wanted[name], there[name])}

    def apply(self, kind, label, wanted):
        """Makes it so, and returns the identifier."""
        if label not in self.made:
            self.made[label] = kind.create(wanted)
        elif changed := self.plan(kind, label, wanted):
            assert not changed & FIXED, changed
            kind.update(self.made[label], wanted, changed, kind.read(self.made[label]))
        return self.made[label]

    def destroy(self, kind, label):
        with contextlib.suppress(Missing):
            kind.delete(self.made[label])
        try:
            kind.read(self.made[label])
        except Missing:
            return
        raise AssertionError(f"{label} is still there")
