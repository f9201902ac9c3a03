package import KMSModel
package import Logging
import Synchronization

/// Counts the messages that were encrypted directly under a key with random 96-bit IVs, which NIST SP 800-38D §8.3
/// limits to 2^32 per key. Counts by KeyMaterialId, so that importing the same bytes again does not begin at zero.
/// Suites that derive a key per message need no count.
///
/// Coarse on purpose: messages are reserved in the metadata by the thousands and then counted in memory, so that no
/// request waits for the disk but one in `reservation`; a crash loses the rest of a reservation, never a count.
package final class MessageCounter: Sendable {
    package static let reservation: UInt64 = 65_536
    package static let warningLimit: UInt64 = 1 << 31
    package static let limit: UInt64 = 1 << 32

    private struct Count {
        var used: UInt64
        var reserved: UInt64
    }

    private let counts = Mutex<[[UInt8]: Count]>([:])
    /// What earlier processes reserved counts as used.
    private let reservedBefore: [[UInt8]: UInt64]
    private let metadata: Metadata
    private let logger: Logger

    package init(metadata: Metadata, logger: Logger) {
        self.metadata = metadata
        reservedBefore = metadata.read { $0.messageReservations }
        self.logger = logger
    }

    /// Counts one message under the material with this KeyMaterialId.
    ///
    /// Errors: LimitExceededException when the key has encrypted as many messages as are safe.
    package func count(_ id: [UInt8], keyARN: String) async throws(KMSError) {
        while !take(id) {
            let total = try await metadata.write { directory, changes throws(KMSError) -> UInt64 in
                let reserved = directory.messageReservations[id] ?? 0
                // Somebody else may have reserved while this request waited for the writer.
                if self.hasRoom(id, reserved: reserved) { return reserved }
                guard reserved < Self.limit else {
                    throw .limitExceeded(
                        "\(keyARN) has encrypted as many messages as one key on this token may (2^32): "
                            + "create a new key and re-encrypt to it")
                }
                changes.append(.reserveMessages(materialID: id, total: reserved + Self.reservation))
                return reserved + Self.reservation
            }
            extend(id, to: total, keyARN: keyARN)
        }
    }

    private func take(_ id: [UInt8]) -> Bool {
        counts.withLock { counts in
            guard let count = counts[id], count.used < count.reserved else { return false }
            counts[id]?.used += 1
            return true
        }
    }

    /// Whether `reserved`, as the metadata has it, holds messages that nobody has counted yet.
    private func hasRoom(_ id: [UInt8], reserved: UInt64) -> Bool {
        counts.withLock { counts in reserved > (counts[id]?.used ?? reservedBefore[id] ?? 0) }
    }

    private func extend(_ id: [UInt8], to total: UInt64, keyARN: String) {
        counts.withLock { counts in
            let used = counts[id]?.used ?? reservedBefore[id] ?? 0
            counts[id] = Count(used: used, reserved: max(total, counts[id]?.reserved ?? 0))
        }
        if total >= Self.warningLimit {
            logger.warning(
                "a token key nears its message limit",
                metadata: ["key": "\(keyARN)", "messages": "\(total)", "limit": "\(Self.limit)"])
        }
    }
}
