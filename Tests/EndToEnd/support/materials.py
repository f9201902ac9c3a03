"""What the tests of imported material share: a server, a key without material, imports into it, what is said of it."""

import datetime

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.server import servers

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


@pytest.fixture(scope="module")
def server(default_store):
    """A server for each module: no module takes the place of another's wrapping keys, of which a store keeps a hundred."""
    with servers() as make:
        yield make(default_store)


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


# Imports that must fail

class Target:
    """A KMS key with an import token for each algorithm; with material or without."""

    def __init__(self, server, kms, spec, imported):
        self.server, self.kms, self.key = server, kms, wrapping.create(kms, spec)
        self.parameters = {}
        if imported:
            self.bring(wrapping.material(spec))

    def given(self, algorithm="RSA_AES_KEY_WRAP_SHA_256"):
        if algorithm not in self.parameters:
            self.parameters[algorithm] = wrapping.parameters(self.kms, self.key, algorithm)
        return self.parameters[algorithm]

    def request(self, secret, algorithm="RSA_AES_KEY_WRAP_SHA_256", **more):
        return wrapping.request(self.key, self.given(algorithm), secret, algorithm, **more)

    def bring(self, secret, **more):
        return self.kms.import_key_material(**self.request(secret, **more))

    def snapshot(self):
        """All that an import could change."""
        listed = materials(self.kms, self.key) if self.key["KeySpec"] == "SYMMETRIC_DEFAULT" else None
        objects = softhsm.all_objects(self.server.data, self.server.pin)
        return describe(self.kms, self.key), listed, sorted(map(str, objects))


@pytest.fixture(scope="module")
def targets():
    return {}


@pytest.fixture
def target(server, kms, targets):
    """Lends a target; whatever a test does to it must leave it as it is."""
    def lend(spec="SYMMETRIC_DEFAULT", imported=False):
        if (spec, imported) not in targets:
            targets[spec, imported] = Target(server, kms, spec, imported)
        return targets[spec, imported]

    return lend


@pytest.fixture(params=[False, True], ids=["without material", "with material"])
def symmetric(request, target):
    return target(imported=request.param)


def all_refused(target, code, requests, **more):
    """Each request is refused in the same way, and none leaves a trace."""
    requests = list(requests)  # All their wrapping keys are there before the look at the token.
    before = target.snapshot()
    for request in requests:
        with refused(code, **more):
            target.kms.import_key_material(**request)
    assert requests and target.snapshot() == before
