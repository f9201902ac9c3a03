"""The fixtures of tests about rights. A module that imports `server` has PEOPLE, a Directory, and in it ADMIN, who
makes the keys; with `grant` it has also GRANTEE."""

import pytest


@pytest.fixture(scope="module")
def server(request, default_store):
    """A server with the module's people."""
    module = request.module
    with module.PEOPLE.server(default_store, admin=module.ADMIN) as server:
        yield server


@pytest.fixture
def as_(server, region):
    """A client of somebody, in this test's own Region."""
    return lambda who: server.client(region, **who.keys)


@pytest.fixture
def key(own_kms):
    return own_kms.create_key()["KeyMetadata"]


@pytest.fixture
def grant(request, own_kms, key):
    """Makes a grant on `key`, of Encrypt if no operations are named, and returns the answer."""
    def make(*operations, to=request.module.GRANTEE, by=own_kms, **more):
        return by.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=to if isinstance(to, str) else to.arn,
            Operations=list(operations or ["Encrypt"]), **more)

    return make


def listed(kms, key, **more):
    """The grants of a key."""
    return kms.list_grants(KeyId=key["KeyId"], **more)["Grants"]


def encrypt(kms, key, **more):
    """The shortest use of a key; returns the ciphertext."""
    return kms.encrypt(KeyId=key["Arn"], Plaintext=b"x", **more)["CiphertextBlob"]
