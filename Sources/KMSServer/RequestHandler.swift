public import KMSCore
import KMSModel
public import Logging
import SigV4

/// From one HTTP request to its response: health probes, the calls of STS, authentication, dispatch, errors. Knows no
/// HTTP library.
public struct RequestHandler: Sendable {
    private let service: KeyManagementService
    private let authenticator: Authenticator
    private let securityTokens: SecurityTokenService
    private let testControls: TestControls?
    private let logger: Logger

    /// - Parameter testControls: nil except in `strongroom dev`.
    public init(
        service: KeyManagementService, principals: CurrentPrincipals, testControls: TestControls?, logger: Logger
    ) {
        self.service = service
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
        let requestID = RequestID.make()
        if SecurityTokenService.isAddressed(by: request) {
            return securityTokens.respond(to: request, requestID: requestID)
        }
        do {
            return Self.response(status: 200, try await answer(request), requestID)
        } catch {
            return refusal(error, requestID)
        }
    }

    /// The order is security: nothing of a body is looked at before its signature is verified.
    private func answer(_ request: WireRequest) async throws(KMSError) -> [UInt8] {
        guard request.method == "POST", request.path == "/", request.query.isEmpty,
            let target = request.header("x-amz-target")
        else { throw .unknownOperation() }
        let control = testControls.flatMap { _ in
            target.hasPrefix(TestControls.targetPrefix) ? target.dropFirst(TestControls.targetPrefix.count) : nil
        }
        let operation = Dispatch.operation(target: target)
        guard operation != nil || control != nil else { throw .unknownOperation() }

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
        if let operation { return try await Dispatch.respond(to: operation, body: request.body, service, context) }
        if let control, let testControls {
            try service.authorizeTestControl(control, context)
            if let answer = try await testControls.respond(to: control, body: request.body, service) { return answer }
        }
        throw .unknownOperation()
    }

    // MARK: Responses

    /// A body that is longer than any request.
    package func tooLarge() -> WireResponse {
        refusal(.requestEntityTooLarge("The request body is larger than 1 MiB."), RequestID.make())
    }

    /// A body that did not arrive whole.
    package func unreadable() -> WireResponse {
        refusal(.serialization("The request body could not be read."), RequestID.make())
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
