"""A token in another process, by p11-kit: what doctor says of it, every operation, and its death and return.

The keys are in the default key store or in a custom key store, as --default-store has it.
"""

import contextlib

import pytest

from support import custom_store, examination, p11_kit, wire
from support.faulty import IMPATIENT
from support.installation import TokenInstallation, vendor_file
from support.key_specs import ECDSA, MATRIX, RSA
from support.server import servers
from support.workload import WorkloadWithoutSymmetricKeys, code_of, leaves_nothing

# What p11-kit 0.24 passes on of what SoftHSM has, whole; newer ones pass on more.
WORKS = [
    *((spec, usage) for spec in RSA for usage in ["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
    *((spec, "SIGN_VERIFY") for spec in ECDSA),
    *((spec, "GENERATE_VERIFY_MAC") for spec in ["HMAC_256", "HMAC_384", "HMAC_512"])]


@contextlib.contextmanager
def remote_installation(on_token, **profile):
    """An installation with a device file as hsm-config/ has it, and its token, neither of them started."""
    with servers() as make:
        made = TokenInstallation(
            make, p11_kit.Remote, on_token, {**vendor_file("p11-kit-remote")["profile"], **profile})
        try:
            yield made
        finally:
            made.token.kill()


class Serving:
    """A server with keys on the token."""

    def __init__(self, installation, on_token):
        self.installation, self.remote = installation, installation.token
        self.remote.start()
        self.kms = installation.server.start() and installation.client()
        self.store = None if on_token else installation.create_store(self.kms)
        if self.store:
            assert custom_store.connect(self.kms, self.store)["ConnectionState"] == "CONNECTED"
        self.where = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": self.store} if self.store else {}
        self.outside = {"CustomKeyStoreId": self.store} if self.store else {}


@pytest.fixture(scope="module")
def serving(default_store):
    with remote_installation(default_store == "token") as made:
        yield Serving(made, default_store == "token")


@pytest.fixture(scope="module")
def troubled(default_store):
    """Another one, with a memory of what was acknowledged, over all tests that use it."""
    with remote_installation(default_store == "token", **IMPATIENT) as made:
        serving = Serving(made, default_store == "token")
        serving.workload = WorkloadWithoutSymmetricKeys(serving.kms, serving.store)
        yield serving
        # A server whose token is gone ends as well as any other.
        made.token.kill()


@pytest.fixture(scope="module")
def examined(serving):
    return examination.examine(serving.remote)


def test_what_the_doctor_finds(serving, examined):
    works = examination.algorithms(examined)
    assert {kind: works[kind] for kind in WORKS} == {kind: set(MATRIX[kind]) for kind in WORKS}
    assert examined["device"]["label"] == serving.remote.label
    assert examined["safetyFindings"] == []
    if "C_DecryptInit: CKR_MECHANISM_INVALID" in examined.get("gcmRefusal", ""):
        assert not works["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"] and "gcmIV" not in examined
    page = examination.doctor(serving.remote).stdout
    assert "p11-kit-client.so" in page.split("FOR hsm-config/")[1]


@pytest.mark.parametrize("kind", examination.KINDS)
def test_every_operation(serving, examined, kind):
    examination.check_operations(serving.kms, serving.where, examined, kind)


@pytest.mark.parametrize("spec", examination.IMPORTS)
def test_every_import(serving, examined, spec):
    examination.check_import(serving.kms, serving.outside, examined, spec)


def is_ready(troubled):
    raw = wire.Wire(troubled.installation.server)
    return raw.send([("Host", raw.host)], method="GET", path="/ready").status == 200


def fails_as_on_aws(troubled):
    """Every operation, while the token cannot be reached. The client's patience bounds each call."""
    workload, kms = troubled.workload, troubled.kms
    codes = {operation: code_of(call) for operation, call in workload.operations.items()}
    # The public key and the deletion date need no token.
    assert codes.pop("Encrypt") is None and codes.pop("ScheduleKeyDeletion") is None
    # Acknowledged, if the metadata says all that there is to say.
    assert {codes.pop("ImportKeyMaterial"), codes.pop("DeleteImportedKeyMaterial")} <= {None, *workload.allowed}
    assert set(codes.values()) <= workload.allowed, codes
    assert kms.describe_key(KeyId=workload.hmac["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    # Only the default key store is everybody's.
    assert is_ready(troubled) == (troubled.store is not None)
    if troubled.store:
        assert custom_store.describe(kms, troubled.store)["ConnectionState"] == "CONNECTED"


def is_whole(troubled):
    """All operations work again, and whatever was acknowledged is there."""
    workload = troubled.workload
    for operation in workload.operations:
        troubled.installation.serves(lambda: workload.prepare(operation))
    troubled.installation.serves(workload.works)
    assert workload.lost() == []
    assert is_ready(troubled)
    workload.prepare("ScheduleKeyDeletion")


@pytest.mark.parametrize("absence", ["dead", "behind_a_forwarding"])
def test_the_other_process_dies_and_returns(troubled, absence):
    before = len(troubled.installation.server.log)
    with getattr(troubled.remote, absence)():
        fails_as_on_aws(troubled)
    is_whole(troubled)
    assert troubled.installation.events(before)[-1] == "recovered"


def test_the_connection_breaks(troubled):
    """The other process is there, and whoever connects anew is served."""
    troubled.remote.cut_off()
    is_whole(troubled)


def test_the_other_process_does_not_answer(troubled):
    with troubled.remote.stopped():
        fails_as_on_aws(troubled)
    is_whole(troubled)


def test_a_start_while_the_other_process_is_away(troubled):
    with troubled.remote.dead():
        troubled.installation.server.restart()
        troubled.kms = troubled.workload.kms = troubled.installation.client()
        assert code_of(troubled.workload.generate_mac) in troubled.workload.allowed
        assert code_of(troubled.workload.schedule_deletion) is None
    is_whole(troubled)


def test_nothing_is_left_on_the_token(troubled):
    """After all that was before, and one reconciliation."""
    troubled.installation.server.restart()
    troubled.kms = troubled.workload.kms = troubled.installation.client()
    is_whole(troubled)
    leaves_nothing(troubled.remote.objects, [troubled.workload])
    # One canary, however often the server has logged in: AES-ECB is passed on.
    assert [entry.get("label") for entry in troubled.remote.objects()].count("strongroom canary") == 1
    assert "no canary" not in troubled.installation.server.log
