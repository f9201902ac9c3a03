"""Random faults under load: what clients see, how service comes back, and whether anything acknowledged is lost."""

import collections
import contextlib
import dataclasses
import itertools
import random
import re
import statistics
import threading
import time

import botocore.exceptions

from support import custom_store, faulty
from support.server import eventually
from support.workload import Workload

FAULTS = {**faulty.FAULTS, **faulty.LOST_LOGINS}
CALM = "calm"
# Longer than any pause between two attempts at recovery.
RECOVERY_SECONDS = 90
CLIENTS_FOR_EACH_PLACE = 2
# Of one client.
MOST_KEYS = 1_000


@dataclasses.dataclass
class Cell:
    """One class of operation under one fault."""
    answered: int = 0
    errors: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    longest_seconds: float = 0.0


@dataclasses.dataclass
class Episodes:
    """One fault, over all the times that it came."""
    recovery_seconds: list = dataclasses.field(default_factory=list)
    steps: collections.Counter = dataclasses.field(default_factory=collections.Counter)


class Client:
    """One client with keys of its own, which calls again and again."""

    def __init__(self, kms, store, seed, soak):
        self.workload = Workload(kms, store)
        self.random = random.Random(seed)
        self.soak = soak
        self.thread = threading.Thread(target=self.run)
        self.place = "custom" if store else "default"

    def run(self):
        while not self.soak.ends.is_set():
            operation = self.random.choice(list(self.workload.operations))
            if operation.endswith("ImportedKeyMaterial") or operation == "ImportKeyMaterial":
                operation = "DeleteImportedKeyMaterial" if self.workload.has_material else "ImportKeyMaterial"
            if operation == "ScheduleKeyDeletion":
                continue  # Metadata; without a cancellation each time it succeeds once.
            if operation.startswith("CreateKey") and len(self.workload.created) >= MOST_KEYS:
                continue  # SoftHSM searches through all objects, and half an hour makes tens of thousands.
            fault = self.soak.fault
            start = time.monotonic()
            code = None
            try:
                self.workload.operations[operation]()
            except botocore.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
            except (AssertionError, botocore.exceptions.BotoCoreError) as error:
                self.soak.wrong.append(f"{operation} in the {self.place} place under {fault}: {error!r}")
            # An error that began before the fault ended, or after it began, belongs to it.
            fault = self.soak.fault if fault == CALM else fault
            self.soak.note(fault, operation, code, time.monotonic() - start, self.workload)


class Soak:
    def __init__(self, installation, seed=1, seconds=20, report=lambda line: None):
        self.installation, self.seed, self.seconds, self.report = installation, seed, seconds, report
        self.random = random.Random(seed)
        self.ends = threading.Event()
        self.fault = CALM
        self.lock = threading.Lock()
        self.cells = collections.defaultdict(Cell)
        self.episodes = collections.defaultdict(Episodes)
        # What must stay empty.
        self.wrong, self.unexpected, self.lost = [], collections.Counter(), []
        self.is_back = True
        self.left_over = {}

    @property
    def is_sound(self):
        return self.is_back and not (self.lost or self.wrong or self.unexpected or self.left_over)

    @property
    def longest_recovery_seconds(self):
        return max((seconds for entry in self.episodes.values() for seconds in entry.recovery_seconds), default=0)

    def note(self, fault, operation, code, seconds, workload):
        with self.lock:
            cell = self.cells[fault, operation]
            if code is None:
                cell.answered += 1
                return
            cell.errors[code] += 1
            cell.longest_seconds = max(cell.longest_seconds, seconds)
            if code not in workload.allowed:
                self.unexpected[fault, operation, code] += 1

    # MARK: The run

    def run(self):
        kms = self.installation.client()
        store = self.installation.create_store(kms)
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
        clients = [
            Client(self.installation.client(), where, f"{self.seed}/{number}", self)
            for number, where in enumerate([None, store] * CLIENTS_FOR_EACH_PLACE)]
        # One of its own for each place, so that service is asked for when nobody else calls.
        probes = [Workload(kms), Workload(kms, store)]
        for client in clients:
            client.thread.start()
        try:
            self.make_trouble(probes)
        finally:
            self.installation.token.command()
            self.ends.set()
            for client in clients:
                client.thread.join()
        if self.is_back:
            self.look_back([*(client.workload for client in clients), *probes])

    def make_trouble(self, probes):
        deadline = time.monotonic() + self.seconds
        # Every fault has its turn before one has its second.
        for name in itertools.chain.from_iterable(
                self.random.sample(sorted(FAULTS), len(FAULTS)) for _ in itertools.count()):
            if time.monotonic() >= deadline:
                return
            seen = len(self.installation.server.log)
            self.fault = name
            with self.installation.token.failing(FAULTS[name]):
                time.sleep(self.random.uniform(0.1, 0.4 if self.seconds < 60 else 3.0))
            start = time.monotonic()
            if not self.waits_for_service(probes):
                self.is_back = False
                return
            episodes = self.episodes[name]
            episodes.recovery_seconds.append(time.monotonic() - start)
            self.fault = CALM
            episodes.steps.update(self.steps(self.installation.server.log[seen:]))
            self.report(f"{name}: {episodes.recovery_seconds[-1]:.2f} s")
            time.sleep(self.random.uniform(0.1, 0.3))

    def waits_for_service(self, probes):
        deadline = time.monotonic() + RECOVERY_SECONDS
        for probe in probes:
            while True:
                try:
                    probe.generate_mac()
                    break
                except botocore.exceptions.ClientError:
                    if time.monotonic() >= deadline or not self.installation.server.is_running():
                        return False
                    time.sleep(0.02)
        return True

    @staticmethod
    def steps(log):
        """What the server has told about the token, in its own words."""
        found = re.findall(r"event=(\w+) \[strongroom\] (.*)", log)
        return [text if event == "recovered" else event for event, text in found]

    def look_back(self, workloads):
        for workload in workloads:
            self.installation.serves(workload.works)
            self.lost += workload.lost()
        # What nobody was promised may wait for the next start: that reconciles.
        self.installation.server.restart()
        for workload in workloads:
            workload.kms = self.installation.client()
            self.installation.serves(workload.generate_mac)
            self.lost += workload.lost()
        expected = collections.Counter(label for workload in workloads for label in workload.expected_labels)

        def is_tidy():
            labels = faulty.labels(self.installation.token.objects())
            self.left_over = {
                label: count for label, count in (labels - expected).items() if not label.startswith("import ")}
            return not self.left_over

        with contextlib.suppress(AssertionError):
            eventually(is_tidy, "the end of what nobody was promised", RECOVERY_SECONDS)

    # MARK: The report

    def tables(self):
        yield f"seed {self.seed}, {sum(len(entry.recovery_seconds) for entry in self.episodes.values())} faults"
        yield ""
        yield "| Fault | Times | Steps | Time to recovery: median, longest | Acknowledged and lost |"
        yield "|---|---|---|---|---|"
        for name, entry in sorted(self.episodes.items()):
            steps = ", ".join(f"{step} ×{count}" for step, count in entry.steps.most_common()) or "none"
            times = entry.recovery_seconds
            yield (f"| {name} | {len(times)} | {steps} | {statistics.median(times):.2f} s, {max(times):.2f} s "
                   f"| {len(self.lost)} |")
        yield ""
        yield "| Fault | Operation | Answered | Errors | Longest time to an error |"
        yield "|---|---|---|---|---|"
        for (name, operation), cell in sorted(self.cells.items()):
            errors = ", ".join(f"{code} ×{count}" for code, count in cell.errors.most_common()) or "none"
            longest = f"{cell.longest_seconds:.2f} s" if cell.errors else ""
            yield f"| {name} | {operation} | {cell.answered} | {errors} | {longest} |"
        yield ""
        yield f"acknowledged and lost: {self.lost or 'nothing'}"
        yield f"wrong answers: {self.wrong or 'none'}"
        yield f"errors that AWS would not answer: {dict(self.unexpected) or 'none'}"
        yield f"objects on the token that are no key: {self.left_over or 'none'}"
        yield "service came back each time" if self.is_back else "service did NOT come back"
