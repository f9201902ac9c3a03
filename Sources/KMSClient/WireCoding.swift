package import Foundation

/// JSON as the API writes it: members begin with a capital letter, blobs are base64, times are seconds.
package enum WireCoding {
    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .custom { Name(Self.changingFirst($0.last, { $0.uppercased() })) }
        return encoder
    }

    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { Name(Self.changingFirst($0.last, { $0.lowercased() })) }
        return decoder
    }

    /// The error in an answer; nil when there is none.
    ///
    /// - Parameter type: the header X-Amzn-ErrorType, which goes before the body. Both may carry a prefix up to `#`,
    ///   and the header more after a colon (Smithy, "AWS JSON 1.1 protocol", operation error serialization).
    package static func serviceError(type: String?, body: Data) -> ServiceError? {
        struct Body: Decodable {
            var __type: String?
            var message: String?
            var Message: String?
        }
        let content = try? JSONDecoder().decode(Body.self, from: body)
        guard let name = type ?? content?.__type else { return nil }
        let code = name.prefix { $0 != ":" }.split(separator: "#").last.map { String($0) } ?? name
        return ServiceError(code: code, message: content?.message ?? content?.Message)
    }

    private static func changingFirst(_ key: (any CodingKey)?, _ change: (String) -> String) -> String {
        guard let name = key?.stringValue, let first = name.first else { return "" }
        return change(String(first)) + name.dropFirst()
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }
}
