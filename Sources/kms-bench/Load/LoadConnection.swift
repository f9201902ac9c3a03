internal import NIOCore

/// What the connections of one measurement have done. Belongs to their one event loop.
final class Tally {
    private(set) var latencies: [Int64] = []
    private(set) var failure: (any Error)?
    private(set) var isOver = false
    private var isCounting = false

    /// Room is made beforehand, so that the client does not grow an array while it measures.
    init() { latencies.reserveCapacity(1 << 20) }

    func startCounting() { isCounting = true }

    func stop() { isOver = true }

    func record(_ nanoseconds: Int64) {
        if isCounting { latencies.append(nanoseconds) }
    }

    func fail(_ error: any Error) {
        failure = failure ?? error
        isOver = true
    }
}

/// Sends requests over one keep-alive connection, the next one when the answer to the last one is whole, until the
/// tally says stop.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let requests: [ByteBuffer]
    private let tally: Tally
    private var next: Int
    private var sent = NIODeadline.now()
    private var reader = ResponseReader()

    /// Begins with the request at `first`, so that connections do not all send the same one at a time.
    init(requests: [ByteBuffer], first: Int, tally: Tally) {
        self.requests = requests
        self.next = first
        self.tally = tally
    }

    func channelActive(context: ChannelHandlerContext) { send(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        do {
            guard let response = try reader.receive(&bytes) else { return }
            guard response.status == 200 else {
                throw BenchmarkError("the server answers \(response.status): \(String(buffer: response.body))")
            }
            tally.record((NIODeadline.now() - sent).nanoseconds)
            send(context)
        } catch {
            tally.fail(error)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !tally.isOver { tally.fail(BenchmarkError("the server closed a connection")) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tally.fail(error)
        context.close(promise: nil)
    }

    private func send(_ context: ChannelHandlerContext) {
        if tally.isOver {
            context.close(promise: nil)
            return
        }
        sent = .now()
        context.writeAndFlush(wrapOutboundOut(requests[next % requests.count]), promise: nil)
        next += 1
    }
}
