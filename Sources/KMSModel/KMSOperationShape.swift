/// An enum of the service model: a closed set of names.
///
/// Requests are matched against the names byte by byte. (`init(rawValue:)` compares as `String` does, up to canonical
/// equivalence; it is for names from a trusted place.)
public protocol KMSEnumeration: RawRepresentable, CaseIterable, Sendable, Hashable, Codable where RawValue == String {}

extension KMSEnumeration {
    /// The value whose name has exactly the bytes of `text`.
    public init?(exactly text: Text) {
        for value in Self.allCases where Text(value.rawValue) == text {
            self = value
            return
        }
        return nil
    }
}

/// A structure that is part of a request.
public protocol JSONReadable: Sendable {
    /// Reads one object, recording the constraints that it breaks; nil only when one was recorded.
    static func read(_ body: Span<UInt8>, _ reader: inout RequestReader) throws(KMSError) -> Self?
}

/// A structure that is part of a response.
public protocol JSONWritable: Sendable {
    /// Writes the members that are set.
    func encode(to writer: inout JSONWriter)
}

/// The input of an operation.
public protocol KMSRequest: JSONReadable {}

extension KMSRequest {
    /// Decodes the body of an HTTP request; an empty one stands for `{}`.
    ///
    /// Throws SerializationException for what is not the JSON of this structure, ValidationException naming every
    /// constraint of the service model that is broken. Nothing else of the request is judged here.
    public static func decode(_ body: Span<UInt8>) throws(KMSError) -> Self {
        guard !body.isEmpty else { return try decode([UInt8(ascii: "{"), UInt8(ascii: "}")]) }
        var reader = try RequestReader(checking: body)
        let request = try read(body, &reader)
        try reader.json.end(body)
        if let error = reader.violations.error { throw error }
        guard let request else { throw .internalFailure() }
        return request
    }

    /// Decodes the body of an HTTP request; an empty one stands for `{}`. See `decode(_:)` for a span.
    public static func decode(_ body: [UInt8]) throws(KMSError) -> Self { try decode(body.span) }
}

/// The output of an operation.
public protocol KMSResponse: JSONWritable {}

extension KMSResponse {
    /// The body of the HTTP answer. It may hold secret bytes as base64; the caller sends it and lets it go.
    public func encodedBody() -> [UInt8] {
        var writer = JSONWriter()
        encode(to: &writer)
        return writer.finish()
    }
}

/// The output of an operation that the service model gives none: a body of no bytes.
public struct EmptyResponse: KMSResponse, Hashable {
    public init() {}

    public func encode(to writer: inout JSONWriter) {}
}

/// An operation as a type: what goes in and what comes out. See `Operations`, and `KMSOperation.shape` for the way
/// from a name to the type.
public protocol KMSOperationShape: Sendable {
    associatedtype Request: KMSRequest
    associatedtype Response: KMSResponse

    static var operation: KMSOperation { get }
}

extension KMSOperation {
    /// The value of the header `X-Amz-Target`.
    public var target: String { Self.targetPrefix + "." + rawValue }

    /// The operation that the header `X-Amz-Target` names, compared byte by byte.
    public init?(target: String) {
        let prefix = (Self.targetPrefix + ".").utf8
        guard target.utf8.starts(with: prefix) else { return nil }
        self.init(exactly: Text(String(target.unicodeScalars.dropFirst(prefix.count))))
    }
}

/// The operations of the service model, each a type. Generated code fills it.
public enum Operations {}
