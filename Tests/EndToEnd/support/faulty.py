"""A token that fails on command: Sources/FaultyToken in front of SoftHSM, below `strongroom serve`."""

import contextlib

import botocore.exceptions

from support import ceremony, custom_store, softhsm
from support.installation import installation
from support.server import BINARY, eventually, servers

CLUSTER = "cluster-faultytoken"
MODULE = BINARY.parent / "libFaultyToken.so"
# What the token answers, as Cryptoki numbers it (PKCS#11 v3.1 §6).
DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED, FUNCTION_FAILED = "30", "31", "32", "6"
SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT, USER_NOT_LOGGED_IN = "B3", "E0", "101"


class FaultyToken:
    """The commands are those of FaultyToken.h."""

    def __init__(self, directory):
        self.token = ceremony.Token(directory)
        self.directory = self.token.directory
        self.control, self.log = self.directory / "control", self.directory / "log"
        self.control.write_text("")
        self.environment = {
            **self.token.settings, "FAULTY_TOKEN_MODULE": str(softhsm.MODULE),
            "FAULTY_TOKEN_CONTROL": str(self.control), "FAULTY_TOKEN_LOG": str(self.log)}

    def command(self, *lines):
        """Replaces all commands."""
        new = self.directory / "control.new"
        new.write_text("".join(f"{line}\n" for line in lines))
        new.rename(self.control)

    @contextlib.contextmanager
    def failing(self, *lines):
        self.command(*lines)
        try:
            yield
        finally:
            self.command()

    def calls(self):
        """The functions that were called since the last look."""
        names = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return names

    def objects(self):
        """Keys of every kind that are on the token."""
        return softhsm.objects(self.directory, ceremony.PIN, label=self.token.label, kinds="")


class Installation:
    """`strongroom serve` with the token as its default key store, or with a custom key store on it."""

    def __init__(self, make, default_store):
        self.server = make(default_store, start=False)
        self.token = FaultyToken(self.server.directory)
        self.server.environment = self.token.environment
        softhsm.write_device(
            self.server.directory / "devices", "faulty", CLUSTER, module=MODULE, label=self.token.token.label,
            pinFile=str(self.token.token.pin_file),
            profile={
                "syncDirectory": str(self.token.directory / "tokens"), "recoveryDelayMilliseconds": 20,
                "keyPairTimeoutMilliseconds": 10000})  # For imports, too.
        on_token = default_store == "token"
        self.folder = installation(
            self.server, hsmConfigDirectory=str(self.server.directory / "devices"),
            defaultKeyStore=CLUSTER if on_token else "software")
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
