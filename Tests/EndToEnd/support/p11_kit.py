"""A SoftHSM token in another process: `p11-kit server` has it, and p11-kit-client.so, a PKCS#11 module, speaks with
that over a socket."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading

from support import ceremony, softhsm
from support.server import eventually

MODULE = next(
    (path for path in [
        "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so", "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
        "/usr/lib64/pkcs11/p11-kit-client.so",
    ] if os.path.exists(path)),
    "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so")


class Remote:
    """The token, and the process that has it: killed, stopped in its tracks, cut off, and started where it was."""

    cluster = "cluster-remotetoken"
    module = MODULE
    init_string = None

    def __init__(self, directory):
        self.token = ceremony.Token(directory)
        self.label, self.pin_file = self.token.label, self.token.pin_file
        self.socket = pathlib.Path(directory) / "p11-kit"
        # All that the client's side is told: not where SoftHSM has its token.
        self.environment = {"P11_KIT_SERVER_ADDRESS": f"unix:path={self.socket}"}
        self.process = None

    def start(self):
        assert self.process is None
        # A process that was killed leaves it, and the next one does not take it over.
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["p11-kit", "server", "--foreground", "--name", self.socket, "--provider", self.token.module,
             f"pkcs11:token={self.label}"],
            env={**os.environ, **self.token.settings}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True)
        eventually(self._listens, "a p11-kit server that takes connections")

    def _listens(self):
        assert self.process.poll() is None, "p11-kit server ended by itself"
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.socket)) == 0

    def kill(self):
        """The process, and those that it made, one for each client."""
        process, self.process = self.process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextlib.contextmanager
    def dead(self):
        """Gone, and back at the same address."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def behind_a_forwarding(self):
        """Gone, but somebody takes connections and ends them, as `ssh -L` does when nobody listens at its other end."""
        with self.dead(), socket.socket(socket.AF_UNIX) as forwarding:
            self.socket.unlink()
            forwarding.bind(str(self.socket))
            forwarding.listen()
            thread = threading.Thread(target=self._hang_up, args=[forwarding])
            thread.start()
            try:
                yield
            finally:
                forwarding.shutdown(socket.SHUT_RDWR)
                thread.join()

    @staticmethod
    def _hang_up(forwarding):
        with contextlib.suppress(OSError):
            while True:
                forwarding.accept()[0].close()

    @contextlib.contextmanager
    def stopped(self):
        """Does not answer any more, and does not hang up either."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def cut_off(self):
        """Ends the connections, and the service goes on."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert children, "nobody is connected"
        for child in children:
            os.kill(int(child), signal.SIGKILL)

    def objects(self):
        """Keys of every kind that are on the token, seen from its own side."""
        return softhsm.all_objects(self.token.directory, ceremony.PIN, label=self.label)
