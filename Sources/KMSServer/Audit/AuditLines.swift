internal import KMSCore
internal import KMSModel
internal import KMSPolicy

/// The audit lines of one call: the caller's, and one for each other account whose key was used (KMS Developer Guide,
/// "Logging AWS KMS API calls with AWS CloudTrail": both accounts of a cross-account call have an event, and the owner
/// has none of a call that was denied).
struct AuditLines {
    private struct Copy {
        let accountID: String
        let eventID: String
    }

    private let call: AuditedCall
    private let notes: RequestTrail.Notes?
    private let copies: [Copy]
    private let sharedEventID: String?

    init(_ call: AuditedCall) {
        self.call = call
        notes = call.context?.trail.notes
        var copies = [Copy(accountID: call.context?.caller.accountID ?? "", eventID: RequestID.make())]
        if let notes, call.error?.code != KMSErrorCode.accessDenied.rawValue {
            for key in notes.keys where !copies.contains(where: { $0.accountID == key.scope.accountID }) {
                copies.append(Copy(accountID: key.scope.accountID, eventID: RequestID.make()))
            }
        }
        self.copies = copies
        sharedEventID = copies.count > 1 ? RequestID.make() : nil
    }

    /// The keys that were used, each with the eventID of the line that its owner has.
    var keys: [(key: RequestTrail.Key, eventID: String)] {
        (notes?.keys ?? []).map { key in
            (key, (copies.first { $0.accountID == key.scope.accountID } ?? copies[0]).eventID)
        }
    }

    /// Each a JSON object.
    var encoded: [[UInt8]] { copies.indices.map(encode) }

    // MARK: Encoding

    /// The members stand in the order of CloudTrail's examples.
    private func encode(_ index: Int) -> [UInt8] {
        let copy = copies[index]
        var writer = JSONWriter(capacity: 2048)
        writer.beginObject()
        writer.member("eventVersion", Self.eventVersion)
        writer.object("userIdentity") { userIdentity(&$0, seenBy: copy.accountID) }
        writer.member("eventTime", call.time.iso8601)
        writer.member("eventSource", Text(call.eventSource.description))
        writer.member("eventName", Text(call.eventName ?? "Unknown"))
        writer.member("awsRegion", call.context.map { Text($0.region) })
        writer.member("sourceIPAddress", call.sourceIP)
        writer.member("userAgent", call.userAgent?.prefix(bytes: 1024))
        if let error = call.error {
            writer.member("errorCode", Text(error.code))
            writer.member("errorMessage", error.message.map { Text($0).prefix(bytes: 4096) })
        }
        writer.member("requestParameters", json: call.requestParameters)
        writer.member("responseElements", json: call.responseElements)
        additionalEventData(&writer)
        writer.member("requestID", Text(call.requestID))
        writer.member("eventID", Text(copy.eventID))
        writer.member("readOnly", call.isReadOnly)
        resources(&writer, seenBy: copy.accountID)
        writer.member("eventType", "AwsApiCall" as Text)
        writer.member("managementEvent", true)
        writer.member("eventCategory", "Management" as Text)
        if !copy.accountID.isEmpty { writer.member("recipientAccountId", Text(copy.accountID)) }
        writer.member("sharedEventID", sharedEventID.map { Text($0) })
        writer.endObject()
        return writer.finish()
    }

    static let eventVersion: Text = "1.11"

    private func userIdentity(_ writer: inout JSONWriter, seenBy accountID: String) {
        guard let context = call.context else {
            // Whoever has not signed is nobody. The access key is a claim.
            writer.member("type", "Unknown" as Text)
            writer.member("accessKeyId", call.claimedAccessKeyID.map { Text($0) })
            return
        }
        let caller = context.caller
        guard caller.accountID == accountID else {
            writer.member("type", "AWSAccount" as Text)
            writer.member("principalId", caller.auditPrincipalID)
            writer.member("accountId", Text(caller.accountID))
            return
        }
        writer.member("type", caller.auditType)
        writer.member("principalId", caller.auditPrincipalID)
        writer.member("arn", caller.arn)
        writer.member("accountId", Text(caller.accountID))
        writer.member("accessKeyId", context.accessKeyID.map { Text($0) })
        switch caller.kind {
        case .root: break
        case .user(let name): writer.member("userName", name)
        case .roleSession(let session):
            writer.object("sessionContext") { writer in
                writer.object("sessionIssuer") { writer in
                    writer.member("type", "Role" as Text)
                    writer.member("principalId", caller.uniqueID)
                    writer.member("arn", caller.identityARN)
                    writer.member("accountId", Text(caller.accountID))
                    let name = caller.identityARN.utf8.split(separator: UInt8(ascii: "/")).last
                    writer.member("userName", name.map { Text(String(Substring($0))) })
                }
                writer.object("attributes") { writer in
                    writer.member("creationDate", session.issueTime.iso8601)
                    writer.member("mfaAuthenticated", "false" as Text)
                }
                writer.member("sourceIdentity", session.sourceIdentity)
            }
        }
        writer.member("invokedBy", caller.viaService.map { "\($0).amazonaws.com" })
    }

    private func additionalEventData(_ writer: inout JSONWriter) {
        guard let notes else { return }
        let keyStoreID = notes.keys.lazy.compactMap(\.customKeyStoreID).first ?? notes.customKeyStore?.id
        guard notes.grantID != nil || keyStoreID != nil else { return }
        let isOnKeyStore = call.operation.map(AuditMembers.onKeyStores.contains) ?? false
        writer.object("additionalEventData") { writer in
            writer.member("grantId", notes.grantID.map { Text($0) })
            if isOnKeyStore {
                writer.member("customKeyStoreName", notes.customKeyStore?.name)
                writer.member("clusterId", notes.customKeyStore.map { Text($0.clusterID) })
            } else {
                writer.member("customKeyStoreId", keyStoreID.map { Text($0) })
            }
        }
    }

    /// An owner's line names the owner's keys only.
    private func resources(_ writer: inout JSONWriter, seenBy accountID: String) {
        if let operation = call.operation, AuditMembers.onKeyStores.contains(operation) { return }
        let isCaller = accountID == copies[0].accountID
        let keys = (notes?.keys ?? []).filter { isCaller || $0.scope.accountID == accountID }
        var resources = keys.map { Resource(accountID: $0.scope.accountID, type: "AWS::KMS::Key", arn: $0.arn) }
        if isCaller, let aliasARN = notes?.aliasARN {
            resources.insert(Resource(accountID: accountID, type: nil, arn: aliasARN), at: 0)
        }
        writer.resources(resources)
    }
}

/// One element of `resources`.
struct Resource {
    let accountID: String
    /// Nil for an alias.
    let type: Text?
    let arn: String
}

extension JSONWriter {
    mutating func resources(_ resources: [Resource]) {
        objects("resources", resources) { writer, resource in
            writer.member("accountId", Text(resource.accountID))
            writer.member("type", resource.type)
            writer.member("ARN", Text(resource.arn))
        }
    }
}

extension Principal {
    fileprivate var auditType: Text {
        switch kind {
        case .root: "Root"
        case .user: "IAMUser"
        case .roleSession: "AssumedRole"
        }
    }

    fileprivate var auditPrincipalID: Text {
        guard case .roleSession(let session) = kind else { return uniqueID }
        return Text("\(uniqueID):\(session.name)")
    }
}

extension Text {
    /// As many whole scalars as fit.
    fileprivate func prefix(bytes limit: Int) -> Text {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while UTF8.isContinuation(utf8[end]) { end = utf8.index(before: end) }
        return Text(String(string[..<end]))
    }
}
