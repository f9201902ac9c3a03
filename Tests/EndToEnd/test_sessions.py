"""Session credentials: what is none, when they end, and what they survive."""

import copy
import signal

import pytest

from support.expect import NO_SESSION_POLICY, denied, refused
from support.principals import Directory, allow, assume, text, trust
from support.rights import encrypt, server
from support.server import eventually
from support.wire import Wire

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
BARE = PEOPLE.user("bare")
CRYPTO = allow(["kms:Encrypt", "kms:DescribeKey", "kms:ListKeys"])
WORKER = PEOPLE.role("worker", trust(BARE, ADMIN), CRYPTO)
LONG = PEOPLE.role("long", trust(BARE), CRYPTO, maxSessionDuration=43200)
DOOMED = PEOPLE.role("doomed", trust(BARE), CRYPTO)


@pytest.fixture
def session(server):
    return lambda role, who=BARE: assume(server, who, role)


def test_credentials_that_were_tampered_with(server, session):
    made, other = session(WORKER), session(WORKER, who=ADMIN)
    server.client(**made.keys).list_keys()
    token = made.token
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
    secrets = {made.access_key: made.secret, BARE.access_key: BARE.secret}
    for access_key, broken in [
        (made.access_key, changed), (made.access_key, token[:-8]), (made.access_key, token + "AAAA"),
        (made.access_key, other.token), (made.access_key, None), (made.access_key, "x"),
        (BARE.access_key, token), ("ASIAUNKNOWN", token),
    ]:
        with refused("UnrecognizedClientException", "The security token included in the request is invalid."):
            server.client("us-east-1", access_key, secrets.get(access_key, "x"), broken).list_keys()
    with refused("InvalidSignatureException"):
        server.client("us-east-1", made.access_key, other.secret, made.token).list_keys()


def test_a_session_token_must_be_signed(server, session):
    made = session(WORKER)
    wire = Wire(server, access_key=made.access_key, secret=made.secret)
    headers = wire.signed("TrentService.ListKeys", b"{}", unsigned=[("X-Amz-Security-Token", made.token)])
    answer = wire.send(headers, b"{}")
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


def test_an_expired_session(default_store):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        key = server.client().create_key()["KeyMetadata"]
        short = assume(server, BARE, WORKER, DurationSeconds=900)
        long = assume(server, BARE, LONG, DurationSeconds=12 * 3600)
        Wire(server).development("AdvanceClock", {"Seconds": 890})
        encrypt(server.client(**short.keys), key)
        Wire(server).development("AdvanceClock", {"Seconds": 20})
        with refused("ExpiredTokenException", "The security token included in the request is expired"):
            encrypt(server.client(**short.keys), key)
        with refused("ExpiredToken", status=403):
            server.client(service="sts", **short.keys).get_caller_identity()
        encrypt(server.client(**long.keys), key)
        encrypt(server.client(**assume(server, BARE, WORKER).keys), key)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_sessions_survive_the_end_of_the_process(default_store, end):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        key = server.client().create_key()["KeyMetadata"]
        made = assume(server, BARE, WORKER, Policy=text(allow("kms:Encrypt")))
        getattr(server, end)()
        kms = server.start().client(**made.keys)
        encrypt(kms, key)
        with denied(made, "DescribeKey", key["Arn"], NO_SESSION_POLICY):
            kms.describe_key(KeyId=key["KeyId"])
    with PEOPLE.server(default_store, admin=ADMIN) as another, refused("UnrecognizedClientException"):
        another.client(**made.keys).list_keys()


def test_a_role_that_is_removed_ends_its_sessions(default_store):
    people = copy.deepcopy(PEOPLE)
    with people.server(default_store, admin=ADMIN) as server:
        key = server.client().create_key()["KeyMetadata"]
        doomed, kept = assume(server, BARE, DOOMED), assume(server, BARE, WORKER)
        encrypt(server.client(**doomed.keys), key)
        people.remove_role(DOOMED)
        people.options(server)
        server.process.send_signal(signal.SIGHUP)

        def gone():
            try:
                encrypt(server.client(**doomed.keys), key)
            except server.client().exceptions.ClientError as error:
                return error.response["Error"]["Code"]

        assert eventually(gone, "the role is gone") == "UnrecognizedClientException"
        encrypt(server.client(**kept.keys), key)
        with refused("AccessDenied", status=403):
            assume(server, BARE, DOOMED)
