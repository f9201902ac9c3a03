internal import KMSModel
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import SecureMemory

/// One connection: collects a request, has it answered, writes the answer.
///
/// Everything here runs on the event loop of the connection. `HTTPServerPipelineHandler` before it hands over one
/// request at a time and reads nothing more until that one is answered.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Nothing of the next request has come.
        case idle
        case receiving
        case answering
        /// The last answer is on its way. What still comes is thrown away.
        case ending
        case closed
    }

    /// How long a client may take to read a refusal that it did not wait for. Closing a socket with unread bytes in it
    /// would reset the connection, and the client might never see why.
    private static let lingerTime = TimeAmount.seconds(5)

    private let handler: RequestHandler
    private let executor: EventLoopExecutor
    private let dates: DateHeader
    private let logger: Logger

    private var state = State.idle
    /// The client's address as text: the same for every request of the connection, so it is made once.
    private var sourceIP: Text?
    private var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "")
    private var body = ByteBuffer()
    private var keepsAlive = true

    init(handler: RequestHandler, executor: EventLoopExecutor, dates: DateHeader, logger: Logger) {
        self.handler = handler
        self.executor = executor
        self.dates = dates
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        sourceIP = context.remoteAddress?.ipAddress.map(ClientAddress.text)
        context.fireChannelActive()
    }

    // MARK: The request

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle):
            begin(head, context)
        case (.body(var part), .receiving):
            // A chunked body does not say how long it will be.
            if body.readableBytes + part.readableBytes > HTTPService.maximumBodyBytes {
                refuse(handler.tooLarge(), context)
            } else if body.readableBytes == 0 {
                body = part
            } else {
                body.writeBuffer(&part)
            }
        case (.end, .receiving):
            answer(context)
        case (.end, .ending):
            context.close(promise: nil)
        default:
            break
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state = .receiving
        self.head = head
        // After CONNECT or an Upgrade the decoder waits for another protocol, which does not come.
        keepsAlive = head.isKeepAlive && head.method != .CONNECT && !head.headers.contains(name: "upgrade")
        // Told before the body is sent, where the client says how long it is. The decoder has refused what is not a
        // number, and a second one.
        if let length = head.headers.first(name: "content-length"), Int(length) ?? .max > HTTPService.maximumBodyBytes {
            refuse(handler.tooLarge(), context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        state = .answering
        let request = takeRequest()
        let connection = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // The executor is that of this event loop, and so is the thread after every `await` here. The task always ends:
        // what a request changes must not depend on whether its client still listens.
        Task(executorPreference: executor) { [handler] in
            let response = await handler.respond(to: request)
            let (connection, context) = connection.value
            connection.finish(response, context)
        }
    }

    private func takeRequest() -> WireRequest {
        let path: String
        let query: String
        if let mark = head.uri.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(head.uri[..<mark])
            query = String(head.uri[head.uri.utf8.index(after: mark)...])
        } else {
            (path, query) = (head.uri, "")
        }
        let request = WireRequest(
            method: head.method.rawValue, path: path, query: query, headers: Array(head.headers),
            sourceIP: sourceIP, body: SecretBytes(copying: body.readableBytesUInt8Span))
        body = ByteBuffer()
        return request
    }

    // MARK: The answer

    private func finish(_ response: WireResponse, _ context: ChannelHandlerContext) {
        // The client may have gone meanwhile.
        guard state == .answering else { return }
        if keepsAlive {
            state = .idle
            write(response, context, promise: nil)
        } else {
            state = .ending
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            write(response, context, promise: written)
        }
    }

    /// Answers before the request is there, and reads no more requests.
    private func refuse(_ response: WireResponse, _ context: ChannelHandlerContext) {
        state = .ending
        body = ByteBuffer()
        keepsAlive = false
        write(response, context, promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) { context.close(promise: nil) }
    }

    /// Writes head, body and end, in one system call.
    private func write(_ response: WireResponse, _ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headers.count + 3)
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        headers.add(name: "Date", value: dates.now)
        headers.add(name: "Content-Length", value: String(response.body.count))
        if !keepsAlive {
            headers.add(name: "Connection", value: "close")
        } else if head.version.minor == 0 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        let responseHead = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        context.write(wrapOutboundOut(.head(responseHead)), promise: nil)
        // RFC 9110 §9.3.2: an answer to HEAD has the length of the content, but no content.
        if !response.body.isEmpty && head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    // MARK: The end

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .idle where error is HTTPParserError, .receiving where error is HTTPParserError:
            logger.debug("not HTTP", metadata: ["error": "\(error)"])
            refuse(WireResponse(status: 400, headers: [], body: []), context)
        case .ending where error is HTTPParserError:
            break
        default:
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case IdleStateHandler.IdleStateEvent.read:
            // A request that waits for a token is not the client's silence.
            if state != .answering { context.close(promise: nil) }
        case ChannelEvent.inputClosed:
            if state == .answering { keepsAlive = false } else { context.close(promise: nil) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        body = ByteBuffer()
        context.fireChannelInactive()
    }
}
