"""Starts the real binary on a data directory of its own, and stops it by its process id."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import boto3
import botocore.config

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("STRONGROOM_BINARY", CHECKOUT / ".build" / "release" / "strongroom"))
START_SECONDS = 60
STOP_SECONDS = 30

_session_lock = threading.Lock()
_session = boto3.Session()


def ram_directory():
    """A fresh directory, in memory where the system has one: SoftHSM rewrites an object file dozens of times."""
    shared_memory = pathlib.Path("/dev/shm")
    parent = shared_memory if os.access(shared_memory, os.W_OK) else None
    return pathlib.Path(tempfile.mkdtemp(prefix="strongroom-e2e-", dir=parent))


def disk_directory():
    """A fresh directory that is not in memory."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="strongroom-e2e-", dir="/var/tmp"))
    kind = subprocess.check_output(["stat", "--file-system", "--format=%T", directory], text=True).strip()
    assert kind not in ["tmpfs", "ramfs"], f"/var/tmp is in memory ({kind})"
    return directory


def eventually(condition, what, seconds=30):
    """Polls until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def client(
    endpoint, region="us-east-1", access_key="test", secret="test", token=None, service="kms", **config
):
    """An ordinary boto3 client without retries, so that a test sees the first answer, and without validation, so that
    the server judges."""
    settings = {
        "parameter_validation": False, "retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 60}
    with _session_lock:
        return _session.client(
            service, region_name=region, endpoint_url=endpoint, aws_access_key_id=access_key,
            aws_secret_access_key=secret, aws_session_token=token,
            config=botocore.config.Config(**{**settings, **config}))


class Server:
    """One `strongroom` process. May be started, stopped or killed, and started again on the same data."""

    def __init__(self, directory, default_store="software", options=(), arguments=None, environment=None):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.default_store = default_store
        self.options = list(options)
        self.arguments = arguments
        self.environment = environment or {}
        self.access_key = "test"
        self.secret = "test"
        self.process = None
        self.ready = None
        self.log_path = self.directory / "log"

    @property
    def endpoint(self):
        return self.ready["endpoint"]

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        """Everything that the process has written so far, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def pin(self):
        return (self.data / "softhsm.pin").read_text().strip()

    def command(self, ready_file):
        if self.arguments is not None:
            return [str(BINARY), *self.arguments, *self.options]
        return [
            str(BINARY), "dev", "--data-directory", str(self.data), "--port", "0", "--ready-file", str(ready_file),
            "--default-store", self.default_store, *self.options,
        ]

    def launch(self, ready_file):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SOFTHSM2_"))}
        environment |= self.environment
        with open(self.log_path, "ab") as log:
            return subprocess.Popen(
                self.command(ready_file), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                cwd=self.directory, env=environment, start_new_session=True)

    def start(self):
        assert self.process is None
        ready_file = self.directory / "ready.json"
        ready_file.unlink(missing_ok=True)
        self.process = self.launch(ready_file)

        def ready():
            code = self.process.poll()
            assert code is None, f"the server ended with {code} before it was ready:\n{self.log[-4000:]}"
            return ready_file.exists()

        eventually(ready, "ready file", START_SECONDS)
        self.ready = json.loads(ready_file.read_text())
        assert self.ready["pid"] == self.process.pid
        return self

    def refuses_to_start(self):
        """Starts the binary, expects it to end by itself with an error, and returns what it said."""
        before = len(self.log)
        process = self.launch(self.directory / "ready.json")
        try:
            code = process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server started, but should have refused to")
        assert code != 0
        return self.log[before:]

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, with_signal=signal.SIGTERM):
        """Asks for a clean end and insists on it."""
        process, self.process = self.process, None
        process.send_signal(with_signal)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"no end within {STOP_SECONDS} s of {with_signal.name}:\n{self.log[-4000:]}")
        assert code == 0, f"exit code {code} after {with_signal.name}:\n{self.log[-4000:]}"

    def kill(self):
        """The power cut."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def client(self, region="us-east-1", access_key=None, secret=None, token=None, **config):
        return client(
            self.endpoint, region, access_key or self.access_key, secret or self.secret, token, **config)


@contextlib.contextmanager
def servers():
    """Lends a function that makes servers; ends with them all stopped cleanly and their directories gone."""
    made = []

    def make(default_store, options=(), start=True, directory=None, **more):
        server = Server(directory or ram_directory(), default_store, options, **more)
        made.append(server)
        return server.start() if start else server

    try:
        yield make
        for server in made:
            if server.process is not None:
                server.stop()
    finally:
        for server in made:
            if server.process is not None:
                server.kill()
            shutil.rmtree(server.directory, ignore_errors=True)
