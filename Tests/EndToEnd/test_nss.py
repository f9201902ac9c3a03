"""NSS softoken, a second token, with the profile that hsm-config/ has for it: every operation, and a restart.

The keys are in the default key store or in a custom key store, as --default-store has it.
"""

import pytest

from support import ceremony, custom_store, examination
from support.installation import TokenInstallation, vendor_file
from support.key_specs import ML_DSA, ML_KEM
from support.server import servers
from support.workload import Workload

DEVICE = vendor_file("nss")
DATABASE = "/var/lib/strongroom/nss"
NOT_OF_NSS = {"ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", *ML_DSA, *ML_KEM, "SM2"}


class Token(ceremony.NSSToken):
    """As the file has it, at another place."""

    cluster = DEVICE["clusterId"]
    label = DEVICE["token"]["label"]
    environment = {}

    def __init__(self, directory):
        super().__init__(directory)
        assert DATABASE in DEVICE["initString"]
        self.init_string = DEVICE["initString"].replace(DATABASE, str(self.directory))


@pytest.fixture(scope="module")
def installation(default_store):
    with servers() as make:
        made = TokenInstallation(make, Token, default_store == "token", DEVICE["profile"])
        made.server.start()
        yield made


@pytest.fixture(scope="module")
def store(installation, default_store):
    """The id of the custom key store; None where the keys are in the default key store."""
    if default_store == "token":
        return None
    kms = installation.client()
    store = installation.create_store(kms)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
    return store


@pytest.fixture(scope="module")
def examined(installation):
    return examination.examine(installation.token)


def test_the_profile_is_that_of_the_token(installation, examined):
    assert examined["gcmIV"] == DEVICE["profile"]["gcmIV"]
    assert examined["device"]["label"] == DEVICE["token"]["label"]
    missing = {spec for (spec, _), found in examination.algorithms(examined).items() if not found}
    assert missing <= NOT_OF_NSS
    assert {entry["keySpec"] for entry in examined["imports"] if "path" not in entry} <= NOT_OF_NSS


@pytest.mark.parametrize("kind", examination.KINDS)
def test_every_operation(installation, store, examined, kind):
    where = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store} if store else {}
    examination.check_operations(installation.client(), where, examined, kind)


@pytest.mark.parametrize("spec", examination.IMPORTS)
def test_every_import(installation, store, examined, spec):
    where = {"CustomKeyStoreId": store} if store else {}
    examination.check_import(installation.client(), where, examined, spec)


def test_a_restart(installation, store):
    """Keys are found again, and work as they did."""
    workload = Workload(installation.client(), store)
    workload.works()
    installation.server.restart()
    workload.kms = installation.client()
    installation.serves(workload.works)
    assert workload.lost() == []
    assert set(installation.events()) <= {"connected", "disconnected", "finding"}
