internal import KMSCore
internal import KMSModel
internal import Logging
internal import SecureMemory
internal import SigV4

/// The two calls of AWS STS that clients need in order to be somebody: GetCallerIdentity and AssumeRole. On the same
/// address as KMS, told apart by the protocol: a form in a POST without X-Amz-Target (AWS query protocol).
struct SecurityTokenService: Sendable {
    /// What an action answers with: the members of its result.
    typealias Result = (inout XMLWriter) -> Void

    static let version: Text = "2011-06-15"
    private static let namespace: StaticString = "https://sts.amazonaws.com/doc/2011-06-15/"

    let service: KeyManagementService
    let principals: CurrentPrincipals
    let sessions: Sessions
    let authenticator: Authenticator
    let logger: Logger

    /// Whether a request speaks the query protocol.
    static func isAddressed(by request: WireRequest) -> Bool {
        guard request.method == "POST", request.path == "/", request.query.isEmpty,
            request.header("x-amz-target") == nil, let contentType = request.header("content-type")
        else { return false }
        let mediaType = contentType.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        // Names of media types compare without case (RFC 9110 §8.3.1).
        return mediaType.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
            .elementsEqual("application/x-www-form-urlencoded".utf8)
    }

    /// - Parameter call: is told what its audit line shows.
    func respond(to request: WireRequest, _ call: inout AuditedCall) -> WireResponse {
        call.eventSource = "sts.amazonaws.com"
        do {
            return Self.response(status: 200, try answer(request, &call), call.requestID)
        } catch {
            call.error = .init(code: error.code.rawValue, message: error.message)
            return refusal(error, call.requestID)
        }
    }

    /// The order is security: nothing of a body is looked at before its signature is verified.
    private func answer(_ request: WireRequest, _ call: inout AuditedCall) throws(STSError) -> [UInt8] {
        let context: RequestContext
        do {
            context = try authenticator.authenticate(
                request, for: .sts, wallTime: DomainClock.wallTime(), now: service.now)
        } catch {
            if case .signature(.internalFailure(let reason)) = error {
                logger.error("a signature could not be verified", metadata: ["error": "\(reason)"])
            }
            throw error.stsError
        }
        call.context = context
        let parameters = try request.body.withBytes { body throws(STSError) in try FormParameters(decoding: body) }
        return try answer(parameters, context, &call)
    }

    private func answer(
        _ parameters: FormParameters, _ context: RequestContext, _ call: inout AuditedCall
    ) throws(STSError) -> [UInt8] {
        guard let action = parameters["Action"], !action.isEmpty else {
            throw STSError(.missingAction, "The request must contain the parameter Action.")
        }
        let version = parameters["Version"]
        guard version == Self.version else {
            throw .unknownAction(action.string, version: version?.string)
        }
        switch action {
        case "GetCallerIdentity":
            call.eventName = "GetCallerIdentity"
            return Self.document(
                "GetCallerIdentityResponse", "GetCallerIdentityResult", getCallerIdentity(context), call.requestID)
        case "AssumeRole":
            call.eventName = "AssumeRole"
            call.requestParameters = parameters.auditParameters
            return Self.document(
                "AssumeRoleResponse", "AssumeRoleResult", try assumeRole(parameters, context), call.requestID)
        default:
            throw .unknownAction(action.string, version: version?.string)
        }
    }

    // MARK: Responses

    private static func document(
        _ responseName: StaticString, _ resultName: StaticString, _ result: Result, _ requestID: String
    ) -> [UInt8] {
        var writer = XMLWriter()
        writer.element(responseName, namespace: namespace) { writer in
            writer.element(resultName) { result(&$0) }
            writer.element("ResponseMetadata") { $0.element("RequestId", Text(requestID)) }
        }
        return writer.finish()
    }

    private func refusal(_ error: STSError, _ requestID: String) -> WireResponse {
        logger.debug("request refused", metadata: ["requestID": "\(requestID)", "error": "\(error.code.rawValue)"])
        var writer = XMLWriter()
        writer.element("ErrorResponse", namespace: Self.namespace) { writer in
            writer.element("Error") { writer in
                writer.element("Type", error.httpStatus >= 500 ? "Receiver" : "Sender")
                writer.element("Code", Text(error.code.rawValue))
                writer.element("Message", Text(error.message))
            }
            writer.element("RequestId", Text(requestID))
        }
        return Self.response(status: error.httpStatus, writer.finish(), requestID)
    }

    private static func response(status: Int, _ body: [UInt8], _ requestID: String) -> WireResponse {
        WireResponse(
            status: status, headers: [("Content-Type", "text/xml"), ("x-amzn-RequestId", requestID)], body: body)
    }
}
