"""The token in trouble: each fault, met by each class of operation, on the default key store and in a custom key store.

The errors are AWS's and come in bounded time (the client gives up after 30 seconds), service resumes by itself, nothing
acknowledged is lost, and nothing is left on the token.
"""

import concurrent.futures
import shutil

import botocore.exceptions
import pytest

from support import custom_store, faulty, softhsm, wire
from support.ceremony import PIN
from support.expect import refused
from support.server import eventually
from support.workload import MESSAGE, Workload, code_of, leaves_nothing

FAULTS = {**faulty.FAULTS, **faulty.LOST_LOGINS}
# What must not be believed: nothing is answered that was made under them.
SEALS, MAKES = {"Encrypt", "GenerateDataKey"}, {"CreateKey", "CreateKey of a pair", "ImportKeyMaterial"}
LIES = {"IV of zeros": SEALS, "another IV": SEALS, "readable keys": MAKES, "attributes that lie": MAKES}
THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."


@pytest.fixture(scope="module")
def installation():
    with faulty.prepared() as made:
        yield made


@pytest.fixture(scope="module")
def store(installation):
    kms = installation.client()
    store = installation.create_store(kms)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
    return store


@pytest.fixture(scope="module")
def workloads(installation, store):
    """One for each placement; each knows what it was promised, over all tests of this file."""
    kms = installation.client()
    return {"default": Workload(kms), "custom": Workload(kms, store)}


@pytest.mark.parametrize("place", ["default", "custom"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_and_every_operation(installation, workloads, fault, place):
    workload = workloads[place]
    for operation, call in workload.operations.items():
        installation.serves(lambda: workload.prepare(operation))
        before = len(workload.created)
        with installation.token.failing(FAULTS[fault]):
            code = code_of(call)
        if operation in LIES.get(fault, ()):
            assert code == "KMSInternalException", operation
        assert code is None or code in workload.allowed, (operation, code)
        assert code is None or len(workload.created) == before
        # A deletion date is metadata: no token is needed for it.
        assert code is None or operation != "ScheduleKeyDeletion"
    installation.serves(workload.works)
    assert workload.lost() == []
    assert installation.server.is_running()


@pytest.mark.parametrize("place", ["default", "custom"])
def test_a_wrong_signature_is_not_handed_out(installation, workloads, place):
    workload = workloads[place]
    installation.serves(lambda: workload.prepare("Sign"))
    with installation.token.failing("C_Sign corrupt"):
        assert code_of(workload.sign) == "KMSInternalException"
    workload.sign()
    assert workload.lost() == []


@pytest.mark.parametrize("place", ["default", "custom"])
@pytest.mark.parametrize("loss", ["* logout", "* drop-sessions"])
def test_a_login_that_is_lost_once_costs_no_error(installation, workloads, place, loss):
    """Recovery takes a moment, and work that has not begun can wait for it."""
    workload = workloads[place]
    for operation, call in workload.operations.items():
        if operation.startswith(("CreateKey", "Import", "DeleteImported", "ScheduleKey")):
            continue  # What has begun to change a token is not done twice.
        installation.serves(lambda: workload.prepare(operation))
        with installation.token.failing(loss):
            assert code_of(call) is None, operation


def test_the_end_of_a_server_with_a_call_that_does_not_come_back():
    with faulty.prepared() as installation:
        kms = installation.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        with installation.token.failing("C_Encrypt block"):
            assert code_of(lambda: kms.encrypt(KeyId=key, Plaintext=MESSAGE)) == "DependencyTimeoutException"
            # Insists on exit code 0 within a time.
            installation.server.stop()
            assert "a call to a token has not come back" in installation.server.log
        kms = installation.server.start() and installation.client()
        kms.encrypt(KeyId=key, Plaintext=MESSAGE)


def test_a_call_that_is_under_way_at_the_end_is_answered():
    with faulty.prepared() as installation:
        kms = installation.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        with installation.token.failing("C_Encrypt delay 500"), concurrent.futures.ThreadPoolExecutor() as pool:
            installation.token.calls()
            answer = pool.submit(kms.encrypt, KeyId=key, Plaintext=MESSAGE)
            eventually(lambda: "C_Encrypt" in installation.token.log_text(), "the call")
            installation.server.stop()
            assert answer.result()["CiphertextBlob"]


def test_a_full_queue():
    """What neither finds a thread nor a place in the queue is told to slow down, as SDKs know it from AWS."""
    with faulty.prepared(maxSessions=1, queueLimit=1, callTimeoutMilliseconds=3000) as installation:
        kms = installation.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]

        def answer(_):
            try:
                return bool(kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])
            except botocore.exceptions.ClientError as error:
                return error.response["Error"]["Code"], error.response["Error"]["Message"]

        with installation.token.failing("C_Encrypt delay 500"), concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(answer, range(8))) == {True, ("ThrottlingException", THROTTLED)}
        kms.encrypt(KeyId=key, Plaintext=MESSAGE)


def test_junk_never_makes_the_token_sick(installation, workloads):
    before = len(installation.server.log)
    clients = [installation.client() for _ in range(8)]
    for workload in workloads.values():
        installation.serves(lambda: workload.prepare("Decrypt"))
        blob, plaintext = workload.blobs[0]
        junk = [blob[:-1] + bytes([blob[-1] ^ 1]), blob[:len(blob) // 2], b"junk", blob[:1] + blob]

        def hammer(kms):
            codes = {code_of(lambda: kms.decrypt(CiphertextBlob=junk[turn % 4])) for turn in range(40)}
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
            return codes

        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            assert set.union(*pool.map(hammer, clients)) == {"InvalidCiphertextException"}
    assert "sick" not in installation.events(before)


def test_a_restart_while_the_token_is_away(installation, workloads):
    """The server starts, does what it can do without the token, and serves by itself when it is back."""
    for workload in workloads.values():
        installation.serves(lambda: workload.prepare("ScheduleKeyDeletion"))
    with installation.token.failing("* vanish"):
        installation.server.restart()
        kms = installation.client()
        for workload in workloads.values():
            workload.kms = kms
            assert code_of(workload.decrypt) in workload.allowed
            assert code_of(workload.new_key) in workload.allowed
            assert code_of(workload.schedule_deletion) is None
        with refused("KMSInternalException", status=500):
            kms.generate_random(NumberOfBytes=8, CustomKeyStoreId=workloads["custom"].store)
    for workload in workloads.values():
        installation.serves(workload.works, seconds=120)
        assert workload.lost() == []


def test_nothing_is_left_on_the_token(installation, workloads):
    """After all that was before, and one reconciliation."""
    installation.server.restart()
    for workload in workloads.values():
        workload.kms = installation.client()
        installation.serves(workload.works)
    leaves_nothing(installation.token.objects, workloads.values())


def test_a_deletion_that_comes_due_while_the_token_is_away(new_server):
    """The key is gone at once, for everybody; its material as soon as it can be reached."""
    server = new_server()
    server.stop()
    softhsm.make_token(server.data, "faulty", PIN)
    # A copy: `dev` has the module itself, and one that is loaded twice has one C_Initialize.
    control = faulty.Control(server.directory, shutil.copy(softhsm.MODULE, server.directory))
    softhsm.write_device(
        server.directory / "devices", "faulty", faulty.CLUSTER, module=faulty.MODULE, label="faulty",
        profile=faulty.IMPATIENT)
    server.options += ["--hsm-config", str(server.directory / "devices")]
    server.environment = control.environment
    kms = server.start().client(read_timeout=30)
    store = custom_store.connected(kms, PIN, cluster=faulty.CLUSTER)
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]

    def count():
        return faulty.labels(softhsm.all_objects(server.data, PIN, "faulty"))[key["Arn"]]

    assert count() == 1
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with control.failing("* vanish"):
        assert wire.Wire(server).call("StrongroomDev.AdvanceClock", {"Seconds": 8 * 86400}).status == 200
        with refused("NotFoundException"):
            kms.describe_key(KeyId=key["KeyId"])
        assert count() == 1
    eventually(lambda: count() == 0, "the destruction of what was deleted", 90)


# Connecting

CONNECT_FAULTS = {
    # A module that does not start is an INTERNAL_ERROR, whatever it says.
    "* return 30": ["NETWORK_ERRORS", "INTERNAL_ERROR"], "* return 32": ["NETWORK_ERRORS", "INTERNAL_ERROR"],
    "C_Login return 30": ["NETWORK_ERRORS"], "C_OpenSession return 32": ["NETWORK_ERRORS"],
    "C_Login return E0": ["NETWORK_ERRORS"],
    "* return 5": ["INTERNAL_ERROR"], "* vanish": ["CLUSTER_NOT_FOUND"], "* drop-sessions times 1 skip 9": None,
    "* logout times 1 skip 9": None, "C_Login block": ["NETWORK_ERRORS"], "* delay 4000": ["NETWORK_ERRORS"],
    "C_GetTokenInfo flags 20000": ["USER_LOCKED_OUT"], "C_Login return 102": ["USER_NOT_FOUND"],
    "C_Login return 100": ["USER_LOGGED_IN"],
}


@pytest.fixture(scope="module")
def attachable():
    """A token that holds the keys of a custom key store alone: it is logged in while that is connected."""
    with faulty.prepared(on_token=False, connectTimeoutMilliseconds=3_000) as made:
        yield made


@pytest.mark.parametrize("command", CONNECT_FAULTS)
def test_connecting_to_a_token_in_trouble(attachable, region, command):
    kms = attachable.server.client(region, read_timeout=30)
    store = attachable.create_store(kms)
    with attachable.token.failing(command):
        entry = custom_store.connect(kms, store)
    # What happens in between may be lived through; where not, the reason must be a right one.
    allowed = CONNECT_FAULTS[command] or [None, "NETWORK_ERRORS", "INTERNAL_ERROR"]
    assert entry.get("ConnectionErrorCode") in allowed
    assert entry["ConnectionState"] == ("FAILED" if entry.get("ConnectionErrorCode") else "CONNECTED")

    def connects():
        custom_store.disconnect(kms, store)
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"

    attachable.serves(connects)
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == MESSAGE
    custom_store.disconnect(kms, store)


# Logins that were lost unseen

def test_deleted_material_is_not_taken_for_gone_by_a_session_that_is_logged_out():
    """Such a session finds no private object, and says so with CKR_OK."""
    with faulty.prepared() as installation:
        workload = Workload(installation.client())
        installation.serves(lambda: workload.prepare("DeleteImportedKeyMaterial"))
        with installation.token.failing("C_FindObjectsInit logout"):
            code_of(workload.delete_material)
        installation.serves(workload.generate_mac)
        installation.server.restart()
        arn = workload.external["Arn"]
        eventually(lambda: faulty.labels(installation.token.objects())[arn] == 0, "the end of deleted material", 40)


def test_a_login_that_could_not_be_left_beside_another_token_of_the_module():
    """The module cannot be started again, because the other token is in use, and C_Login finds the user logged in."""
    with faulty.prepared() as installation:
        installation.server.stop()
        softhsm.make_token(installation.token.directory, "second", PIN)
        softhsm.write_device(
            installation.server.directory / "devices", "second", "cluster-secondtoken", module=faulty.MODULE,
            label="second", profile=faulty.IMPATIENT)
        kms = installation.server.start() and installation.client()
        store = custom_store.connected(kms, PIN, cluster="cluster-secondtoken")
        keys = [
            kms.create_key()["KeyMetadata"]["KeyId"],
            kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]]
        with installation.token.failing("C_DecryptInit,C_Logout,C_CloseSession return 30"):
            eventually(lambda: installation.events().count("sick") == 2, "both sick")
        installation.serves(lambda: [kms.encrypt(KeyId=key, Plaintext=MESSAGE) for key in keys], seconds=75)
