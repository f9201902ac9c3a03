public import KMSCore
import KMSModel
import KMSPolicy
public import Logging
import SigV4

/// From one HTTP request to its response: health probes, the calls of STS, authentication, dispatch, errors. Knows no
/// HTTP library.
public struct RequestHandler: Sendable {
    private let service: KeyManagementService
    private let authenticator: Authenticator
    private let securityTokens: SecurityTokenService
    private let testControls: TestControls?
    private let principals: CurrentPrincipals
    private let audit: AuditLog?
    private let logger: Logger

    /// - Parameters:
    ///   - testControls: nil except in `strongroom dev`.
    ///   - audit: nil when no audit lines are written.
    public init(
        service: KeyManagementService, principals: CurrentPrincipals, testControls: TestControls?,
        audit: AuditLog? = nil, logger: Logger
    ) {
        self.service = service
        self.principals = principals
        self.audit = audit
        let sessions = Sessions { [service] () throws(KMSError) in try service.sessionSecret() }
        let authenticator = Authenticator(principals, sessions)
        self.authenticator = authenticator
        securityTokens = SecurityTokenService(
            service: service, principals: principals, sessions: sessions, authenticator: authenticator, logger: logger)
        self.testControls = testControls
        self.logger = logger
    }

    /// Answers one request. Whatever a caller sends, there is an answer and the server lives.
    package func respond(to request: WireRequest) async -> WireResponse {
        if request.method == "GET" { return await probe(request) }
        var call = AuditedCall(request, requestID: RequestID.make(), time: service.now)
        let response: WireResponse
        if SecurityTokenService.isAddressed(by: request) {
            response = securityTokens.respond(to: request, &call)
        } else {
            response = await respond(to: request, &call)
        }
        if call.context == nil { call.claimedAccessKeyID = claimedAccessKeyID(of: request) }
        do {
            try await finish(call)
            return response
        } catch {
            return refusal(error, call.requestID)
        }
    }

    private func respond(to request: WireRequest, _ call: inout AuditedCall) async -> WireResponse {
        do {
            try checkAudit()
            let body = try await answer(request, &call)
            if audit != nil {
                call.take(parametersOf: request.body, answeredWith: nil)
                call.take(elementsOf: body)
            }
            return Self.response(status: 200, body, call.requestID)
        } catch {
            call.error = .init(code: error.code.rawValue, message: error.message)
            if audit != nil, call.context != nil { call.take(parametersOf: request.body, answeredWith: error) }
            return refusal(error, call.requestID)
        }
    }

    /// The order is security: nothing of a body is looked at before its signature is verified.
    private func answer(_ request: WireRequest, _ call: inout AuditedCall) async throws(KMSError) -> [UInt8] {
        guard request.method == "POST", request.path == "/", request.query.isEmpty,
            let target = request.header("x-amz-target")
        else { throw .unknownOperation() }
        let control = testControls.flatMap { _ in
            target.hasPrefix(TestControls.targetPrefix) ? target.dropFirst(TestControls.targetPrefix.count) : nil
        }
        let operation = Dispatch.operation(target: target)
        guard operation != nil || control != nil else { throw .unknownOperation() }
        if let operation { call.isFor(operation) }

        let context: RequestContext
        do throws(AuthenticationError) {
            context = try authenticator.authenticate(
                request, for: .kms, wallTime: DomainClock.wallTime(), now: service.now)
        } catch {
            if case .signature(.internalFailure(let reason)) = error {
                logger.error("a signature could not be verified", metadata: ["error": "\(reason)"])
            }
            throw error.kmsError
        }
        call.context = context
        if let operation { return try await Dispatch.respond(to: operation, body: request.body, service, context) }
        if let control, let testControls {
            call.isFor(control)
            try service.authorizeTestControl(control, context)
            if let answer = try await testControls.respond(to: control, body: request.body, service) { return answer }
        }
        throw .unknownOperation()
    }

    // MARK: Audit

    /// Where lines are required, nothing is done that could have none.
    private func checkAudit() throws(KMSError) {
        do { try audit?.checkReadiness() } catch {
            logger.error("a call was refused: audit lines cannot be written", metadata: ["error": "\(error)"])
            throw .auditFailed
        }
    }

    /// Writes the lines of a call and notes the uses of its keys, before it is answered.
    private func finish(_ call: AuditedCall) async throws(KMSError) {
        let use = call.error == nil ? call.operation.flatMap { Self.trackedOperations[$0] } : nil
        guard audit != nil || use != nil else { return }
        let lines = AuditLines(call)
        if let audit {
            for line in lines.encoded {
                do throws(AuditError) { try await audit.record(line) } catch {
                    try answer(to: error, audit, call)
                }
            }
        }
        guard let use else { return }
        for (key, eventID) in lines.keys {
            service.noteUse(of: key, for: use, eventID: eventID, requestID: call.requestID)
        }
    }

    private func answer(to error: AuditError, _ audit: AuditLog, _ call: AuditedCall) throws(KMSError) {
        logger.error(
            "an audit line was not written",
            metadata: [
                "requestID": "\(call.requestID)", "event": "\(call.eventName ?? "Unknown")",
                "caller": "\(call.context?.caller.arn.string ?? "unknown")", "error": "\(error)",
            ])
        if audit.mode == .required { throw .auditFailed }
    }

    /// KMS API: KeyLastUsageData, Operation.
    private static let trackedOperations = Dictionary(
        uniqueKeysWithValues: KMSOperation.allCases.compactMap { operation in
            KeyLastUsageTrackingOperation(rawValue: operation.rawValue).map { (operation, $0) }
        })

    /// The access key that an unauthenticated request names. Only one that exists: anything else may be a secret that
    /// somebody has put into the wrong place.
    private func claimedAccessKeyID(of request: WireRequest) -> String? {
        guard let header = request.header("authorization"),
            let start = header.firstRange(of: "Credential=")?.upperBound
        else { return nil }
        let id = String(header[start...].prefix { $0 != "/" })
        return principals.value.accessKey(id) == nil ? nil : id
    }

    // MARK: Responses

    /// A body that is longer than any request.
    package func tooLarge() -> WireResponse {
        unread(.requestEntityTooLarge("The request body is larger than 1 MiB."))
    }

    /// A body that did not arrive whole.
    package func unreadable() -> WireResponse { unread(.serialization("The request body could not be read.")) }

    /// Does not wait for the disk, whatever is required: nothing was done.
    private func unread(_ error: KMSError) -> WireResponse {
        var call = AuditedCall(nil, requestID: RequestID.make(), time: service.now)
        call.error = .init(code: error.code.rawValue, message: error.message)
        if let audit {
            for line in AuditLines(call).encoded {
                do throws(AuditError) { try audit.append(line) } catch {
                    logger.error("an audit line was not written", metadata: ["error": "\(error)"])
                }
            }
        }
        return refusal(error, call.requestID)
    }

    private func refusal(_ error: KMSError, _ requestID: String) -> WireResponse {
        if error.httpStatus >= 500 {
            logger.error("request failed", metadata: ["requestID": "\(requestID)", "error": "\(error)"])
        } else {
            logger.debug("request refused", metadata: ["requestID": "\(requestID)", "error": "\(error.code.rawValue)"])
        }
        return Self.response(status: error.httpStatus, error.encodedBody(), requestID)
    }

    private static func response(status: Int, _ body: [UInt8], _ requestID: String) -> WireResponse {
        WireResponse(
            status: status,
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", requestID)],
            body: body)
    }

    /// GET /ready (can the server do its work?) and GET /health (does the process answer?), for those who start
    /// servers. Unauthenticated, and telling nothing but yes or no.
    private func probe(_ request: WireRequest) async -> WireResponse {
        let (status, word): (Int, String) =
            switch request.path {
            case "/ready": await service.obstacle == nil ? (200, "ready") : (503, "not ready")
            case "/health": (200, "alive")
            default: (404, "not found")
            }
        return WireResponse(
            status: status, headers: [("Content-Type", "application/json")],
            body: Array("{\"status\":\"\(word)\"}".utf8))
    }
}

extension KMSError {
    /// The reason is for the log.
    fileprivate static let auditFailed = KMSError(.kmsInternal, "The request could not be recorded. Try it again.")
}
