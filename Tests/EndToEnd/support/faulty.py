"""A token that fails on command: Sources/FaultyToken in front of SoftHSM, below `strongroom serve`."""

import collections
import contextlib
import re

import botocore.exceptions

from support import ceremony, custom_store, softhsm
from support.installation import TokenInstallation
from support.server import BINARY, eventually, servers

CLUSTER = "cluster-faultytoken"
MODULE = BINARY.parent / "libFaultyToken.so"
# What the token answers, as Cryptoki numbers it (PKCS#11 v3.1 §6).
DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED, FUNCTION_FAILED = "30", "31", "32", "6"
SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT, USER_NOT_LOGGED_IN = "B3", "E0", "101"
# Short, so that a test of a token that hangs need not wait long, and long enough for a busy machine.
IMPATIENT = {
    "callTimeoutMilliseconds": 1_000, "keyPairTimeoutMilliseconds": 4_000, "connectTimeoutMilliseconds": 10_000,
    "canaryIntervalMilliseconds": 500, "recoveryDelayMilliseconds": 50, "maxSessions": 2,
}
# Named as people would, with the command that brings them about (docs/faulty-token.md).
FAULTS = {
    "device error": "* return 30",
    "general error": "* return 5",
    "function failed": "* return 6",
    "no memory": "* return 2",
    "device removed": "* return 32",
    "token not present": "* return E0",
    "operation active": "* return 90",
    "not logged in": "* return 101",
    "a code of the vendor": "* return 80000001",
    "token pulled": "* vanish",
    "now and then an error": "* return 32,E0,B3 chance 20% seed 7",
    "answers lost": "C_Generate*,C_CreateObject,C_UnwrapKey,C_DestroyObject,C_Encrypt,C_Sign lose 30",
    "IV of zeros": "C_Encrypt iv zero",
    "another IV": "C_Encrypt iv other",
    "readable keys": "* insensitive",
    "attributes that lie": "* lie 103 0",
    "no answer": "* block",
    "slow answers": "* delay 1500",
}
# After these the program is not logged in any more, and nothing has told it so.
LOST_LOGINS = {
    "sessions dropped": "* drop-sessions",
    "sessions dropped again and again": "* drop-sessions chance 20%",
    "logged out": "* logout",
}


class Control:
    """The commands and the log of FaultyToken (docs/faulty-token.md), and the environment that tells it of them."""

    def __init__(self, directory, module=softhsm.MODULE):
        self.control, self.log = directory / "control", directory / "log"
        self.control.write_text("")
        self.environment = {
            "FAULTY_TOKEN_MODULE": str(module), "FAULTY_TOKEN_CONTROL": str(self.control),
            "FAULTY_TOKEN_LOG": str(self.log)}

    def command(self, *lines):
        """Replaces all commands."""
        new = self.control.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.rename(self.control)

    @contextlib.contextmanager
    def failing(self, *lines):
        self.command(*lines)
        try:
            yield
        finally:
            self.command()

    def log_text(self):
        return self.log.read_text() if self.log.exists() else ""

    def calls(self):
        """The functions that were called since the last look."""
        names = self.log_text().split()
        self.log.unlink(missing_ok=True)
        return names


class FaultyToken(Control):
    """A token in a directory of its own."""

    cluster = CLUSTER
    module = MODULE
    init_string = None

    def __init__(self, directory):
        self.token = ceremony.Token(directory)
        self.directory, self.label, self.pin_file = self.token.directory, self.token.label, self.token.pin_file
        super().__init__(self.directory)
        self.environment |= self.token.settings

    def objects(self):
        """Keys of every kind that are on the token."""
        return softhsm.objects(self.directory, ceremony.PIN, label=self.token.label, kinds="")


def labels(objects):
    """How often each label is on a token: of what holds a secret, the canary excluded."""
    return collections.Counter(
        entry.get("label", "") for entry in objects
        if entry.get("label") != "strongroom canary" and re.match("Private|Secret", entry["kind"]))


class Prepared(TokenInstallation):
    """An installation that has not been started, with the token as its default key store or without one."""

    def __init__(self, make, on_token, profile, pin_file=None, syncs=False):
        super().__init__(make, FaultyToken, on_token, profile, pin_file, syncs)


class Installation(Prepared):
    """`strongroom serve` with the token as its default key store, or with a custom key store on it."""

    def __init__(self, make, default_store):
        on_token = default_store == "token"
        profile = {"recoveryDelayMilliseconds": 20, "keyPairTimeoutMilliseconds": 10000}  # For imports, too.
        super().__init__(make, on_token, profile, syncs=True)
        self.kms = self.server.start().client()
        # What CreateKey needs for a key on the token.
        self.where = {}
        if not on_token:
            self.where["CustomKeyStoreId"] = custom_store.connected(self.kms, ceremony.PIN, cluster=CLUSTER)

        origin = {} if on_token else {"Origin": "AWS_CLOUDHSM"}
        self.probe = self.kms.create_key(**origin, **self.where)["KeyMetadata"]["KeyId"]

    def recovers(self):
        """Waits until the server has found its token well again."""
        def works():
            with contextlib.suppress(botocore.exceptions.ClientError):
                return self.kms.encrypt(KeyId=self.probe, Plaintext=b"x")

        eventually(works, "the token is found to be well")

    def again(self):
        """After a kill."""
        self.kms = self.server.start().client()
        self.recovers()


@contextlib.contextmanager
def installations():
    """Lends a function that makes installations."""
    with servers() as make:
        yield lambda default_store: Installation(make, default_store)


@contextlib.contextmanager
def prepared(on_token=True, start=True, pin_file=None, syncs=False, **profile):
    """One installation with an impatient device, which is well again before its server is asked to end."""
    with servers() as make:
        made = Prepared(make, on_token, {**IMPATIENT, **profile}, pin_file, syncs)
        if start:
            made.server.start()
        try:
            yield made
        finally:
            made.token.command()
