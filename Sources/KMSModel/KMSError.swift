/// An answer that is an error: one of the exceptions of the service model or of its supplement, with AWS's message.
public struct KMSError: Error, Sendable, Hashable {
    public let code: KMSErrorCode
    /// Some exceptions carry no message at all, on purpose: there it would be an oracle.
    public let message: String?

    public init(_ code: KMSErrorCode, _ message: String? = nil) {
        self.code = code
        self.message = message
    }

    /// The status of the HTTP answer.
    public var httpStatus: Int { code.httpStatus }

    /// The body of the HTTP answer: `{"__type":"…","message":"…"}`, without the second member when there is no
    /// message.
    public func encodedBody() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("__type", Text(code.rawValue))
        writer.member("message", message.map { Text($0) })
        writer.endObject()
        return writer.finish()
    }
}

extension KMSError: CustomStringConvertible {
    public var description: String { message.map { "\(code.rawValue): \($0)" } ?? code.rawValue }
}
