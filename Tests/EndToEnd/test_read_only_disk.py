"""Disks that become read-only, or fail, below a running server: what cannot be stored is refused as AWS refuses, what
can be read goes on, and all goes on when the disk is well again."""

import pytest

from support import softhsm
from support.changes import Changes, Uses, everything, in_custom_store
from support.disk import NO_OBJECT, TOKENS, failing, nothing_is_half_there
from support.expect import refused
from support.power_cuts import decrypted
from support.server import eventually
from support.wire import Wire

NOT_STORED = "The change could not be stored. Try the request again."
# System calls and their errors; what fdatasync reports may be on the disk all the same, and may not.
FAULTS = {"read-only": ("pwrite64,ftruncate", "EROFS"), "failing": ("fdatasync,fsync", "EIO")}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_change_without_a_disk_for_the_metadata(new_server, fault):
    server = new_server()
    changes, uses = Changes(server), Uses(server)
    changes.calls.pop("connect_custom_key_store")  # The login itself is not part of the call.
    before = everything(server)
    with failing(server, *FAULTS[fault]):
        for name in changes.calls:
            with refused("KMSInternalException", NOT_STORED, status=500):
                changes.make(name)
        assert everything(server) == before
        uses.make_all()
    assert everything(server) == before
    for name in changes.calls:
        changes.make(name)
    uses.make_all()
    after = everything(server)
    server.kill()
    server.start()
    assert everything(server) == after
    nothing_is_half_there(server)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_power_cut_while_the_disk_fails(new_server, fault):
    """What was refused may have happened, but whole: of each change there are two outcomes."""
    server = new_server()
    kms = server.client()
    keys = [kms.create_key(**arguments)["KeyMetadata"]["KeyId"] for arguments in [{}, in_custom_store(server)] * 2]
    blobs = {key: kms.encrypt(KeyId=key, Plaintext=key.encode())["CiphertextBlob"] for key in keys}
    with failing(server, *FAULTS[fault]):
        for arguments in [{}, in_custom_store(server)]:
            with refused("KMSInternalException", NOT_STORED, status=500):
                kms.create_key(**arguments)
        for key in keys[:2]:
            with refused("KMSInternalException", NOT_STORED, status=500):
                kms.disable_key(KeyId=key)
        server.kill()
    kms = server.start().client()
    for key in keys:
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        assert state == "Enabled" or (state == "Disabled" and key in keys[:2] and fault == "failing")
        if state == "Enabled":
            assert decrypted(kms, blobs[key])["Plaintext"] == key.encode()
    assert {entry["KeyId"] for entry in kms.list_keys()["Keys"]} == set(keys)
    nothing_is_half_there(server)


def is_on_token(server, name):
    return name.endswith(" in the key store") or server.default_store == "token"


def test_a_token_that_becomes_read_only(on_disks):
    server, disks = on_disks()
    changes, uses = Changes(server), Uses(server)
    material = ["create_key", "create_key of a pair", "rotate_key_on_demand", "get_parameters_for_import"]
    material += ["import_key_material", "delete_imported_key_material"]
    touching = [
        name for name in changes.calls
        if name.removesuffix(" in the key store") in material and is_on_token(server, name)]
    before = everything(server)
    eventually(lambda: disks[TOKENS].remount("ro"), "a moment in which nothing is written")
    for name in touching:
        if not name.startswith("delete"):
            with refused("KMSInternalException", NO_OBJECT, status=500):
                changes.make(name)
    assert everything(server) == before
    uses.make_all()
    for name in changes.calls.keys() - touching:
        changes.make(name)
    uses.make_all()
    assert disks[TOKENS].remount("rw")
    for name in touching:
        changes.make(name)
    uses.make_all()
    after = everything(server)
    server.restart()
    assert everything(server) == after
    nothing_is_half_there(server, disks)


def test_a_deletion_on_a_token_that_is_read_only_waits(on_disks):
    """SoftHSM hides an object that it could not destroy, until it is started again."""
    server, disks = on_disks()
    kms, raw = server.client(), Wire(server)
    due = kms.create_key(**in_custom_store(server))["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=due["KeyId"], PendingWindowInDays=7)
    eventually(lambda: disks[TOKENS].remount("ro"), "a moment in which nothing is written")
    raw.development("AdvanceClock", {"Seconds": 8 * 86400})
    assert "key material waits to be destroyed" in server.log
    assert disks[TOKENS].remount("rw")
    raw.development("AdvanceClock", {"Seconds": 0})
    server.restart()
    nothing_is_half_there(server, disks)
    assert softhsm.objects_of(server.data, server.pin, due["Arn"]) == []
