internal import Foundation
internal import NIOCore
internal import NIOPosix

/// Single calls, to make what the load needs: keys and ciphertexts.
struct KMSClient {
    let host: String
    let port: Int

    var signer: SignedBytes { SignedBytes(host: "\(host):\(port)") }

    /// The answer's body when the status is 200, else the error's.
    private func call(_ operation: String, _ body: String) async throws -> ResponseReader.Response {
        let request = ByteBuffer(bytes: try signer.request(operation, body: body))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: ResponseReader.Response.self)
        let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(SingleExchange(request, promise))
            }
        }
        do {
            _ = try await bootstrap.connect(host: host, port: port).get()
        } catch {
            promise.fail(error)
        }
        return try await promise.futureResult.get()
    }

    /// The decoded answer of a success.
    func result<Result: Decodable>(_ operation: String, _ body: String) async throws -> Result {
        let response = try await call(operation, body)
        guard response.status == 200 else {
            throw BenchmarkError("\(operation) answers \(response.status): \(String(buffer: response.body))")
        }
        return try JSONDecoder().decode(Result.self, from: Data(response.body.readableBytesView))
    }

    /// Makes a key in software, or in a custom key store; gives back its id.
    func createKey(customKeyStoreID: String?, keySpec: String, keyUsage: String) async throws -> String {
        struct Result: Decodable {
            struct KeyMetadata: Decodable { let KeyId: String }
            let KeyMetadata: KeyMetadata
        }
        let place = customKeyStoreID.map { #","Origin":"AWS_CLOUDHSM","CustomKeyStoreId":"\#($0)""# } ?? ""
        let body = #"{"KeySpec":"\#(keySpec)","KeyUsage":"\#(keyUsage)"\#(place)}"#
        return (try await result("CreateKey", body) as Result).KeyMetadata.KeyId
    }

    /// Makes symmetric keys; gives back their ids.
    func createKeys(_ count: Int, customKeyStoreID: String) async throws -> [String] {
        try await withThrowingTaskGroup(of: String.self) { group in
            var keys: [String] = []
            for number in 0..<count {
                if number >= 16, let key = try await group.next() { keys.append(key) }
                group.addTask {
                    try await createKey(
                        customKeyStoreID: customKeyStoreID, keySpec: "SYMMETRIC_DEFAULT", keyUsage: "ENCRYPT_DECRYPT")
                }
            }
            for try await key in group { keys.append(key) }
            return keys
        }
    }

    // MARK: Custom key stores

    private struct KeyStores: Decodable {
        struct KeyStore: Decodable {
            let TrustAnchorCertificate: String
            let ConnectionState: String
        }
        let CustomKeyStores: [KeyStore]
    }

    private struct Nothing: Decodable {}

    /// On another device than the one that is there, with the same certificate; gives back its id.
    func createKeyStore(_ clusterID: String, password: String) async throws -> String {
        struct Result: Decodable { let CustomKeyStoreId: String }
        let others: KeyStores = try await result("DescribeCustomKeyStores", "{}")
        let members = [
            "CustomKeyStoreName": clusterID, "CloudHsmClusterId": clusterID, "KeyStorePassword": password,
            "TrustAnchorCertificate": others.CustomKeyStores.first?.TrustAnchorCertificate ?? "",
        ]
        let body = String(decoding: try JSONEncoder().encode(members), as: UTF8.self)
        return (try await result("CreateCustomKeyStore", body) as Result).CustomKeyStoreId
    }

    /// Until it is CONNECTED, for at most two minutes.
    func connect(_ customKeyStoreID: String) async throws {
        try await settle("ConnectCustomKeyStore", customKeyStoreID, "CONNECTED")
    }

    func disconnect(_ customKeyStoreID: String) async throws {
        try await settle("DisconnectCustomKeyStore", customKeyStoreID, "DISCONNECTED")
    }

    private func settle(_ operation: String, _ customKeyStoreID: String, _ state: String) async throws {
        let body = #"{"CustomKeyStoreId":"\#(customKeyStoreID)"}"#
        _ = try await result(operation, body) as Nothing
        for _ in 0..<24_000 {
            let found: KeyStores = try await result("DescribeCustomKeyStores", body)
            if found.CustomKeyStores.first?.ConnectionState == state { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw BenchmarkError("\(operation) does not come to an end")
    }

    /// Encrypts; both texts are base64. `context` is a further member of the request, with its comma, or empty.
    func encrypt(_ plaintext: String, keyID: String, context: String) async throws -> String {
        struct Result: Decodable { let CiphertextBlob: String }
        let body = Self.encryptBody(plaintext, keyID: keyID, context: context)
        return (try await result("Encrypt", body) as Result).CiphertextBlob
    }

    /// Puts many grants on a key, each for another encryption context, to the user of `strongroom dev`.
    func createGrants(_ count: Int, keyID: String) async throws {
        struct Result: Decodable { let GrantId: String }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 64 { try await group.next() }
                let body =
                    #"{"KeyId":"\#(keyID)","GranteePrincipal":"arn:aws:iam::000000000000:user/dev","#
                    + #""Operations":["Encrypt","Decrypt","GenerateDataKey"],"#
                    + #""Constraints":{"EncryptionContextSubset":{"tenant":"\#(number)","purpose":"benchmark"}}}"#
                group.addTask { _ = try await result("CreateGrant", body) as Result }
            }
            try await group.waitForAll()
        }
    }

    static func encryptBody(_ plaintext: String, keyID: String, context: String) -> String {
        #"{"KeyId":"\#(keyID)","Plaintext":"\#(plaintext)"\#(context)}"#
    }
}

/// Sends one request and hands over its answer.
private final class SingleExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let promise: EventLoopPromise<ResponseReader.Response>
    private var reader = ResponseReader()

    init(_ request: ByteBuffer, _ promise: EventLoopPromise<ResponseReader.Response>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        do {
            guard let response = try reader.receive(&bytes) else { return }
            promise.succeed(response)
        } catch {
            promise.fail(error)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(BenchmarkError("the server closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }
}
