public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import ServiceLifecycle

/// The HTTP side of the server: everything that is not HTTP is `RequestHandler`'s.
///
/// Listens, sets connections up, and ends them at shutdown. What happens on a connection is `HTTPConnection`'s.
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

    /// A minute and a little, so that clients and proxies with a round number give an idle connection up first and no
    /// request crosses a close on its way.
    private static let idleTimeout = TimeAmount.seconds(75)

    private let configuration: Configuration
    private let handler: RequestHandler
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameter onListening: called with the port once clients can connect; requests are read after it returns.
    public init(
        configuration: Configuration, handler: RequestHandler, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown; then running requests are answered and idle connections closed. Cancellation
    /// closes all connections at once.
    public func run() async throws {
        let connections = OpenConnections()
        let listener = try await listen(connections)
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                await onListening(listener.localAddress?.port ?? configuration.port)
                // Fails only when the shutdown has closed the listener already.
                try? await listener.setOption(.autoRead, value: true).get()
                try await listener.closeFuture.get()
                await connections.end()
            } onGracefulShutdown: {
                listener.close(promise: nil)
            }
        } onCancel: {
            listener.close(promise: nil)
            connections.closeAll()
        }
    }

    /// The listening socket. Connections wait in its backlog until it reads.
    private func listen(_ connections: OpenConnections) async throws -> any Channel {
        let dates = DateHeader()
        // One for each event loop, made here: a request must not pay for it.
        let executors = Dictionary(
            uniqueKeysWithValues: MultiThreadedEventLoopGroup.singleton.makeIterator().map {
                (ObjectIdentifier($0), EventLoopExecutor($0))
            })
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            // A client that has said all it has to say may shut its side and still wants the answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [handler, logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    let executor =
                        executors[ObjectIdentifier(channel.eventLoop)] ?? EventLoopExecutor(channel.eventLoop)
                    let pipeline = channel.pipeline.syncOperations
                    // First, where it sees bytes and not parts of requests. It watches reads alone, because a client
                    // that takes no answers sends no requests either.
                    try pipeline.addHandler(IdleStateHandler(readTimeout: Self.idleTimeout))
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: true,
                        // HTTPConnection answers what is not HTTP.
                        withErrorHandling: false,
                        // What HTTPConnection writes is made here: fixed names, digits, a UUID, a date.
                        withOutboundHeaderValidation: false,
                        withEncoderConfiguration: .init(),
                        withDecoderLimitConfiguration: Self.decoderLimits)
                    // Without it a client that sends requests and reads no answers would fill the memory with them.
                    try pipeline.addHandler(BackPressureHandler())
                    try pipeline.addHandler(
                        HTTPConnection(handler: handler, executor: executor, dates: dates, logger: logger))
                    connections.add(channel)
                }
            }
            .bind(host: configuration.host, port: configuration.port).get()
    }

    /// A signed request has fewer than 20 headers in about 1 KiB, but session tokens may grow to many KiB. More headers
    /// than SigV4 accepts are let in, so that the refusal can say why.
    private static var decoderLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 80 * 1024
        limits.maxHeaderListSize = 80 * 1024
        limits.maxHeaderFieldCount = 256
        return limits
    }
}
