public import KMSModel
import Logging

// What the server does by itself as time goes on.
extension KeyManagementService {
    /// How late a deletion may be. AWS may take up to a day.
    static let housekeepingInterval = Duration.seconds(30)

    /// Deletes what is due, again and again, until the task is cancelled.
    public func runHousekeeping() async {
        let lastSeen = metadata.read { $0.settings[.lastSeenTime] }
            .flatMap { Double(String(decoding: $0, as: UTF8.self)) }
        var trust = ClockTrust(
            wall: DomainClock.wallTime(), monotonic: DomainClock.monotonicTime(), lastSeen: lastSeen)
        var warned = false
        while !Task.isCancelled {
            let wall = DomainClock.wallTime()
            trust.observe(wall: wall, monotonic: DomainClock.monotonicTime())
            if trust.isTrusted {
                warned = false
                await deleteDueKeys()
            } else if !warned {
                warned = true
                logger.warning("the clock has jumped: nothing is destroyed until it has been steady for an hour")
            }
            await remember(wall)
            try? await Task.sleep(for: Self.housekeepingInterval)
        }
    }

    private func remember(_ wall: Double) async {
        do {
            try await metadata.write { _, changes throws(KMSError) in
                changes.append(.putSetting(.lastSeenTime, Array("\(wall)".utf8)))
            }
        } catch {
            logger.error("the time could not be stored", metadata: ["error": "\(error)"])
        }
    }

    // MARK: The test clock (`strongroom dev` only)

    /// Moves domain time forward and lets happen what is then due, before it answers with the new domain time.
    ///
    /// Errors: ValidationException for a negative or absurd number of seconds.
    public func advanceClock(bySeconds seconds: Double) async throws(KMSError) -> Timestamp {
        guard seconds.isFinite, (0...Self.farthestAdvanceSeconds).contains(seconds) else {
            throw .validation("Seconds must be between 0 and \(Int(Self.farthestAdvanceSeconds)).")
        }
        let clock = clock
        try await metadata.write { _, changes throws(KMSError) in
            let offset = min(clock.offset + seconds, Self.farthestAdvanceSeconds)
            changes.append(.putSetting(.clockOffset, Array("\(offset)".utf8)))
            clock.offset = offset
        }
        await deleteDueKeys()
        return clock.now
    }

    /// A hundred years.
    static let farthestAdvanceSeconds = 100 * 365.25 * secondsPerDay

    /// Forgets every key, alias and custom key store of the installation, destroys their material, and puts domain
    /// time back to wall time.
    public func reset() async throws(KMSError) {
        for id in metadata.read({ Array($0.customKeyStores.keys) }) {
            // Material is destroyed while its store can still be reached.
            await destroyEverything { $0.customKeyStoreID == id }
            await releaseConnection(of: id)
        }
        await destroyEverything { _ in true }
        let clock = clock
        try await metadata.write { directory, changes throws(KMSError) in
            for id in directory.customKeyStores.keys { changes.append(.deleteCustomKeyStore(id: id)) }
            changes.append(.putSetting(.clockOffset, nil))
            clock.offset = 0
        }
    }

    private func destroyEverything(where condition: @escaping @Sendable (KMSKey) -> Bool) async {
        let now = clock.now
        _ = try? await metadata.write { directory, changes throws(KMSError) in
            for key in directory.keys(where: condition) {
                changes += Self.deletion(of: key, in: directory, at: now)
            }
        }
        await finishIntents()
    }
}
