"""What an operator makes with `strongroom init`, and `strongroom serve` on it."""

import re
import subprocess

import yaml

from support import ceremony, custom_store, softhsm
from support.server import BINARY, CHECKOUT, eventually


def installation(server, *arguments, **settings):
    """Points the server, which has not been started, at a new installation on a free port; `settings` are more of
    strongroom.yaml. Returns the directory."""
    folder = server.directory / "installation"
    result = subprocess.run(
        [BINARY, "init", folder, *arguments], capture_output=True, text=True, timeout=60, cwd=server.directory)
    assert result.returncode == 0, result.stderr
    configuration = yaml.safe_load((folder / "strongroom.yaml").read_text()) | settings
    configuration["listen"]["port"] = 0
    configuration["readyFile"] = str(server.directory / "ready.json")
    (folder / "strongroom.yaml").write_text(yaml.safe_dump(configuration))
    server.arguments = ["serve", "--config", str(folder / "strongroom.yaml")]
    [account] = yaml.safe_load((folder / "principals.yaml").read_text())["accounts"].values()
    [access_key] = account["users"][0]["accessKeys"]
    server.access_key, server.secret = access_key["id"], access_key["secret"]
    return folder


def vendor_file(name):
    """A file of hsm-config/, read."""
    return yaml.safe_load((CHECKOUT / "hsm-config" / f"{name}.yaml").read_text())


class TokenInstallation:
    """An installation that has not been started, with a token of its own as its default key store or without one.

    `token` is called with the server's directory. What it makes has the `module`, `label`, `pin_file` and `init_string`
    (or None) of the device, the `cluster` that it is called, and the `environment` that the module needs.
    """

    def __init__(self, make, token, on_token, profile, pin_file=None, syncs=False):
        self.server = make("token" if on_token else "software", start=False)
        self.token = token(self.server.directory)
        self.server.environment = self.token.environment
        if syncs:
            profile = {**profile, "syncDirectory": str(self.token.directory / "tokens")}
        more = {"initString": self.token.init_string} if self.token.init_string else {}
        softhsm.write_device(
            self.server.directory / "devices", "ours", self.token.cluster, module=self.token.module,
            label=self.token.label, pinFile=str(pin_file or self.token.pin_file), profile=profile, **more)
        self.folder = installation(
            self.server, hsmConfigDirectory=str(self.server.directory / "devices"),
            defaultKeyStore=self.token.cluster if on_token else "software")

    def client(self, **config):
        # Every answer must come within a bounded time, whatever the token does.
        return self.server.client(**{"read_timeout": 30, **config})

    def create_store(self, kms, pin=ceremony.PIN):
        return custom_store.create(kms, pin, cluster=self.token.cluster)

    def events(self, since=0):
        """The events of the token that the server has logged, in order."""
        return re.findall(r"event=(\w+)", self.server.log[since:])

    def serves(self, works, seconds=60):
        """Waits until `works` no longer raises, and returns what it returned."""
        last = []

        def attempt():
            try:
                return (works(),)
            except Exception as error:  # Told below.
                last[:] = [error]
                return None

        try:
            return eventually(attempt, "service again", seconds)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}\n{self.server.log[-6000:]}") from error
