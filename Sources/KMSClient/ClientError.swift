/// Why a call could not be made or got no answer: one sentence for people, without a secret in it.
public struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// An answer of the service that is an error.
public struct ServiceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the exception, such as `NotFoundException`.
    public let code: String
    public let message: String?

    public init(code: String, message: String?) {
        self.code = code
        self.message = message
    }

    public var description: String { message.map { "\(code): \($0)" } ?? code }
}
