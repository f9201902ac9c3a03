internal import NIOCore

/// Finds the end of HTTP/1.1 responses that say their length, which all answers of the server do.
struct ResponseReader {
    struct Response {
        let status: Int
        let body: ByteBuffer
    }

    private var received = ByteBuffer()

    /// Takes what arrived; gives a response back once it is whole.
    mutating func receive(_ bytes: inout ByteBuffer) throws -> Response? {
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        let view = received.readableBytesView
        guard let headCount = Self.headCount(view) else { return nil }
        // "HTTP/1.1 200 OK"
        guard view.count > 12, let status = Self.number(view.dropFirst(9).prefix(3)) else {
            throw BenchmarkError("the server answers something else than HTTP/1.1")
        }
        guard let bodyCount = Self.contentLength(view.prefix(headCount)) else {
            throw BenchmarkError("the server answers without Content-Length")
        }
        guard view.count >= headCount + bodyCount else { return nil }
        received.moveReaderIndex(forwardBy: headCount)
        guard let body = received.readSlice(length: bodyCount) else { return nil }
        guard received.readableBytes == 0 else { throw BenchmarkError("the server answers more than it was asked") }
        received = ByteBuffer()
        return Response(status: status, body: body)
    }

    private static let lineFeed = UInt8(ascii: "\n")

    /// The number of bytes up to and with the empty line.
    private static func headCount(_ bytes: ByteBufferView) -> Int? {
        var position = bytes.startIndex
        while let end = bytes[position...].firstIndex(of: lineFeed) {
            if end - position <= 1 && position != bytes.startIndex { return end + 1 - bytes.startIndex }
            position = end + 1
        }
        return nil
    }

    private static let contentLengthName = Array("content-length:".utf8)

    private static func contentLength(_ head: ByteBufferView) -> Int? {
        var position = head.startIndex
        while let end = head[position...].firstIndex(of: lineFeed) {
            let line = head[position..<end]
            let isContentLength =
                line.count > contentLengthName.count
                && zip(line, contentLengthName).allSatisfy { byte, lower in byte == lower || byte | 0x20 == lower }
            if isContentLength {
                let digits = line.dropFirst(contentLengthName.count)
                    .drop { $0 == UInt8(ascii: " ") }
                    .prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                return number(digits)
            }
            position = end + 1
        }
        return nil
    }

    private static func number(_ digits: ByteBufferView) -> Int? {
        guard !digits.isEmpty, digits.count < 10 else { return nil }
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }
}
