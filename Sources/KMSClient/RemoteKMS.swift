internal import AsyncHTTPClient
internal import Cryptography
internal import Foundation
internal import Glibc
internal import KMSModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import SigV4

/// A service that speaks the KMS API, called over HTTP: AWS's, Strongroom, or another.
///
/// Nothing is tried again: the caller knows whether a second call would do harm.
public struct RemoteKMS: Sendable {
    private let settings: ClientSettings
    private let client: HTTPClient

    private static let connectTimeout = TimeAmount.seconds(10)
    /// A key pair of RSA-4096 may be made meanwhile, on a slow token.
    private static let answerTimeout = TimeAmount.seconds(120)
    private static let longestAnswer = 1 << 20

    /// Runs `body` and closes all connections after it.
    public static func withConnection<Result: Sendable>(
        _ settings: ClientSettings, _ body: @Sendable (RemoteKMS) async throws -> Result
    ) async throws -> Result {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = settings.trustedCertificates { tls.trustRoots = .file(file) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // An answer that leads elsewhere is not followed: what is sent is meant for this endpoint alone.
            redirectConfiguration: .disallow, timeout: .init(connect: connectTimeout, read: answerTimeout))
        configuration.httpVersion = .http1Only
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(RemoteKMS(settings: settings, client: client)))
        } catch {
            result = .failure(error)
        }
        try? await client.shutdown()
        return try result.get()
    }

    /// Errors: `ServiceError` when the service says no; `ClientError` when it says nothing that could be understood.
    func call<Answer: Decodable>(_ operation: KMSOperation, _ input: some Encodable) async throws -> Answer {
        let body = try WireCoding.encoder().encode(input)
        let endpoint = settings.endpoint
        var request = HTTPClientRequest(url: endpoint.url + "/")
        request.method = .POST
        request.headers.add(name: "Accept-Encoding", value: "identity")
        for (name, value) in try headers(operation, body) { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let answer: (status: UInt, type: String?, body: Data)
        do {
            let response = try await client.execute(request, timeout: Self.answerTimeout)
            let bytes = try await response.body.collect(upTo: Self.longestAnswer)
            answer = (
                response.status.code, response.headers.first(name: "x-amzn-ErrorType"), Data(bytes.readableBytesView)
            )
        } catch {
            throw ClientError("\(operation.rawValue): no answer from \(endpoint): \(Self.reason(error))")
        }
        guard answer.status == 200 else {
            throw WireCoding.serviceError(type: answer.type, body: answer.body)
                ?? ClientError(
                    "\(operation.rawValue): \(endpoint) answers with the HTTP status \(answer.status) alone"
                )
        }
        do {
            return try WireCoding.decoder().decode(Answer.self, from: answer.body)
        } catch {
            throw ClientError("\(operation.rawValue): the answer of \(endpoint) is not one of KMS")
        }
    }

    private func headers(_ operation: KMSOperation, _ body: Data) throws -> [(name: String, value: String)] {
        let signed = [
            (name: "Host", value: settings.endpoint.host), (name: "Content-Type", value: "application/x-amz-json-1.1"),
            (name: "X-Amz-Target", value: operation.target),
        ]
        let signer = RequestSigner(credentials: settings.credentials, region: settings.region)
        let request = SignedRequest(
            method: "POST", path: "/", query: "", headers: signed, bodyDigest: try SHA256.digest([UInt8](body)))
        return signed + (try signer.sign(request, at: Int64(Date().timeIntervalSince1970)))
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout || error == .deadlineExceeded:
            "it took too long"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) }
                ?? "the name \(error.host) leads to no address"
        case is SocketAddressError: "the name leads to no address"
        case let error as IOError:
            unsafe strerror(error.errnoCode).map { unsafe String(cString: $0) } ?? "error \(error.errnoCode)"
        case is NIOSSLError, is NIOSSLExtraError: "TLS fails: \(tlsReason("\(error)"))"
        default: "\(error)"
        }
    }

    /// `CERTIFICATE_VERIFY_FAILED` out of a text of BoringSSL, which names source files around it.
    private static func tlsReason(_ text: String) -> String {
        guard let start = text.range(of: "OPENSSL_internal:") else { return text }
        return String(text[start.upperBound...].prefix { $0.isLetter || $0 == "_" })
    }
}
