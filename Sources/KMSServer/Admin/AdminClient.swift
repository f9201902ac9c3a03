internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Asks the running server of a data directory.
public enum AdminClient {
    /// - Parameter request: without line ends.
    /// - Returns: the answer, without its line end.
    /// Errors: `AdminSocketError`, also when no server is running.
    public static func ask(_ request: [UInt8], directory: String) async throws(AdminSocketError) -> [UInt8] {
        let path = try AdminSocket.path(in: directory)
        let answer: [UInt8]
        do {
            answer = try await exchange(request, path)
        } catch let error as IOError where [ENOENT, ECONNREFUSED, ENOTDIR].contains(error.errnoCode) {
            throw AdminSocketError("no server is running on \(directory)")
        } catch {
            throw AdminSocketError("the server of \(directory) cannot be asked: \(error)")
        }
        guard answer.last == UInt8(ascii: "\n") else {
            throw AdminSocketError("the server of \(directory) ended without an answer")
        }
        return answer.dropLast()
    }

    private static func exchange(_ request: [UInt8], _ path: String) async throws -> [UInt8] {
        let whole = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: [UInt8].self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Answer(whole))
                    }
                }
                .connect(unixDomainSocketPath: path).get()
        } catch {
            whole.fail(error)
            throw error
        }
        var buffer = channel.allocator.buffer(capacity: request.count + 1)
        buffer.writeBytes(request)
        buffer.writeInteger(UInt8(ascii: "\n"))
        // A server that hangs up at once tells more by what it said before.
        channel.writeAndFlush(buffer, promise: nil)
        return try await whole.futureResult.get()
    }

    /// Collects what comes until the other side closes.
    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var bytes: [UInt8] = []
        private let whole: EventLoopPromise<[UInt8]>

        init(_ whole: EventLoopPromise<[UInt8]>) { self.whole = whole }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(buffer: unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) {
            whole.succeed(bytes)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
