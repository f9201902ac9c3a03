"""Multi-Region keys: one id, one material, one primary (KMS Developer Guide, "Multi-Region keys")."""

import re

import pytest

from support.expect import refused
from support.wrapping import bring

HOME, AWAY, FAR = "us-east-1", "eu-west-1", "ap-southeast-2"
EXTERNAL = {"Origin": "EXTERNAL", "MultiRegion": True}


@pytest.fixture
def regions(server):
    return {region: server.client(region=region) for region in [HOME, AWAY, FAR]}


@pytest.fixture
def primary(regions):
    return regions[HOME].create_key(MultiRegion=True)["KeyMetadata"]


def configuration(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]


def test_a_lone_primary(primary):
    assert re.fullmatch(r"mrk-[0-9a-f]{32}", primary["KeyId"])
    assert primary["MultiRegion"] is True
    assert primary["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": primary["Arn"], "Region": HOME}, "ReplicaKeys": []}


@pytest.mark.parametrize("arguments", [
    {}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}, {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
])
def test_a_replica_is_the_same_key(regions, arguments):
    key_id = regions[HOME].create_key(MultiRegion=True, **arguments)["KeyMetadata"]["KeyId"]
    answer = regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY, Description="away")
    replica = answer["ReplicaKeyMetadata"]
    assert (replica["KeyState"], replica["Enabled"], replica["KeyId"]) == ("Creating", False, key_id)
    assert replica["Arn"].split(":")[3] == AWAY and "CurrentKeyMaterialId" not in replica
    assert answer["ReplicaTags"] == [] and '"kms:*"' in answer["ReplicaPolicy"]
    described = regions[AWAY].describe_key(KeyId=key_id)["KeyMetadata"]
    assert (described["KeyState"], described["Description"]) == ("Enabled", "away")
    home, away = regions[HOME], regions[AWAY]
    match arguments.get("KeyUsage"):
        case None:
            blob = home.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
            answer = away.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
            assert (answer["Plaintext"], answer["KeyId"]) == (b"x", replica["Arn"])
            moved = away.re_encrypt(
                CiphertextBlob=blob, SourceEncryptionContext={"a": "b"}, DestinationKeyId=key_id)["CiphertextBlob"]
            assert home.decrypt(CiphertextBlob=moved)["Plaintext"] == b"x"
        case "GENERATE_VERIFY_MAC":
            mac = home.generate_mac(KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
            assert away.verify_mac(KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256", Mac=mac)["MacValid"]
        case "SIGN_VERIFY":
            assert home.get_public_key(KeyId=key_id)["PublicKey"] == away.get_public_key(KeyId=key_id)["PublicKey"]
            with_key = {"KeyId": key_id, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
            assert home.verify(Signature=away.sign(**with_key)["Signature"], **with_key)["SignatureValid"]
        case "ENCRYPT_DECRYPT":
            with_key = {"KeyId": key_id, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
            blob = home.encrypt(Plaintext=b"x", **with_key)["CiphertextBlob"]
            assert away.decrypt(CiphertextBlob=blob, **with_key)["Plaintext"] == b"x"


def test_what_replicas_do_not_share(regions, primary):
    key_id = primary["KeyId"]
    regions[HOME].tag_resource(KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "home"}])
    regions[HOME].create_alias(AliasName=f"alias/{key_id}", TargetKeyId=key_id)
    regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY, Tags=[{"TagKey": "a", "TagValue": "away"}])
    assert regions[AWAY].list_resource_tags(KeyId=key_id)["Tags"] == [{"TagKey": "a", "TagValue": "away"}]
    assert regions[AWAY].list_aliases(KeyId=key_id)["Aliases"] == []
    regions[HOME].disable_key(KeyId=key_id)
    assert regions[AWAY].describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"


def test_only_a_primary_is_replicated(regions, primary):
    home, away = regions[HOME], regions[AWAY]
    key_id = primary["KeyId"]
    replica = home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)["ReplicaKeyMetadata"]["Arn"]
    with refused("UnsupportedOperationException", f"{replica} is not a multi-region primary key."):
        away.replicate_key(KeyId=key_id, ReplicaRegion=FAR)
    with refused("AlreadyExistsException"):
        home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    away.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    with refused("AlreadyExistsException"):
        home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    with refused("ValidationException"):
        home.replicate_key(KeyId=key_id, ReplicaRegion="cn-north-1")
    single = home.create_key()["KeyMetadata"]
    with refused("UnsupportedOperationException", f"{single['Arn']} is not a multi-region primary key."):
        home.replicate_key(KeyId=single["KeyId"], ReplicaRegion=AWAY)
    home.disable_key(KeyId=key_id)
    with refused("DisabledException", f"{primary['Arn']} is disabled."):
        home.replicate_key(KeyId=key_id, ReplicaRegion=FAR)


def test_custom_key_stores_hold_none(regions, own_store):
    with refused("UnsupportedOperationException"):
        regions[HOME].create_key(MultiRegion=True, Origin="AWS_CLOUDHSM", CustomKeyStoreId=own_store)


def test_the_primary_moves(regions, primary):
    key_id = primary["KeyId"]
    for region in [AWAY, FAR]:
        regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=region)
    regions[HOME].update_primary_region(KeyId=key_id, PrimaryRegion=AWAY)
    for region in [HOME, AWAY, FAR]:
        found = configuration(regions[region], key_id)
        assert found["MultiRegionKeyType"] == ("PRIMARY" if region == AWAY else "REPLICA")
        assert found["PrimaryKey"]["Region"] == AWAY
        assert {replica["Region"] for replica in found["ReplicaKeys"]} == {HOME, FAR}
    with refused("UnsupportedOperationException"):
        regions[HOME].update_primary_region(KeyId=key_id, PrimaryRegion=FAR)
    with refused("NotFoundException"):
        regions[AWAY].update_primary_region(KeyId=key_id, PrimaryRegion="sa-east-1")


def test_rotation_is_the_primarys_and_for_all(regions, primary):
    key_id, home, away = primary["KeyId"], regions[HOME], regions[AWAY]
    home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    old = away.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    home.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    assert away.get_key_rotation_status(KeyId=key_id)["RotationPeriodInDays"] == 100
    for call in [away.enable_key_rotation, away.disable_key_rotation, away.rotate_key_on_demand]:
        with refused("UnsupportedOperationException"):
            call(KeyId=key_id)
    home.rotate_key_on_demand(KeyId=key_id)
    ids = {kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"] for kms in [home, away]}
    assert len(ids) == 1
    new = away.encrypt(KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]
    assert [home.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in [old, new]] == [b"old", b"new"]


def test_imported_material_goes_to_each_region_by_itself(regions):
    home, away = regions[HOME], regions[AWAY]
    key = home.create_key(**EXTERNAL)["KeyMetadata"]
    key_id = key["KeyId"]
    with refused("KMSInvalidStateException", matching=r".* is pending import\."):
        home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    first, second = bytes(range(32)), bytes(range(32, 64))
    bring(home, key, first)
    home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    assert away.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingImport"
    with refused("IncorrectKeyMaterialException"):
        bring(away, key, second)
    bring(away, key, first)
    blob = home.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert away.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    with refused("IncorrectKeyMaterialException"):
        bring(away, key, second, ImportType="NEW_KEY_MATERIAL")
    bring(home, key, second, ImportType="NEW_KEY_MATERIAL")

    def states():
        return [
            [entry["KeyMaterialState"] for entry in kms.list_key_rotations(
                KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]] for kms in [home, away]]

    assert states() == [["CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"]] * 2
    with refused("KMSInvalidStateException"):
        home.rotate_key_on_demand(KeyId=key_id)
    bring(away, key, second, ImportType="EXISTING_KEY_MATERIAL")
    assert states() == [["CURRENT", "PENDING_ROTATION"]] * 2
    home.rotate_key_on_demand(KeyId=key_id)
    assert states() == [["NON_CURRENT", "CURRENT"]] * 2
    new = away.encrypt(KeyId=key_id, Plaintext=b"y")["CiphertextBlob"]
    assert [home.decrypt(CiphertextBlob=one)["Plaintext"] for one in [blob, new]] == [b"x", b"y"]

    away.delete_imported_key_material(KeyId=key_id)
    assert away.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingImport"
    assert home.decrypt(CiphertextBlob=new)["Plaintext"] == b"y"


def test_a_primary_waits_for_its_replicas_to_go(regions, primary):
    key_id, home, away = primary["KeyId"], regions[HOME], regions[AWAY]
    home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    answer = home.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=9)
    assert answer["KeyState"] == "PendingReplicaDeletion" and "DeletionDate" not in answer
    metadata = home.describe_key(KeyId=key_id)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert "DeletionDate" not in metadata
    with refused("KMSInvalidStateException", f"{primary['Arn']} is pending replica deletion."):
        home.encrypt(KeyId=key_id, Plaintext=b"x")
    away.encrypt(KeyId=key_id, Plaintext=b"x")
    home.cancel_key_deletion(KeyId=key_id)
    assert home.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Disabled"
