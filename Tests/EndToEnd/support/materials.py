"""What the tests of imported material share: a key without material, imports into it, and what is said of it."""

import datetime

import pytest

from support import wrapping

DAY = datetime.timedelta(days=1)
NEW, EXISTING = {"ImportType": "NEW_KEY_MATERIAL"}, {"ImportType": "EXISTING_KEY_MATERIAL"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def describe(kms, key):
    return kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]


def listed(kms, key, **more):
    return kms.list_key_rotations(KeyId=key["KeyId"], **more)["Rotations"]


def materials(kms, key):
    return listed(kms, key, IncludeKeyMaterial="ALL_KEY_MATERIAL")


def states(kms, key):
    return [(entry["KeyMaterialState"], entry["ImportState"]) for entry in materials(kms, key)]


@pytest.fixture
def key(kms):
    return wrapping.create(kms)


class Importer:
    """Imports into one key, all with one set of parameters; returns the KeyMaterialId."""

    def __init__(self, kms, key):
        self.kms, self.key, self.given = kms, key, None

    def __call__(self, secret, **more):
        if self.given is None:
            self.given = wrapping.parameters(self.kms, self.key)
        return self.kms.import_key_material(
            **wrapping.request(self.key, self.given, secret, **more)).get("KeyMaterialId")


@pytest.fixture
def bring(kms, key):
    return Importer(kms, key)
