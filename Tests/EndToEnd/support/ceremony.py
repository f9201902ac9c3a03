"""Runs `strongroom import-key-material`, and makes key material and tokens for it."""

import json
import os
import pathlib
import re
import subprocess

from support import softhsm
from support.openssl import openssl
from support.server import BINARY

PIN = "pin of a test"


def environment(server=None, **more):
    """What the command finds its way and its credentials by, and nothing of the caller's."""
    settings = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    if server is not None:
        settings |= {
            "AWS_ENDPOINT_URL": server.endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret}
    return settings | more


class Ceremony:
    """The command, in a directory of its own, where it leaves nothing behind that it was not asked for."""

    def __init__(self, server, directory):
        self.server = server
        self.directory = pathlib.Path(directory)

    def run(self, *arguments, stdin=b"", prefix=(), settings=None, **more):
        """`settings` replaces the whole environment, `more` adds to it."""
        return subprocess.run(
            [*prefix, str(BINARY), "import-key-material", *map(str, arguments)], cwd=self.directory, input=stdin,
            env=settings or environment(self.server, TMPDIR=str(self.directory), **more), capture_output=True,
            timeout=120)

    def json(self, *arguments, **more):
        """What the command says it did."""
        result = self.run(*arguments, "--json", **more)
        assert result.returncode == 0, result.stderr.decode()
        return json.loads(result.stdout)

    def refused(self, *arguments, code=1, **more):
        """The sentence with which the command ends. It is one line, and standard output has no JSON."""
        result = self.run(*arguments, **more)
        assert result.returncode == code, (result.stdout, result.stderr)
        errors = [line for line in result.stderr.decode().splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1, result.stderr
        return errors[0].removeprefix("Error: ")


def secret_file(directory, content, name="key.bin"):
    path = pathlib.Path(directory) / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


class Token:
    """A SoftHSM token of one test's own."""

    module = softhsm.MODULE
    label = "ours"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "token"
        (self.directory / "tokens").mkdir(parents=True)
        (self.directory / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.settings = {"SOFTHSM2_CONF": str(self.directory / "softhsm2.conf")}
        softhsm.make_token(self.directory, self.label, PIN)
        self.pin_file = secret_file(self.directory, PIN.encode() + b"\n", "pin")

    def tool(self, *arguments):
        return softhsm.tool(self.directory, PIN, *arguments, label=self.label)

    def make_key(self, label, kind, *more):
        """`kind` as pkcs11-tool has it: AES:32, GENERIC:48, rsa:2048, EC:prime256v1."""
        command = "--keygen" if kind.startswith(("AES", "GENERIC")) else "--keypairgen"
        self.tool(command, "--key-type", kind, "--label", label, "--sensitive", *more)

    def public_key(self, label):
        """DER SubjectPublicKeyInfo."""
        path = self.directory / "public.der"
        self.tool("--read-object", "--type", "pubkey", "--label", label, "--output-file", str(path))
        return path.read_bytes()

    def arguments(self, label):
        return [
            "--from-token", self.module, "--token", self.label, "--token-key-label", label, "--pin-file",
            self.pin_file]


class NSSToken:
    """The same of NSS softoken, which wraps with SHA-256 and keeps the length of what it wraps."""

    label = "NSS Certificate DB"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "nss"
        self.directory.mkdir()
        self.pin_file = secret_file(self.directory, PIN.encode(), "pin")
        subprocess.run(
            ["certutil", "-N", "-d", f"sql:{self.directory}", "-f", self.pin_file], check=True, timeout=60,
            capture_output=True)
        [self.module, *_] = [
            path for folder in ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
            for path in [f"{folder}/libsoftokn3.so", f"{folder}/nss/libsoftokn3.so"] if os.path.exists(path)]
        self.init_string = f"configdir='sql:{self.directory}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="

    def _run(self, *command):
        result = subprocess.run(
            [*command, "-d", f"sql:{self.directory}", "-f", self.pin_file], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def make_aes_key(self, label):
        self._run("symkeyutil", "-K", "-n", label, "-t", "aes", "-s", "32")

    def make_rsa_key(self):
        """Its CKA_ID in hexadecimal, and its public key in PEM."""
        noise = secret_file(self.directory, os.urandom(64), "noise")
        self._run("certutil", "-G", "-k", "rsa", "-g", "2048", "-z", noise)
        [identifier] = re.findall(r"\brsa\s+([0-9a-f]{40})\b", self._run("certutil", "-K"))
        request = self._run("certutil", "-R", "-k", identifier, "-s", "CN=test", "-a", "-z", noise)
        public = openssl("req", "-in", "request", "-noout", "-pubkey", "-out", "out", request=request.encode()).out
        return identifier, public

    def arguments(self, *key):
        """`key` names the key: --token-key-label or --token-key-id, and the value."""
        return [
            "--from-token", self.module, "--token", self.label, *key, "--pin-file", self.pin_file, "--init-string",
            self.init_string]
