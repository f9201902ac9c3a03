"""Rotation: EnableKeyRotation and what the clock then does, RotateKeyOnDemand, ListKeyRotations."""

import datetime

import pytest

from support import wrapping
from support.expect import refused
from support.materials import DAY, describe, listed, materials, server
from support.server import eventually
from support.wire import Wire

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]


def advance(server, duration):
    """Moves the clock of this module's server, and says what it shows."""
    now = Wire(server).development("AdvanceClock", {"Seconds": duration.total_seconds()})["Now"]
    return datetime.datetime.fromtimestamp(now, datetime.timezone.utc)


def today(server):
    return advance(server, 0 * DAY)


def status(kms, key):
    answer = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert answer["KeyId"] == key["Arn"]
    return {name: value for name, value in answer.items() if name not in ("KeyId", "ResponseMetadata")}


def current(kms, key):
    return describe(kms, key)["CurrentKeyMaterialId"]


def encrypt(kms, key, plaintext=b"x"):
    return kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)["CiphertextBlob"]


def rotate(kms, key):
    assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]


def about(moment, seconds=60):
    """Equal to a time near this one."""
    class About:
        def __eq__(self, other):
            return abs((other - moment).total_seconds()) < seconds

    return About()


# EnableKeyRotation, DisableKeyRotation

def test_a_key_is_not_rotated_unless_asked(server, kms, key):
    assert status(kms, key) == {"KeyRotationEnabled": False}
    material = key["CurrentKeyMaterialId"]
    advance(server, 3000 * DAY)
    assert current(kms, key) == material
    assert listed(kms, key) == []
    assert materials(kms, key) == [{"KeyId": key["Arn"], "KeyMaterialId": material, "KeyMaterialState": "CURRENT"}]


def test_the_period(server, kms, key):
    for days, expected in [(None, 365), (90, 90), (2560, 2560), (91, 91)]:
        kms.enable_key_rotation(KeyId=key["KeyId"], **({} if days is None else {"RotationPeriodInDays": days}))
        assert status(kms, key) == {
            "KeyRotationEnabled": True, "RotationPeriodInDays": expected,
            "NextRotationDate": about(today(server) + expected * DAY)}
    for _ in range(2):
        kms.disable_key_rotation(KeyId=key["KeyId"])
        assert status(kms, key) == {"KeyRotationEnabled": False}


@pytest.mark.parametrize(("days", "text"), [
    (89, "greater than or equal to 90"), (0, "greater than or equal to 90"), (-1, "greater than or equal to 90"),
    (2561, "less than or equal to 2560")])
def test_periods_that_are_refused(kms, key, days, text):
    with refused(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: "
            f"Member must have value {text}"):
        kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
    assert status(kms, key) == {"KeyRotationEnabled": False}


def test_the_same_period_again_changes_nothing(server, kms, key):
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    advance(server, 10 * DAY)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    assert status(kms, key) == before


# The clock

def test_rotation_by_the_clock(server, kms, key):
    ids, blobs = [key["CurrentKeyMaterialId"]], [encrypt(kms, key, b"0")]
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    start, metadata = today(server), describe(kms, key)
    advance(server, 90 * DAY - 10 * MINUTE)
    assert describe(kms, key) == metadata
    advance(server, 10 * MINUTE)
    for number in [1, 2, 3]:
        ids.append(current(kms, key))
        assert len(set(ids)) == number + 1
        blobs.append(encrypt(kms, key, str(number).encode()))
        advance(server, 90 * DAY)
    # Only the material changes.
    assert {**describe(kms, key), "CurrentKeyMaterialId": ids[0]} == metadata
    server.restart()
    kms = server.client()
    for number, (material, blob) in enumerate(zip(ids, blobs)):
        answer = kms.decrypt(CiphertextBlob=blob)
        assert (answer["Plaintext"], answer["KeyMaterialId"]) == (str(number).encode(), material)
        assert kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])["SourceKeyMaterialId"] == material
    entries = listed(kms, key)
    assert [entry["KeyMaterialId"] for entry in entries] == [*ids[1:], current(kms, key)]
    for number, entry in enumerate(entries, 1):
        assert {name: value for name, value in entry.items() if name != "KeyMaterialId"} == {
            "KeyId": key["Arn"], "RotationType": "AUTOMATIC", "RotationDate": about(start + number * 90 * DAY, 600),
            "KeyMaterialState": "CURRENT" if number == 4 else "NON_CURRENT"}
    assert status(kms, key)["NextRotationDate"] == about(start + 5 * 90 * DAY, 600)


def test_dates_that_passed_unseen_make_one_rotation(server, kms, key):
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    advance(server, 1000 * DAY)
    assert len(listed(kms, key)) == 1
    assert status(kms, key)["NextRotationDate"] == about(today(server) + 90 * DAY)


def test_a_disabled_key_is_rotated_when_it_is_enabled(server, kms, key):
    """KMS Developer Guide, "Rotating AWS KMS keys"."""
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    kms.disable_key(KeyId=key["KeyId"])
    assert status(kms, key) == before
    text = f"{key['Arn']} is disabled."
    for call in [kms.enable_key_rotation, kms.disable_key_rotation, kms.rotate_key_on_demand]:
        with refused("DisabledException", text):
            call(KeyId=key["KeyId"])
    advance(server, 100 * DAY)
    assert current(kms, key) == key["CurrentKeyMaterialId"]
    kms.enable_key(KeyId=key["KeyId"])
    eventually(lambda: current(kms, key) != key["CurrentKeyMaterialId"], "the rotation that was due", seconds=60)
    [entry] = listed(kms, key)
    assert (entry["RotationType"], entry["RotationDate"]) == ("AUTOMATIC", about(today(server)))


def test_a_key_that_waits_for_its_deletion(server, kms, key):
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=30)
    assert status(kms, key) == {"KeyRotationEnabled": False}
    for call in [kms.enable_key_rotation, kms.disable_key_rotation, kms.rotate_key_on_demand]:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            call(KeyId=key["KeyId"])
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert status(kms, key) == before
    advance(server, 80 * DAY)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=30)
    advance(server, 20 * DAY)
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert current(kms, key) == key["CurrentKeyMaterialId"]


# On demand

def test_rotation_on_demand(server, kms, key):
    first, blob = key["CurrentKeyMaterialId"], encrypt(kms, key)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    rotate(kms, key)
    second = current(kms, key)
    assert second != first and kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    data_key = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    assert data_key["KeyMaterialId"] == second
    # The automatic schedule goes on as if nothing had happened.
    assert status(kms, key) == before
    advance(server, 90 * DAY)
    assert [entry["RotationType"] for entry in listed(kms, key)] == ["ON_DEMAND", "AUTOMATIC"]
    answer = kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])
    assert (answer["Plaintext"], answer["KeyMaterialId"]) == (data_key["Plaintext"], second)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    rotate(kms, key)
    assert len(listed(kms, key)) == 3 and status(kms, key) == {"KeyRotationEnabled": False}


def test_twenty_five_rotations_on_demand(server, kms, key):
    kms.enable_key_rotation(KeyId=key["KeyId"])
    advance(server, 365 * DAY)
    for _ in range(25):
        rotate(kms, key)
    with refused(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "
            f"performed for this key: {key['Arn']}"):
        rotate(kms, key)
    # Automatic rotation has no limit.
    advance(server, 365 * DAY)
    entries, marker = [], {}
    while True:
        page = kms.list_key_rotations(KeyId=key["KeyId"], Limit=10, **marker)
        assert len(page["Rotations"]) <= 10
        entries += page["Rotations"]
        if not page["Truncated"]:
            break
        marker = {"Marker": page["NextMarker"]}
    assert [entry["RotationType"] for entry in entries] == ["AUTOMATIC", *["ON_DEMAND"] * 25, "AUTOMATIC"]
    assert entries == listed(kms, key)
    assert [entry["KeyMaterialId"] for entry in materials(kms, key)] == [
        key["CurrentKeyMaterialId"], *(entry["KeyMaterialId"] for entry in entries)]
    with refused("InvalidMarkerException"):
        kms.list_key_rotations(KeyId=key["KeyId"], Marker="!")


def test_rotation_on_demand_gives_way_to_the_clock(server, kms, key):
    """KMS API, RotateKeyOnDemand, ConflictException."""
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    advance(server, 90 * DAY - 25 * MINUTE)
    rotate(kms, key)
    advance(server, 6 * MINUTE)
    with refused("ConflictException"):
        rotate(kms, key)
    advance(server, 20 * MINUTE)
    rotate(kms, key)
    assert [entry["RotationType"] for entry in listed(kms, key)] == ["ON_DEMAND", "AUTOMATIC", "ON_DEMAND"]


# Keys that are not rotated

@pytest.mark.parametrize(("spec", "usage"), [
    ("HMAC_256", "GENERATE_VERIFY_MAC"), ("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT")])
@pytest.mark.parametrize("origin", ["AWS_KMS", "EXTERNAL"])
def test_keys_of_other_specs(kms, spec, usage, origin):
    key = kms.create_key(KeySpec=spec, KeyUsage=usage, Origin=origin)["KeyMetadata"]
    for call in [kms.enable_key_rotation, kms.disable_key_rotation, kms.list_key_rotations]:
        with refused("UnsupportedOperationException"):
            call(KeyId=key["KeyId"])
    with refused("UnsupportedOperationException", silent=True):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert status(kms, key) == {"KeyRotationEnabled": False}


def test_keys_with_imported_material_have_no_schedule(kms):
    key = wrapping.create(kms)
    for bring in [False, True]:
        if bring:
            wrapping.bring(kms, key)
        for call in [kms.enable_key_rotation, kms.disable_key_rotation]:
            with refused(
                    "UnsupportedOperationException",
                    f"{key['Arn']} origin is EXTERNAL which is not valid for this operation."):
                call(KeyId=key["KeyId"])
        assert status(kms, key) == {"KeyRotationEnabled": False}


def test_keys_in_custom_key_stores(server, kms):
    key = kms.create_key(
        Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]
    for call in [
            kms.enable_key_rotation, kms.disable_key_rotation, kms.get_key_rotation_status, kms.list_key_rotations,
            kms.rotate_key_on_demand]:
        with refused("UnsupportedOperationException"):
            call(KeyId=key["KeyId"])
