import Dispatch
import KeyStorePKCS11
import KeyStores
import PKCS11
import Synchronization
import Testing

/// The queue between callers and a token's threads, step by step, without a token and without threads.
struct WorkQueueTests {
    /// What became of each job, in order.
    private final class Diary: Sendable {
        private let entries = Mutex<[String]>([])

        var all: [String] { entries.withLock { $0 } }

        func job(_ name: String, until deadline: ContinuousClock.Instant = .now + .seconds(3600)) -> Job {
            Job(
                deadline: deadline, run: { _ in self.note("\(name) ran") },
                refuse: { error in self.note("\(name) refused: \(error.code)") })
        }

        private func note(_ entry: String) { entries.withLock { $0.append(entry) } }
    }

    private let diary = Diary()
    private let queue = WorkQueue(limit: 3)
    private let thread = WorkQueue.Thread(number: 1)
    private let unavailable = KeyStoreError(.unavailable, "the token is not well")

    /// What the thread finds now, without waiting.
    private func step(_ seenOrders: inout Int, of thread: WorkQueue.Thread? = nil) -> WorkQueue.Step {
        queue.next(thread ?? self.thread, seenOrders: &seenOrders, until: .now())
    }

    private func runAll() {
        var seenOrders = 0
        var session: Session?
        while true {
            switch step(&seenOrders) {
            case .job(let job):
                job.run(&session)
                _ = queue.finished(thread)
            case .closeSession: continue
            case .nothing, .stop: return
            }
        }
    }

    @Test func `Jobs run in the order in which they came`() {
        for name in ["a", "b", "c"] { #expect(queue.submit(diary.job(name)) == nil) }
        runAll()
        #expect(diary.all == ["a ran", "b ran", "c ran"])
    }

    @Test func `No more wait than the limit`() {
        for name in ["a", "b", "c"] { #expect(queue.submit(diary.job(name)) == nil) }
        #expect(queue.submit(diary.job("d"))?.code == .overloaded)
        runAll()
        #expect(queue.submit(diary.job("e")) == nil)
        runAll()
        #expect(diary.all == ["a ran", "b ran", "c ran", "e ran"])
    }

    @Test func `A job that is withdrawn does not run, and the others keep their order`() {
        let jobs = ["a", "b", "c"].map { diary.job($0) }
        for job in jobs { #expect(queue.submit(job) == nil) }
        queue.withdraw(jobs[1])
        queue.withdraw(jobs[1])
        #expect(diary.all == ["b refused: unavailable"])
        runAll()
        #expect(diary.all == ["b refused: unavailable", "a ran", "c ran"])
    }

    @Test func `A job that runs already is not withdrawn`() {
        let job = diary.job("a")
        #expect(queue.submit(job) == nil)
        var seenOrders = 0
        guard case .job = step(&seenOrders) else {
            Issue.record("no job came")
            return
        }
        queue.withdraw(job)
        #expect(diary.all == [])
    }

    @Test func `What waits past its time is refused, and a thread that is past it is given up once`() {
        let now = ContinuousClock.now
        #expect(queue.submit(diary.job("running", until: now)) == nil)
        var seenOrders = 0
        _ = step(&seenOrders)
        #expect(queue.submit(diary.job("late", until: now)) == nil)
        #expect(queue.submit(diary.job("early", until: now + .seconds(10))) == nil)

        #expect(queue.expire(now: now + .seconds(1)) == 1)
        #expect(queue.expire(now: now + .seconds(1)) == 0)
        #expect(queue.stuckCount == 1)
        #expect(Set(diary.all) == ["running refused: timedOut", "late refused: timedOut"])

        // The thread comes back and learns that it had been given up.
        #expect(!queue.finished(thread))
        #expect(queue.stuckCount == 0)
        runAll()
        #expect(diary.all.last == "early ran")
    }

    @Test func `A sick token's queue refuses what waits and what comes, and takes work again when it is well`() {
        #expect(queue.submit(diary.job("a")) == nil)
        queue.refuse(with: unavailable)
        #expect(diary.all == ["a refused: unavailable"])
        #expect(queue.submit(diary.job("b"))?.code == .unavailable)
        queue.accept()
        #expect(queue.submit(diary.job("c")) == nil)
        runAll()
        #expect(diary.all.last == "c ran")
    }

    @Test func `Every thread closes its session once for each illness`() {
        var (first, second) = (0, 0)
        let other = WorkQueue.Thread(number: 2)
        queue.refuse(with: unavailable)
        queue.accept()
        for _ in 0..<2 {
            guard case .closeSession = step(&first), case .closeSession = step(&second, of: other) else {
                Issue.record("a session stays open")
                return
            }
            guard case .nothing = step(&first), case .nothing = step(&second, of: other) else {
                Issue.record("a session is closed twice")
                return
            }
            queue.refuse(with: unavailable)
        }
    }

    @Test func `A queue that has stopped stays so, and refuses everybody`() {
        #expect(queue.submit(diary.job("a")) == nil)
        queue.stop(with: unavailable)
        queue.accept()
        #expect(queue.submit(diary.job("b"))?.code == .unavailable)
        var seenOrders = 0
        guard case .stop = step(&seenOrders) else {
            Issue.record("the thread is not told to stop")
            return
        }
        #expect(diary.all == ["a refused: unavailable"])
    }
}
