"""Material of many keys that waits to be destroyed while its token is away."""

import os
import re
import signal

import pytest

from support import faulty, wrapping
from support.server import eventually

KEYS = 8


@pytest.fixture()
def installation():
    with faulty.prepared() as made:
        yield made


@pytest.fixture()
def kms(installation):
    """Of a server whose token is away, after the material of all keys was deleted."""
    kms = installation.client()
    keys = [kms.create_key(Origin="EXTERNAL")["KeyMetadata"] for _ in range(KEYS)]
    for key in keys:
        wrapping.bring(kms, key)
    assert len(material_on(installation.token)) == KEYS
    installation.token.command("* vanish")
    eventually(lambda: "sick" in installation.events(), "the token is missed")
    for key in keys:
        kms.delete_imported_key_material(KeyId=key["KeyId"])
        assert wrapping.state(kms, key) == "PendingImport"
    return kms


def material_on(token):
    # Wrapping keys have a day of their own.
    return [label for label in faulty.labels(token.objects()).elements() if not label.startswith("import ")]


def reconcile(installation):
    os.kill(installation.server.pid, signal.SIGUSR1)


def test_a_token_that_is_away_is_asked_once_for_all_that_waits(installation, kms):
    seen = len(installation.server.log)
    reconcile(installation)
    found = eventually(
        lambda: re.findall(r"others=(\d+).*key material waits", installation.server.log[seen:]), "the attempt")
    assert [int(count) for count in found] == [KEYS - 1]
    installation.token.command()
    eventually(lambda: "recovered" in installation.events(), "the token is back")
    reconcile(installation)
    eventually(lambda: not material_on(installation.token), "the material is destroyed")


def test_a_server_that_is_told_to_end_does_not_destroy_the_rest_first(installation, kms):
    installation.token.calls()
    installation.token.command("C_DestroyObject delay 400")
    eventually(lambda: "recovered" in installation.events(), "the token is back")
    reconcile(installation)
    seen = []

    def has_begun():
        seen.extend(installation.token.calls())
        return "C_DestroyObject" in seen

    eventually(has_begun, "the destruction begins")
    installation.server.stop()
    installation.token.command()
    assert 0 < len(material_on(installation.token)) < KEYS
    installation.server.start()
    installation.serves(lambda: installation.client().generate_random(NumberOfBytes=1))
    eventually(lambda: not material_on(installation.token), "the material is destroyed")
