"""Resource quotas, and the flags and keys that set others."""

import json
import subprocess

import pytest

from support import server as server_module
from support.expect import refused

QUOTAS = {
    "keys": 3, "aliasesPerKey": 2, "grantsPerKey": 2, "customKeyStores": 1, "onDemandRotationsPerKey": 1,
    "keyPolicyBytes": 400,
}


@pytest.fixture(scope="module")
def server(default_store):
    with server_module.servers() as make:
        yield make(default_store, [part for name, limit in QUOTAS.items() for part in ("--quota", f"{name}={limit}")])


@pytest.fixture
def kms(own_kms):
    return own_kms


def make_key(kms, **arguments):
    return kms.create_key(**arguments)["KeyMetadata"]


def test_keys(kms, region, server):
    for _ in range(3):
        key = make_key(kms)
    for more in ({}, {"Origin": "EXTERNAL"}, {"MultiRegion": True}):
        with refused("LimitExceededException", "An account can have at most 3 KMS keys in a Region."):
            kms.create_key(**more)
    assert len(kms.list_keys()["Keys"]) == 3
    # Replicas count in their Region, AWS managed keys nowhere, and keys that wait for their deletion everywhere.
    primary = make_key(server.client(f"{region}0"), MultiRegion=True)
    with refused("LimitExceededException"):
        server.client(f"{region}0").replicate_key(KeyId=primary["KeyId"], ReplicaRegion=region)
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyManager"] == "AWS"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("LimitExceededException"):
        kms.create_key()


def test_aliases(kms):
    first, second = make_key(kms), make_key(kms)
    for name in ["alias/a", "alias/b"]:
        kms.create_alias(AliasName=name, TargetKeyId=first["KeyId"])
    text = f"A KMS key can have at most 2 aliases: {first['Arn']}"
    with refused("LimitExceededException", text):
        kms.create_alias(AliasName="alias/c", TargetKeyId=first["KeyId"])
    kms.create_alias(AliasName="alias/c", TargetKeyId=second["KeyId"])
    with refused("LimitExceededException", text):
        kms.update_alias(AliasName="alias/c", TargetKeyId=first["KeyId"])
    kms.update_alias(AliasName="alias/a", TargetKeyId=first["KeyId"])


def test_grants(kms):
    key = make_key(kms)
    grant = {"KeyId": key["KeyId"], "GranteePrincipal": "arn:aws:iam::000000000000:root", "Operations": ["Decrypt"]}
    made = [kms.create_grant(**grant, Name=f"grant-{number}") for number in range(2)]
    with refused("LimitExceededException", f"A KMS key can have at most 2 grants: {key['Arn']}"):
        kms.create_grant(**grant)
    # The same grant again is no new one.
    assert kms.create_grant(**grant, Name="grant-0")["GrantId"] == made[0]["GrantId"]
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made[1]["GrantId"])
    kms.create_grant(**grant)


def test_rotations_on_demand(kms):
    key = make_key(kms)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    with refused(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "
            f"performed for this key: {key['Arn']}"):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])


def test_key_policies(kms):
    key = make_key(kms)
    policy = {"Version": "2012-10-17", "Statement": [
        {"Sid": "x" * 300, "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}]}
    text = json.dumps(policy)
    with refused(
            "LimitExceededException", f"The key policy has {len(text)} bytes; at most 400 are allowed."):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=text)
    with refused("LimitExceededException"):
        kms.create_key(Policy=text)
    policy["Statement"][0]["Sid"] = "x"
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))


def test_custom_key_stores(server, kms):
    [first] = server.client().describe_custom_key_stores()["CustomKeyStores"]
    with refused("LimitExceededException", "An account can have at most 1 custom key stores in a Region."):
        server.client().create_custom_key_store(
            CustomKeyStoreName="second", CloudHsmClusterId=first["CloudHsmClusterId"],
            TrustAnchorCertificate=first["TrustAnchorCertificate"], KeyStorePassword="kmsPswd1")


@pytest.mark.parametrize(("value", "reason"), [
    ("keys", "a quota is given as name=number, not keys"),
    ("keys=many", "a quota is given as name=number, not keys=many"),
    ("keys=-1", "the quota keys is 0 or more, not -1"),
    ("key=1", "key is no quota: there are aliasesPerKey, customKeyStores, grantsPerKey, keyPolicyBytes, keys, "
              "onDemandRotationsPerKey"),
])
def test_wrong_flags(value, reason):
    answer = subprocess.run(
        [server_module.BINARY, "dev", "--quota", value], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 64 and reason in answer.stderr
