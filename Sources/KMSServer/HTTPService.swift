import HTTPTypes
import HummingbirdCore
import KMSCore
public import Logging
import NIOCore
import NIOPosix
import SecureMemory
public import ServiceLifecycle
import Synchronization

/// The HTTP side of the server: everything that is not HTTP is `RequestHandler`'s.
public struct HTTPService: Service {
    public struct Configuration: Sendable {
        public var host: String
        /// 0 lets the system choose.
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// KMS API: the largest request is far smaller; what is larger is refused unread.
    package static let maximumBodyBytes = 1 << 20

    private let configuration: Configuration
    private let handler: RequestHandler
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameter onListening: called once connections are accepted, with the port.
    public init(
        configuration: Configuration, handler: RequestHandler, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        self.onListening = onListening
    }

    public func run() async throws {
        let dates = DateHeader()
        let server = try HTTPServerBuilder.http1(configuration: .init(idleTimeout: .seconds(75))).buildServer(
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil, backlog: 1024),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            responder: { request, writer, _ in
                let response = await Self.respond(to: request, handler)
                var fields = HTTPFields()
                fields.reserveCapacity(response.headers.count + 2)
                for (name, value) in response.headers {
                    if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
                }
                fields[.date] = dates.now
                fields[.contentLength] = String(response.body.count)
                try await writer.write(
                    response: HTTPResponse(status: .init(code: response.status), headerFields: fields),
                    body: .init(byteBuffer: ByteBuffer(bytes: response.body)))
            },
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? configuration.port) })
        try await withTaskExecutorPreference(EventLoopExecutor(.singleton)) { try await server.run() }
    }

    private static func respond(to request: Request, _ handler: RequestHandler) async -> WireResponse {
        var headers: [(name: String, value: String)] = []
        headers.reserveCapacity(request.headers.count + 1)
        // The first Host header stands apart in HTTPRequest; a second one is among the fields.
        if let authority = request.head.authority { headers.append(("host", authority)) }
        for field in request.headers { headers.append((field.name.rawName, field.value)) }
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        // Told before the body is sent, where the client says how long it is.
        if let length = request.headers[.contentLength].flatMap(Int.init), length > maximumBodyBytes {
            return handler.tooLarge()
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: maximumBodyBytes)
        } catch is NIOTooManyBytesError {
            return handler.tooLarge()
        } catch {
            return handler.unreadable()
        }
        return await handler.respond(
            to: WireRequest(
                method: request.method.rawValue, path: String(parts[0]),
                query: parts.count > 1 ? String(parts[1]) : "", headers: headers,
                body: SecretBytes(copying: Array(buffer: body).span)))
    }
}

/// The Date header, made once a second. SDKs correct their clocks by it.
private final class DateHeader: Sendable {
    private let current = Mutex((second: -1, text: ""))

    var now: String {
        let second = Int(DomainClock.wallTime())
        return current.withLock { current in
            if current.second != second { current = (second, HTTPDate.text(second)) }
            return current.text
        }
    }
}
