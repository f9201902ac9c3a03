public import KMSModel
import KMSPolicy

extension KeyManagementService {
    static let defaultPendingWindowDays = 30
    static let secondsPerDay = 86_400.0

    /// KMS API: ScheduleKeyDeletion. From now on the key encrypts and decrypts nothing; its material goes when the
    /// date comes.
    public func scheduleKeyDeletion(
        _ request: ScheduleKeyDeletionRequest, _ context: RequestContext
    ) async throws(KMSError) -> ScheduleKeyDeletionResponse {
        let days = request.pendingWindowInDays ?? Self.defaultPendingWindowDays
        guard (7...30).contains(days) else {
            // The shape allows 1...365, the service 7...30. The text is not known from AWS.
            throw .validation("PendingWindowInDays must be between 7 and 30 days, not \(days).")
        }
        let date = clock.now + Double(days) * Self.secondsPerDay
        let facts = RequestFacts().with(
            .scheduleKeyDeletionPendingWindowInDays, request.pendingWindowInDays.map { Text("\($0)") })
        let key = try await change(request.keyId, for: .scheduleKeyDeletion, facts: facts, context) {
            before, directory, changes throws(KMSError) -> KMSKey in
            try self.checkState(.scheduleDeletion, of: before)
            var key = before
            // KMS Developer Guide, "Deleting multi-Region keys": the window of a primary begins when it has no
            // replicas.
            let hasReplicas = key.isPrimary && directory.relatedKeys(of: key).contains(where: \.isReplica)
            key.status = hasReplicas ? .pendingReplicaDeletion(windowDays: days) : .pendingDeletion(deletionDate: date)
            changes.append(.putKey(key))
            return key
        }
        let waitsForReplicas = key.status != .pendingDeletion(deletionDate: date)
        return ScheduleKeyDeletionResponse(
            deletionDate: waitsForReplicas ? nil : date, keyId: Text(key.arn),
            keyState: waitsForReplicas ? .pendingReplicaDeletion : .pendingDeletion, pendingWindowInDays: days)
    }

    /// KMS API: CancelKeyDeletion. The key comes back Disabled, never Enabled.
    public func cancelKeyDeletion(
        _ request: CancelKeyDeletionRequest, _ context: RequestContext
    ) async throws(KMSError) -> CancelKeyDeletionResponse {
        let clock = clock
        let key = try await change(request.keyId, for: .cancelKeyDeletion, .cancelDeletion, context) {
            key throws(KMSError) in
            // When the date has come the key is gone, even if its material waits to be destroyed.
            if case .pendingDeletion(let date) = key.status, date <= clock.now { throw .keyNotFound(key.arn) }
            key.status = .disabled
        }
        return CancelKeyDeletionResponse(keyId: Text(key.arn))
    }
}
