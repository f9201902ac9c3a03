"""Starts on disks that are full or read-only: a sentence and an end, or a server that does what needs no room; and
nothing that stands in the way when the disk is well again."""

import re

import pytest

from support import audit
from support.changes import Changes, Uses, everything, in_custom_store
from support.disk import AUDIT, DATA, NO_OBJECT, TOKENS, nothing_is_half_there
from support.expect import NO_ROOM, refused
from support.installation import installation
from support.server import eventually

# What a start says to a disk that is …
REASONS = {"full": "There isn’t enough space", "read-only": "The volume is read only"}


def spoil(disk, how):
    if how == "full":
        disk.fill()
    else:
        assert disk.remount("ro")


def mend(disk, how):
    if how == "full":
        disk.free()
    else:
        assert disk.remount("rw")


@pytest.mark.parametrize("how", REASONS)
def test_a_development_server_does_not_start(on_disks, how):
    server, disks = on_disks()
    changes = Changes(server)
    before = everything(server)
    server.kill()
    spoil(disks[DATA], how)
    said = server.refuses_to_start()
    assert str(server.data) in said and REASONS[how] in said
    mend(disks[DATA], how)
    server.start()
    assert everything(server) == before
    for name in changes.calls:
        changes.make(name)


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_start_with_a_token_that_takes_nothing(on_disks, how):
    server, disks = on_disks()
    uses, before = Uses(server), everything(server)
    server.kill()
    spoil(disks[TOKENS], how)
    server.start()
    assert everything(server) == before
    eventually(uses.succeed, "the login to the token in the background")
    refusal = {
        "full": refused("LimitExceededException", NO_ROOM),
        "read-only": refused("KMSInternalException", NO_OBJECT, status=500)}
    with refusal[how]:
        server.client().create_key(**in_custom_store(server))
    mend(disks[TOKENS], how)
    assert server.client().create_key(**in_custom_store(server))["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_start_with_an_audit_log_that_is_read_only(on_disks):
    server, disks = on_disks(options=audit.OPTIONS)
    server.client().list_keys()
    server.stop()
    assert disks[AUDIT].remount("ro")
    assert re.search(f"cannot open {audit.directory(server)}/.*: Read-only file system", server.refuses_to_start())
    assert disks[AUDIT].remount("rw")
    server.start()
    server.client().list_keys()
    disks.show()
    assert audit.verify(server)[0] == 0


@pytest.fixture
def served(on_disks):
    """An installation in use, with `strongroom serve` on it, and its disk."""
    def prepare(server):
        server.data = installation(server) / "data"

    server, disks = on_disks(places=[DATA], start=False, prepare=prepare)
    server.start()
    return server, disks[DATA]


def test_serving_from_a_full_disk(served):
    server, disk = served
    kms = server.client()
    key = {"KeyId": kms.create_key()["KeyMetadata"]["KeyId"]}
    blob = kms.encrypt(Plaintext=b"x", **key)["CiphertextBlob"]
    server.kill()
    disk.fill()
    kms = server.start().client()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("KMSInternalException", status=500):
        kms.disable_key(**key)
    disk.free()
    kms.disable_key(**key)
    server.kill()
    assert server.start().client().describe_key(**key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_a_server_does_not_serve_from_a_disk_that_is_read_only(served):
    server, disk = served
    key = {"KeyId": server.client().create_key()["KeyMetadata"]["KeyId"]}
    server.stop()
    assert disk.remount("ro")
    assert f"cannot open {server.data}/lock: the file system is read-only" in server.refuses_to_start()
    assert disk.remount("rw")
    assert server.start().client().encrypt(Plaintext=b"x", **key)


@pytest.mark.parametrize(("place", "rooms"), [(TOKENS, range(4)), (DATA, [0, 9, 20, 26, 32, 38])])
def test_a_first_start_without_room_does_not_stand_in_the_way_of_the_next(on_disks, place, rooms):
    for pages in rooms:
        server, disks = on_disks(start=False)
        disks[place].fill(pages)
        process = server.launch(server.directory / "ready.json")
        started = (server.directory / "ready.json").exists
        eventually(lambda: process.poll() is not None or started(), "an end or a server", 60)
        if started():
            process.kill()
        assert process.wait() != 0 and ("Error: " in server.log or started()), pages
        disks[place].free()
        server.start()
        disks.show()
        Uses(server).make_all()
        nothing_is_half_there(server, disks)
        server.stop()
