public import KMSModel
import KMSPolicy
import Logging

// Automatic rotation (KMS API: EnableKeyRotation, DisableKeyRotation) and the scheduler behind it.
extension KeyManagementService {
    static let defaultRotationPeriodInDays = 365

    /// KMS API: EnableKeyRotation. Calling it again with another period begins that period now; from when AWS counts it
    /// is not known.
    public func enableKeyRotation(_ request: EnableKeyRotationRequest, _ context: RequestContext) async throws(KMSError)
    {
        let facts = RequestFacts().with(.rotationPeriodInDays, request.rotationPeriodInDays.map { Text("\($0)") })
        let now = clock.now
        try await changeRotation(request.keyId, for: .enableKeyRotation, facts, context) { key in
            let days = request.rotationPeriodInDays ?? Self.defaultRotationPeriodInDays
            guard key.automaticRotation?.periodInDays != days else { return }
            key.automaticRotation = AutomaticRotation(
                periodInDays: days, nextDate: now + Double(days) * Self.secondsPerDay)
        }
    }

    /// KMS API: DisableKeyRotation.
    public func disableKeyRotation(
        _ request: DisableKeyRotationRequest, _ context: RequestContext
    ) async throws(KMSError) {
        try await changeRotation(request.keyId, for: .disableKeyRotation, .none, context) { key in
            key.automaticRotation = nil
        }
    }

    private func changeRotation(
        _ identifier: Text, for operation: KMSOperation, _ facts: RequestFacts, _ context: RequestContext,
        _ body: @escaping @Sendable (inout KMSKey) -> Void
    ) async throws(KMSError) {
        try await change(identifier, for: operation, facts: facts, context) {
            key, directory, changes throws(KMSError) in
            try key.requireAutomaticRotation()
            try self.checkState(.rotate, of: key)
            // A setting of the primary, shared with its replicas.
            for before in directory.relatedKeys(of: key) {
                var key = before
                body(&key)
                if key != before { changes.append(.putKey(key)) }
            }
        }
    }

    // MARK: The scheduler

    /// Rotates the keys whose date has come. A date that passed while the server was down, or the key was disabled,
    /// makes one rotation, and the next period begins with it.
    func rotateDueKeys() async {
        let now = clock.now
        let due = metadata.read { directory in directory.keys { $0.isDueForRotation(at: now) } }
        for key in due where !Task.isCancelled { await rotateIfDue(key) }
    }

    func rotateIfDue(_ key: KMSKey) async {
        guard key.isDueForRotation(at: clock.now) else { return }
        do {
            try await rotateAutomatically(key)
        } catch {
            // Its key store may be away: tried again at the next look.
            logger.error("a KMS key could not be rotated", metadata: ["key": "\(key.arn)", "error": "\(error)"])
        }
    }

    private func rotateAutomatically(_ due: KMSKey) async throws(KMSError) {
        let keyStore = try registry.keyStore(of: due)
        let event = try await withIntent(at: due.placement, in: keyStore, keyARN: due.arn) { id throws(KMSError) in
            try await self.generateMaterial(id, for: due, in: keyStore)
        } commit: { id, material throws(KMSError) in
            try await self.metadata.write { directory, changes throws(KMSError) -> ServiceEvent in
                let now = self.clock.now
                // The key may have been disabled or rotated meanwhile, or is gone: then the new material goes too.
                guard let key = directory.key(due.id, in: due.scope), let rotation = key.automaticRotation,
                    key.isDueForRotation(at: now)
                else { throw .conflict("\(due.arn) is not to be rotated any more.") }
                let next = AutomaticRotation(
                    periodInDays: rotation.periodInDays,
                    nextDate: now + Double(rotation.periodInDays) * Self.secondsPerDay)
                changes.append(.deleteIntent(id))
                return self.rotate(key, to: material, .automatic, schedule: next, in: directory, &changes)
            }
        }
        emit(event)
    }
}

extension KMSKey {
    fileprivate func isDueForRotation(at time: Timestamp) -> Bool {
        guard let automaticRotation, status == .enabled, !isReplica else { return false }
        return automaticRotation.nextDate <= time
    }

    /// KMS Developer Guide, "Rotating AWS KMS keys" and "Key states": the answers for keys that are not rotated
    /// automatically. The text for imported keys is AWS's.
    fileprivate func requireAutomaticRotation() throws(KMSError) {
        guard keySpec == .symmetricDefault else {
            throw .unsupportedOperation("\(arn) is not a symmetric encryption KMS key.")
        }
        try requireOrigin(.awsKms)
        if isAdopted { throw .unsupportedOperation("\(arn) stands for an adopted object, which is not rotated.") }
        if isReplica { throw .notPrimary(arn) }
    }
}
