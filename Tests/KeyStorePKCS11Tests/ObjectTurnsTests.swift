internal import Conformance
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import Synchronization
internal import Testing

/// Making objects and searching for them, kept apart.
struct ObjectTurnsTests {
    /// One who takes a turn, and what is known of it.
    private final class Guest: Sendable {
        private let alarm = Mutex<(@Sendable () -> Void)?>(nil)
        private let turn: Task<Void, Never>

        /// Returns when the turn has come, or when it is waited for.
        init(_ kind: ObjectTurns.Kind, _ turns: ObjectTurns) async {
            let (decided, decide) = AsyncStream<@Sendable () -> Void>.makeStream()
            turn = Task {
                await turns.begin(kind) { alarm in decide.yield(alarm) }
                decide.finish()
            }
            for await ring in decided {
                alarm.withLock { $0 = ring }
                break
            }
        }

        var waits: Bool { alarm.withLock { $0 != nil } }

        func comes() async { await turn.value }

        func losePatience() { alarm.withLock { $0 }?() }
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)

        var count: Int { value.withLock { $0 } }

        func add() { value.withLock { $0 += 1 } }
    }

    private static let pairs: [(ObjectTurns.Kind, ObjectTurns.Kind)] = [(.making, .searching), (.searching, .making)]

    @Test func `Work of one kind goes on together, and the other kind waits until all of it has ended`() async {
        for (first, second) in Self.pairs {
            let turns = ObjectTurns()
            for _ in 0..<2 { #expect(await !Guest(first, turns).waits) }
            let other = await Guest(second, turns)
            #expect(other.waits)
            turns.end()
            let another = await Guest(second, turns)
            #expect(another.waits)
            turns.end()
            await other.comes()
            await another.comes()
            turns.end()
            turns.end()
            #expect(await !Guest(first, turns).waits)
        }
    }

    @Test func `Who comes late of the first kind waits behind the other kind`() async {
        let turns = ObjectTurns()
        #expect(await !Guest(.making, turns).waits)
        let search = await Guest(.searching, turns)
        let late = await Guest(.making, turns)
        #expect(late.waits)
        turns.end()
        await search.comes()
        #expect(await Guest(.searching, turns).waits)
        turns.end()
        await late.comes()
    }

    @Test func `A wait ends out of turn when it has been long enough`() async {
        let turns = ObjectTurns()
        #expect(await !Guest(.making, turns).waits)
        let search = await Guest(.searching, turns)
        let late = await Guest(.making, turns)
        search.losePatience()
        await search.comes()
        // Nothing more comes of it, and two are at work now.
        search.losePatience()
        turns.end()
        #expect(await Guest(.searching, turns).waits)
        turns.end()
        await late.comes()
    }

    @Test(.timeLimit(.minutes(5))) func `Keys are made well on SoftHSM while others are searched for`() async throws {
        // On busy cores a turn may take seconds, and a wait for it ends with a quarter of this.
        let device = try TestDevice.softHSM { $0.profile.callTimeoutMilliseconds = 240_000 }
        try await device.whileConnected { store async throws in
            let makers = 4
            let keysOfEach = 10
            let made = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<makers {
                    group.addTask {
                        for number in 0..<keysOfEach {
                            _ = try await store.generateKey(
                                number.isMultiple(of: 2)
                                    ? ConformanceKeys.request()
                                    : ConformanceKeys.request(.eccNistP256, .signVerify))
                            made.add()
                        }
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        while made.count < makers * keysOfEach {
                            try Task.checkCancellation()
                            _ = try await store.inventory()
                        }
                    }
                }
                for try await _ in group {}
            }
            #expect(try await store.inventory()?.count == makers * keysOfEach)
            #expect(!device.events.contains(.sick))
        }
    }
}

extension FaultTests {
    @Test func `A search begins when a key that is being made is there`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.clearLog()
            try faults.command("C_GenerateKey delay 300")
            async let key = store.generateKey(ConformanceKeys.request())
            try await device.wait(for: "the making") { try faults.calls().contains("C_GenerateKey") }
            let inventory = try await store.inventory()
            #expect(try await inventory?.map(\.id) == [key.id])
            let calls = try faults.calls()
            let search = try #require(calls.firstIndex(of: "C_FindObjectsInit"))
            // The last thing that is asked of a new key.
            let reading = try #require(calls.firstIndex(of: "C_GetAttributeValue"))
            #expect(reading < search)
            try faults.command()
        }
    }
}
