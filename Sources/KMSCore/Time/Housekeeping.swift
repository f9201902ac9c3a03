public import KMSModel
import Logging

// What the server does by itself as time goes on.
extension KeyManagementService {
    /// How late a deletion may be. AWS may take up to a day.
    static let housekeepingInterval = Duration.seconds(30)

    /// Rotates, expires and deletes what is due, again and again, until the task is cancelled.
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
                await doWhatIsDue()
                // Only a time that is believed: a restart compares its clock with this one.
                await remember(wall)
            } else if !warned {
                warned = true
                logger.warning("the clock has jumped: nothing is destroyed until it has been steady for an hour")
            }
            try? await Task.sleep(for: Self.housekeepingInterval)
        }
    }

    private func doWhatIsDue() async {
        await rotateDueKeys()
        await expireDueMaterial()
        await deleteDueKeys()
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
        clock.offset = try await metadata.write { directory, changes throws(KMSError) -> Double in
            let before = Self.clockOffset(in: directory)
            let offset = min(before + seconds, Self.farthestAdvanceSeconds)
            changes.append(.putSetting(.clockOffset, Array("\(offset)".utf8)))
            return offset
        }
        await doWhatIsDue()
        return clock.now
    }

    /// A hundred years.
    static let farthestAdvanceSeconds = 100 * 365.25 * secondsPerDay

    /// Forgets every key, alias and custom key store of the installation, destroys their material, and puts domain
    /// time back to wall time.
    public func reset() async throws(KMSError) {
        for id in metadata.read({ Array($0.customKeyStores.keys) }) {
            // Material is destroyed while its store can still be reached.
            let now = clock.now
            try await metadata.write { directory, changes throws(KMSError) in
                changes += Self.deletion(in: directory, at: now) { $0.customKeyStoreID == id }
            }
            await finishIntents()
            await releaseConnection(of: id)
        }
        let now = clock.now
        // In one change, so that no key which is being created meanwhile is left in a key store that is gone.
        try await metadata.write { directory, changes throws(KMSError) in
            changes += Self.deletion(in: directory, at: now) { _ in true }
            for id in directory.customKeyStores.keys { changes.append(.deleteCustomKeyStore(id: id)) }
            changes.append(.putSetting(.clockOffset, nil))
        }
        clock.offset = 0
        await finishIntents()
    }

    private static func deletion(
        in directory: borrowing Directory, at now: Timestamp, where condition: (KMSKey) -> Bool
    ) -> [MetadataChange] {
        deletion(of: directory.keys(where: condition), in: directory, at: now)
    }

    static func clockOffset(in directory: borrowing Directory) -> Double {
        directory.settings[.clockOffset].flatMap { Double(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}
