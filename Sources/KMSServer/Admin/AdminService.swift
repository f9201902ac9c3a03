internal import Foundation
internal import Glibc
public import Logging
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle

/// Answers the commands of whoever may open the data directory, on a Unix domain socket in it
/// (docs/decisions/0012-admin-socket.md).
///
/// One request for each connection: a line, and a line for an answer. What they say is the program's matter.
public struct AdminService: Service {
    /// The name of the socket in the data directory.
    public static let socketName = "admin.sock"

    /// No command is nearly as long.
    package static let maximumRequestBytes = 64 * 1024

    /// For a request to be there, once somebody has connected.
    private static let requestTimeout = TimeAmount.seconds(10)

    private let listener: any Channel
    private let path: String

    /// Listens from now on. Whoever calls this holds the lock of the data directory: a socket that is there already was
    /// left by a process that is gone.
    ///
    /// - Parameter respond: makes the answer to a request, without line ends.
    /// Errors: `AdminSocketError`.
    public init(
        directory: String, logger: Logger, respond: @escaping @Sendable (_ request: [UInt8]) async -> [UInt8]
    ) async throws(AdminSocketError) {
        path = try AdminSocket.path(in: directory)
        let path = path
        do {
            // Whoever would get in between bind and chmod is kept out by both: the directory has mode 0700, and so has
            // the socket until then.
            let before = umask(0o077)
            defer { umask(before) }
            listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 16)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: Self.requestTimeout))
                        try pipeline.addHandler(AdminConnection(respond: respond, logger: logger))
                    }
                }
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw AdminSocketError("the admin socket \(path) cannot be made: \(error)")
        }
    }

    /// Serves until graceful shutdown.
    public func run() async throws {
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await listener.closeFuture.get()
            } onGracefulShutdown: {
                listener.close(promise: nil)
            }
        } onCancel: {
            listener.close(promise: nil)
        }
        // Best effort: the next start takes it away, too.
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Why there is no admin socket, or no answer from it: a sentence.
public struct AdminSocketError: Error, CustomStringConvertible {
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    public var description: String { reason }
}

enum AdminSocket {
    /// sun_path of sockaddr_un has 108 bytes, with the final zero (unix(7)).
    static let longestPath = 107

    static func path(in directory: String) throws(AdminSocketError) -> String {
        let path = (directory.hasSuffix("/") ? directory : directory + "/") + AdminService.socketName
        guard path.utf8.count <= longestPath else {
            throw AdminSocketError(
                "the path \(path) has \(path.utf8.count) bytes, and a socket's may have \(longestPath): choose a shorter data "
                    + "directory, or a symbolic link to it")
        }
        return path
    }
}

/// One request and its answer.
private final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let lineEnd = UInt8(ascii: "\n")

    private let respond: @Sendable ([UInt8]) async -> [UInt8]
    private let logger: Logger
    private var request: [UInt8] = []
    private var isAnswering = false

    init(respond: @escaping @Sendable ([UInt8]) async -> [UInt8], logger: Logger) {
        self.respond = respond
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswering else { return }
        let part = Array(buffer: unwrapInboundIn(data))
        let line = part.prefix { $0 != Self.lineEnd }
        request += line
        guard request.count <= AdminService.maximumRequestBytes else {
            logger.warning("a request on the admin socket was too long")
            return context.close(promise: nil)
        }
        if line.count < part.count { answer(context.channel) }
    }

    private func answer(_ channel: any Channel) {
        isAnswering = true
        let (request, respond) = (request, respond)
        channel.eventLoop.makeFutureWithTask { await respond(request) }
            .flatMap { answer in
                var buffer = channel.allocator.buffer(capacity: answer.count + 1)
                buffer.writeBytes(answer)
                buffer.writeInteger(Self.lineEnd)
                return channel.writeAndFlush(buffer)
            }
            .whenComplete { _ in channel.close(promise: nil) }
    }

    /// Nobody keeps a connection open without saying anything. The work on a request may take longer than that.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isAnswering { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
