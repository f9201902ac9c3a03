"""Clients that read back what they wrote, and expect no difference (support/configuration.py)."""

import json

import pytest

from support import wrapping
from support.configuration import Alias, Grant, Key, Replica, Tool
from support.materials import DAY, now
from support.principals import allow, deny, document, root

ACCOUNT = "000000000000"
ROOT, USER = root(ACCOUNT), f"arn:aws:iam::{ACCOUNT}:user/dev"
ADMINISTRATION = allow("kms:*", principal=ROOT, sid="Enable IAM User Permissions")
# Key policies as people write them: none of it may come back as something else.
POLICIES = {
    "as it is": json.dumps(document(ADMINISTRATION)),
    "pretty": json.dumps({"Id": "a policy", **document(ADMINISTRATION)}, indent=4),
    "in another order": json.dumps(document(ADMINISTRATION), sort_keys=True, separators=(",", ":")),
    "older": json.dumps({"Version": "2008-10-17", "Statement": ADMINISTRATION}),
    "one or several": json.dumps(document(
        {**ADMINISTRATION, "Principal": {"AWS": [ROOT, USER]}, "Action": ["kms:*"], "Resource": ["*"]},
        allow(["kms:Encrypt"], principal=USER), allow("kms:DescribeKey", principal=[ROOT]))),
    "conditions": json.dumps(document(
        ADMINISTRATION,
        deny("kms:ScheduleKeyDeletion", principal="*", sid="Not at once", condition={
            "NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "7"}}),
        allow("kms:CreateGrant", principal=USER, condition={
            "Bool": {"kms:GrantIsForAWSResource": True}, "StringLike": {"kms:ViaService": ["ec2.*.amazonaws.com"]},
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]}}),
        allow("kms:Decrypt", principal="*", condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}))),
    "escapes": json.dumps(document({**ADMINISTRATION, "Sid": "caf\u00e9 \"quoted\" / \\ \u00ff"})),
}
KEYS = {
    "nothing said": {},
    "everything said": {
        "description": "d\u00e9scription", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "enabled": True,
        "multi_region": False, "custom_key_store": None, "policy": POLICIES["pretty"], "rotation": 180,
        "tags": {"Name": "x", "empty": "", "with spaces and \u00fc": "+-=._:/@ "}},
    "disabled": {"enabled": False, "rotation": 365},
    "multi-Region": {"multi_region": True, "rotation": 90, "tags": {"a": "b"}},
    "RSA": {"spec": "RSA_2048", "usage": "SIGN_VERIFY", "rotation": None},
    "elliptic": {"spec": "ECC_NIST_P384", "usage": "KEY_AGREEMENT", "rotation": None, "enabled": False},
    "HMAC": {"spec": "HMAC_512", "usage": "GENERATE_VERIFY_MAC", "multi_region": True, "rotation": None},
    "without material": {"origin": "EXTERNAL", "enabled": False, "valid_to": None, "tags": {"a": "b"}},
    "imported": {"origin": "EXTERNAL", "enabled": True, "valid_to": None, "material": bytes(range(32))},
    "imported, expires": {
        "origin": "EXTERNAL", "enabled": False, "valid_to": now() + 30 * DAY, "material": bytes(range(32))},
}
DEFAULTS = {"description": "", "tags": {}, "enabled": True, "multi_region": False, "spec": "SYMMETRIC_DEFAULT"}


@pytest.fixture
def tool():
    return Tool()


@pytest.fixture
def away(server, region):
    """A client of another Region of this test's own."""
    return server.client(f"us-{region}")


@pytest.fixture
def writes(own_kms):
    """The names of the operations that changed something."""
    called = []
    own_kms.meta.events.register("before-call.kms", lambda model, **_: called.append(model.name))
    return lambda: [name for name in called if not name.startswith(("Describe", "Get", "List"))]


def settled(tool, kind, label, wanted):
    """Applies, and expects that a second plan is empty."""
    identifier = tool.apply(kind, label, wanted)
    assert tool.plan(kind, label, wanted) == set()
    return identifier


# Keys

@pytest.mark.parametrize("label", KEYS)
def test_what_was_declared_is_there(tool, own_kms, writes, label):
    wanted = {**DEFAULTS, **KEYS[label]}
    settled(tool, Key(own_kms), label, wanted)
    made = writes()
    # And applying it again changes nothing.
    tool.apply(Key(own_kms), label, wanted)
    assert made and writes() == made


@pytest.mark.parametrize("label", POLICIES)
def test_policies_come_back_as_they_went(tool, own_kms, label):
    key_id = settled(tool, Key(own_kms), "created", {"policy": POLICIES[label]})
    settled(tool, Key(own_kms), "put", {})
    settled(tool, Key(own_kms), "put", {"policy": POLICIES[label]})
    answer = own_kms.get_key_policy(KeyId=key_id)
    assert answer["PolicyName"] == "default"
    assert json.loads(answer["Policy"]) == json.loads(POLICIES[label])


def test_a_key_in_a_custom_key_store(tool, own_kms, own_store):
    kind = Key(own_kms)
    wanted = {
        **DEFAULTS, "origin": "AWS_CLOUDHSM", "custom_key_store": own_store, "policy": POLICIES["conditions"],
        "tags": {"a": "b"}}
    key_id = settled(tool, kind, "key", wanted)
    assert settled(tool, kind, "key", {**wanted, "enabled": False, "description": "new", "tags": {}}) == key_id


CHANGES = [
    {"description": "other"}, {"description": ""}, {"enabled": False}, {"rotation": 90}, {"rotation": None},
    {"rotation": 2560}, {"policy": POLICIES["conditions"]}, {"policy": POLICIES["older"]}, {"tags": {}},
    {"tags": {"a": "changed", "c": "added"}}, {"tags": {str(index): "x" * index for index in range(50)}},
    {"description": "all", "enabled": False, "rotation": None, "policy": POLICIES["pretty"], "tags": {"one": "left"}}]
START = {
    "description": "start", "enabled": True, "rotation": 180, "policy": POLICIES["as it is"],
    "tags": {"a": "1", "b": "2"}}


@pytest.mark.parametrize("multi_region", [False, True], ids=["single-Region", "multi-Region"])
@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " ".join(changes))
def test_changes_in_place_and_back(tool, own_kms, changes, multi_region):
    kind, start = Key(own_kms), {**START, "multi_region": multi_region}
    key_id = settled(tool, kind, "key", start)
    for wanted in [{**start, **changes}, start]:
        assert tool.plan(kind, "key", wanted) == set(changes)
        assert settled(tool, kind, "key", wanted) == key_id


def test_what_others_changed_is_found_and_undone(tool, own_kms):
    kind = Key(own_kms)
    key_id = settled(tool, kind, "key", START)
    own_kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "other"}, {"TagKey": "new", "TagValue": ""}])
    assert tool.plan(kind, "key", START) == {"tags"}
    own_kms.update_key_description(KeyId=key_id, Description="other")
    own_kms.put_key_policy(KeyId=key_id, Policy=POLICIES["conditions"])
    own_kms.disable_key_rotation(KeyId=key_id)
    own_kms.disable_key(KeyId=key_id)
    assert tool.plan(kind, "key", START) == set(START)
    settled(tool, kind, "key", START)


def test_the_schedule_of_a_disabled_key_is_read(tool, own_kms):
    """A disabled key keeps its rotation, and a tool that asks is told."""
    wanted = {"rotation": 100, "enabled": False}
    settled(tool, Key(own_kms), "key", wanted)
    settled(tool, Key(own_kms), "key", {**wanted, "enabled": True})


def test_on_demand_rotation_is_no_difference(tool, own_kms):
    key_id = settled(tool, Key(own_kms), "key", START)
    own_kms.rotate_key_on_demand(KeyId=key_id)
    assert tool.plan(Key(own_kms), "key", START) == set()


# Imported material

def test_the_expiry_of_imported_material_changes_in_place(tool, own_kms):
    kind = Key(own_kms)
    start = {**DEFAULTS, "origin": "EXTERNAL", "material": wrapping.material("SYMMETRIC_DEFAULT"), "valid_to": None}
    key_id = settled(tool, kind, "key", start)
    for valid_to in [now() + 3 * DAY, now() + 300 * DAY, None]:
        wanted = {**start, "valid_to": valid_to}
        assert tool.plan(kind, "key", wanted) == {"valid_to"}
        assert settled(tool, kind, "key", wanted) == key_id
    settled(tool, kind, "key", {**start, "enabled": False, "description": "off"})


# Replicas

@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_replicas(tool, own_kms, away, origin):
    kind, replica_kind = Key(own_kms), Replica(away, own_kms)
    shared = {"origin": origin, "multi_region": True}
    material = {"material": wrapping.material("SYMMETRIC_DEFAULT")} if origin == "EXTERNAL" else {}
    wanted = {**shared, **material, "description": "primary", "policy": POLICIES["pretty"], "tags": {"where": "here"}}
    key_id = settled(tool, kind, "primary", wanted)
    arn = own_kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]
    replica = {
        **shared, **material, "primary": arn, "description": "replica", "policy": POLICIES["conditions"],
        "tags": {"where": "there"}, "enabled": True}
    assert settled(tool, replica_kind, "replica", replica) == key_id
    assert tool.plan(kind, "primary", wanted) == set()
    for changes in [{"description": ""}, {"tags": {}}, {"policy": POLICIES["older"]}, {"enabled": False}]:
        changed = {**replica, **changes}
        assert tool.plan(replica_kind, "replica", changed) == set(changes)
        settled(tool, replica_kind, "replica", changed)
        settled(tool, replica_kind, "replica", replica)
    # One Region's properties are not the other's.
    assert tool.plan(kind, "primary", wanted) == set()
    if origin == "AWS_KMS":
        settled(tool, kind, "primary", {**wanted, "rotation": 120})
        assert tool.plan(replica_kind, "replica", {**replica, "rotation": 120}) == set()
    tool.destroy(replica_kind, "replica")
    tool.destroy(kind, "primary")


# Aliases and grants

def test_aliases(tool, own_kms):
    kind = Alias(own_kms)
    first, second = (settled(tool, Key(own_kms), label, {}) for label in ["first", "second"])
    wanted = {"name": "alias/app/key_1-a", "target": first}
    settled(tool, kind, "alias", wanted)
    assert tool.plan(kind, "alias", {**wanted, "target": second}) == {"target"}
    settled(tool, kind, "alias", {**wanted, "target": second})
    # Among more than one page of others.
    for number in range(60):
        settled(tool, kind, number, {"name": f"alias/{number}", "target": [first, second][number % 2]})
    assert tool.plan(kind, "alias", {**wanted, "target": second}) == set()
    for label in ["alias", *range(60)]:
        tool.destroy(kind, label)
    assert own_kms.list_aliases()["Aliases"] == []


@pytest.mark.parametrize("more", [
    {}, {"name": "a-name", "retiring": ROOT},
    {"constraints": {"EncryptionContextEquals": {"a": "b", "c": "d"}}},
    {"constraints": {"EncryptionContextSubset": {"a": "b"}}, "name": "with/all_of-it:1", "retiring": USER},
], ids=lambda more: " ".join(more) or "plain")
def test_grants(tool, own_kms, more):
    kind = Grant(own_kms)
    key_id = settled(tool, Key(own_kms), "key", {})
    wanted = {
        "key": key_id, "grantee": USER, "operations": {"Encrypt", "Decrypt", "DescribeKey", "RetireGrant"}, **more}
    settled(tool, kind, "grant", wanted)
    for number in range(55):
        settled(tool, kind, number, {**wanted, "name": f"grant-{number}"})
    assert tool.plan(kind, "grant", wanted) == set()
    tool.destroy(kind, "grant")
    tool.destroy(kind, 54)
    assert tool.plan(kind, 53, {**wanted, "name": "grant-53"}) == set()


# The end

def test_everything_is_destroyed(tool, own_kms, away):
    key, alias, grant = Key(own_kms), Alias(own_kms), Grant(own_kms)
    key_id = settled(tool, key, "key", {**START, "multi_region": True})
    arn = own_kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]
    settled(tool, Replica(away, own_kms), "replica", {"primary": arn})
    settled(tool, alias, "alias", {"name": "alias/x", "target": key_id})
    settled(tool, grant, "grant", {"key": key_id, "grantee": USER, "operations": {"Encrypt"}})
    for kind, label in [(grant, "grant"), (alias, "alias"), (Replica(away, own_kms), "replica"), (key, "key")]:
        tool.destroy(kind, label)
    # What is gone is gone: a second time is no error.
    for kind, label in [(grant, "grant"), (alias, "alias"), (Replica(away, own_kms), "replica")]:
        tool.destroy(kind, label)
    single = settled(tool, key, "single", {})
    own_kms.schedule_key_deletion(KeyId=single)
    tool.destroy(key, "single")
