"""Disks that belong to one server: small, so that they can be filled, and with a switch for read-only.

They are tmpfs in a mount namespace of their own, which needs no root (user_namespaces(7), "Interaction of user
namespaces and other types of namespaces"); a process keeps the namespace while the server is down."""

import contextlib
import errno
import os
import pathlib
import shutil
import sqlite3
import subprocess

import botocore.exceptions

from support import operations, softhsm
from support.changes import REGIONS
from support.power_cuts import all_keys
from support.server import eventually

# Places below the data directory, and the size of a disk there in MiB.
DATA, TOKENS, AUDIT = ".", "softhsm", "audit"
SIZES = {DATA: 12, TOKENS: 4, AUDIT: 4}
# What a call answers whose object the token cannot store.
NO_OBJECT = "An internal error occurred. Try the request again."
PAGE = os.sysconf("SC_PAGE_SIZE")
_MOUNT = """
set -e
while [ $# -gt 0 ]; do mkdir -p "$1"; mount -t tmpfs -o "size=$2m,mode=0700" strongroom "$1"; shift 2; done
echo mounted
exec cat
"""


class Disk:
    """One of the file systems."""

    def __init__(self, disks, path):
        self.disks, self.path = disks, pathlib.Path(path)

    @property
    def filler(self):
        return self.disks.inside(self.path) / "filler"

    def fill(self, pages_left=0):
        """Leaves this many pages, or less."""
        with open(self.filler, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, os.fstat(file.fileno()).st_size - pages_left * PAGE))

    def free(self):
        self.filler.unlink()

    def remount(self, how):
        """`how` is ro or rw. False when a file is open for writing just now."""
        result = self.disks.run("mount", "-o", f"remount,{how}", str(self.path))
        assert result.returncode == 0 or "busy" in result.stderr, result.stderr
        return result.returncode == 0


class Disks:
    """Disks at `places` below the data directory of `server`, which has not been started yet."""

    def __init__(self, server, places):
        self.server = server
        mounts = {server.data / place: SIZES[place] for place in places}
        self.holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh",
             *(str(word) for mount in mounts.items() for word in mount)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "mounted\n"
        self.by_place = {place: Disk(self, server.data / place) for place in places}
        plain = server.command
        server.command = lambda ready: [*self.enter, *plain(ready)]

    def __getitem__(self, place):
        return self.by_place[place]

    @property
    def enter(self):
        return ["nsenter", "--target", str(self.holder.pid), "--user", "--mount", "--preserve-credentials"]

    def run(self, *command):
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=60)

    def inside(self, path):
        """Where this process finds what the server calls `path`."""
        return pathlib.Path(f"/proc/{self.holder.pid}/root{path}")

    def show(self):
        """Puts a copy of what is on the disks where the tests look, at the same path outside of the namespace."""
        for left in [path for path in self.server.data.glob("*") if path.name != "filler"]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        shutil.copytree(
            self.inside(self.server.data), self.server.data, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("filler", "admin.sock"))

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


@contextlib.contextmanager
def failing(server, calls, error):
    """While the block runs, these system calls on the files of the metadata fail. A disk whose files are open cannot be
    remounted read-only from outside; its driver does so at any time."""
    paths = [f"{server.data}/strongroom.sqlite{end}" for end in ["", "-wal", "-shm"]]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", os.devnull, "-p", str(server.pid), "-e", f"trace={calls}",
         "-e", f"inject={calls}:error={error}", *(word for path in paths for word in ["-P", path])])
    tasks = pathlib.Path(f"/proc/{server.pid}/task")

    def is_traced():
        assert tracer.poll() is None
        return all(
            f"TracerPid:\t{tracer.pid}\n" in (task / "status").read_text() for task in tasks.iterdir() if task.exists())

    try:
        eventually(is_traced, "strace at every thread")
        yield
    finally:
        tracer.terminate()
        tracer.wait()


def nothing_is_half_there(server, disks=None):
    """Every key has what it needs, every object on the token has its key, and nothing waits to be finished. The server
    has just been started, and says what it finds."""
    def settled():
        if disks:
            disks.show()
        with contextlib.closing(sqlite3.connect(server.data / "strongroom.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return database.execute("SELECT count(*) FROM intents").fetchone() == (0,)

    eventually(settled, "that everything is finished")
    keys = all_keys(server, REGIONS)
    for (region, _), metadata in keys.items():
        if metadata["KeyState"] == "Enabled":
            eventually(lambda: usable(server.client(region), metadata), f"the use of {metadata['Arn']}")
    labels = [entry.get("label", "") for entry in softhsm.all_objects(server.data, server.pin)]
    arns = {metadata["Arn"] for metadata in keys.values()}
    assert {label for label in labels if label.startswith("arn:")} <= arns
    assert "is missing" not in server.log and "that is no key of this installation" not in server.log


def usable(kms, metadata):
    """Not before the login to the token in the background."""
    with contextlib.suppress(botocore.exceptions.ClientError):
        return operations.calls(kms, metadata)
    return None
