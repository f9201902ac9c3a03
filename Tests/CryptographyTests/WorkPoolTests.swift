import Cryptography
import Foundation
import Synchronization
import Testing

@Suite struct WorkPoolTests {
    /// Work that goes on until it is told to stop.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)

        func pass() -> Result<Int, Never> {
            semaphore.wait()
            return .success(1)
        }

        func open(_ count: Int) { for _ in 0..<count { semaphore.signal() } }
    }

    private final class Counter: Sendable {
        private let state = Mutex((now: 0, most: 0))

        func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }

        func leave() { state.withLock { $0.now -= 1 } }

        var most: Int { state.withLock { $0.most } }
    }

    @Test func `Everything that is let in is done, no more at once than the width`() async throws {
        let pool = WorkPool(name: "test", width: 2, queueLimit: 1_000, waitLimit: .seconds(60))
        let running = Counter()
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await pool.run { () -> Result<Int, Never> in
                        running.enter()
                        usleep(200)
                        running.leave()
                        return .success(number)
                    }.get()
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 19_900)
        #expect(running.most <= 2)
        #expect(pool.waitingCount == 0)
    }

    @Test func `What does not fit into the queue is refused at once`() async throws {
        let pool = WorkPool(name: "test", width: 1, queueLimit: 2, waitLimit: .seconds(60))
        let gate = Gate()
        async let first = pool.run(gate.pass)
        // One runs and two wait, in whatever order they arrive.
        async let second = pool.run(gate.pass)
        async let third = pool.run(gate.pass)
        while pool.waitingCount < 2 { try await Task.sleep(for: .milliseconds(1)) }
        await #expect(throws: WorkPool.Refusal.full) { _ = try await pool.run(gate.pass) }
        gate.open(3)
        let done = try await (first.get(), second.get(), third.get())
        #expect(done == (1, 1, 1))
        gate.open(1)
        let later = try await pool.run(gate.pass).get()
        #expect(later == 1)
    }

    @Test(.timeLimit(.minutes(5))) func `What waited too long is turned away without being run`() async throws {
        // Long enough that even busy cores begin the first in time.
        let pool = WorkPool(name: "test", width: 1, queueLimit: 10, waitLimit: .seconds(3))
        let gate = Gate()
        let begun = Counter()
        async let first = pool.run {
            begun.enter()
            return gate.pass()
        }
        while begun.most < 1 { try await Task.sleep(for: .milliseconds(1)) }
        let ran = Counter()
        async let second = pool.run { () -> Result<Int, Never> in
            ran.enter()
            return .success(2)
        }
        while pool.waitingCount < 1 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(3_100))
        gate.open(1)
        _ = try await first.get()
        do {
            _ = try await second.get()
            Issue.record("the work was run")
        } catch {
            #expect(error as? WorkPool.Refusal == .waitedTooLong)
        }
        #expect(ran.most == 0)
    }

    @Test func `An error of the work comes back as it is`() async throws {
        let pool = WorkPool(name: "test", width: 1, queueLimit: 1, waitLimit: .seconds(1))
        let result = try await pool.run { () -> Result<Int, CryptographyError> in
            .failure(CryptographyError(.failure, "as it is"))
        }
        #expect(throws: CryptographyError(.failure, "")) { _ = try result.get() }
    }
}
