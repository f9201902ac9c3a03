public import KMSModel
import Logging

// Who used a key last, and for what (KMS API: GetKeyLastUsage).
extension KeyManagementService {
    /// How much of the knowledge a crash may cost. AWS promises no time at all.
    static let lastUseInterval = Duration.seconds(10)

    /// KMS API: GetKeyLastUsage. Works in every key state.
    public func getKeyLastUsage(
        _ request: GetKeyLastUsageRequest, _ context: RequestContext
    ) async throws(KMSError) -> GetKeyLastUsageResponse {
        let key = try resolve(request.keyId, forms: .keys, for: .getKeyLastUsage, context)
        let stored = metadata.read { $0.lastUse(of: key.id, in: key.scope) }
        let use = lastUses.use(of: key) ?? stored
        return GetKeyLastUsageResponse(
            keyCreationDate: key.creationDate,
            // "The globally unique identifier for the KMS key", as KeyMetadata has it.
            keyId: Text(key.id),
            // "If the KeyLastUsage response element is empty": present, without members.
            keyLastUsage: use.map { use in
                KeyLastUsageData(
                    cloudTrailEventId: Text(use.eventID), kmsRequestId: Text(use.requestID), operation: use.operation,
                    timestamp: use.time)
            } ?? KeyLastUsageData(),
            trackingStartDate: metadata.read { Self.timestamp(.usageTrackingStart, in: $0) } ?? key.creationDate)
    }

    /// Notes a successful cryptographic operation. Costs no wait for the disk: see `storeLastUses`.
    public func noteUse(
        of key: RequestTrail.Key, for operation: KeyLastUsageTrackingOperation, eventID: String, requestID: String
    ) {
        lastUses.note(
            KeyLastUse(
                scope: key.scope, keyID: key.id, operation: operation, time: clock.now, eventID: eventID,
                requestID: requestID))
    }

    /// Stores what requests have noted, again and again, until the task is cancelled.
    public func runStoringLastUses() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.lastUseInterval)
            await storeLastUses()
        }
    }

    /// Stores what requests have noted.
    public func storeLastUses() async {
        let noted = lastUses.all
        guard !noted.isEmpty else { return }
        do {
            try await metadata.write { directory, changes throws(KMSError) in
                // The key may be gone meanwhile.
                changes = noted.filter { directory.key($0.keyID, in: $0.scope) != nil }.map { .putLastUse($0) }
            }
            lastUses.forget(noted)
        } catch {
            logger.error("the last uses of keys could not be stored", metadata: ["error": "\(error)"])
        }
    }

    /// The day from which on uses are recorded: that of the first start with a version that does.
    static func startTrackingUsage(_ metadata: Metadata, at now: Timestamp) async throws(KMSError) {
        try await metadata.write { directory, changes throws(KMSError) in
            guard directory.settings[.usageTrackingStart] == nil else { return }
            changes.append(.putSetting(.usageTrackingStart, Array("\(now.secondsSinceEpoch)".utf8)))
        }
    }

    private static func timestamp(
        _ setting: MetadataSetting, in directory: borrowing Directory
    ) -> Timestamp? {
        directory.settings[setting].flatMap { Double(String(decoding: $0, as: UTF8.self)) }
            .flatMap { Timestamp(exactly: $0) }
    }
}
