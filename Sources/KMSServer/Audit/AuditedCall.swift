internal import KMSCore
internal import KMSModel
internal import SecureMemory

/// What is known of one call when it has been answered: all that its audit lines are made of.
struct AuditedCall: Sendable {
    /// `kms.amazonaws.com`, `sts.amazonaws.com`, or that of the test controls of `strongroom dev`.
    var eventSource: StaticString = "kms.amazonaws.com"
    /// Nil when the request names none that there is.
    var eventName: String?
    /// Nil in calls that are not to KMS.
    var operation: KMSOperation?
    /// Nil when nobody has proved to have sent the request.
    var context: RequestContext?
    /// The access key that a request claims which was not authenticated; only of one that exists.
    var claimedAccessKeyID: String?
    var sourceIP: Text?
    var userAgent: Text?
    var requestID: String
    /// Domain time.
    var time: Timestamp
    /// Nil for a call that succeeded.
    var error: Failure?
    var requestParameters: [UInt8]?
    var responseElements: [UInt8]?
    var isReadOnly: Bool

    struct Failure: Sendable {
        let code: String
        let message: String?
    }

    init(_ request: WireRequest?, requestID: String, time: Timestamp) {
        sourceIP = request?.sourceIP
        userAgent = request?.header("user-agent").map { Text($0) }
        self.requestID = requestID
        self.time = time
        isReadOnly = true
    }

    /// A call that names an operation of KMS.
    mutating func isFor(_ operation: KMSOperation) {
        self.operation = operation
        eventName = operation.rawValue
        isReadOnly = !AuditMembers.changing.contains(operation)
    }

    /// A call of a test control.
    mutating func isFor(_ control: Substring) {
        eventSource = "strongroom-dev"
        eventName = String(control)
        isReadOnly = false
    }

    // MARK: What was asked and answered

    /// CloudTrail leaves out what is larger (CloudTrail User Guide, "CloudTrail record contents").
    private static let excerptLimit = 100 * 1024

    /// Takes what is shown of the body of a request that was authenticated. One that is not of its form shows nothing.
    mutating func take(parametersOf body: SecretBytes, answeredWith error: KMSError?) {
        guard let operation, error?.code != .serialization, !AuditMembers.withoutParameters.contains(operation) else {
            return
        }
        let excerpt = try? body.withBytes { body throws(KMSError) in
            try JSONExcerpt.of(body, AuditMembers.shown, defaults: AuditMembers.defaults[operation] ?? [])
        }
        requestParameters = Self.bounded(excerpt, "requestParameters too large")
    }

    /// Takes what is shown of the body of an answer. Answers of other operations are not even looked at.
    mutating func take(elementsOf body: [UInt8]) {
        guard let operation else { return }
        if let selection = AuditMembers.shownOfAnswer[operation] {
            let excerpt = try? JSONExcerpt.of(body.span, selection)
            responseElements = Self.bounded(excerpt, "responseElements too large")
        } else if AuditMembers.showingKey.contains(operation), let key = context?.trail.notes.keys.first {
            // Nothing in the ARN of a key needs an escape.
            responseElements = Array("{\"keyId\":\"\(key.arn)\"}".utf8)
        }
    }

    private static func bounded(_ excerpt: [UInt8]?, _ reason: StaticString) -> [UInt8]? {
        guard let excerpt, excerpt.count > excerptLimit else { return excerpt }
        return Array("{\"omitted\":true,\"originalSize\":\(excerpt.count),\"reason\":\"\(reason)\"}".utf8)
    }
}

extension FormParameters {
    /// The parameters of AssumeRole that an audit line shows.
    var auditParameters: [UInt8]? {
        var writer = JSONWriter()
        writer.beginObject()
        for name in AuditMembers.shownOfAssumeRole {
            writer.member(name.prefix(1).lowercased() + name.dropFirst(), self[Text(name)])
        }
        writer.endObject()
        let object = writer.finish()
        return object.count == 2 ? nil : object
    }
}
