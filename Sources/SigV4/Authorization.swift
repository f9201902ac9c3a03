/// A parsed Authorization header of AWS Signature Version 4:
///
///     AWS4-HMAC-SHA256 Credential=<id>/<yyyymmdd>/<region>/<service>/aws4_request, SignedHeaders=<a;b>,
///     Signature=<hex>
///
/// The three parameters may come in any order; white space around them is optional. Anything else is refused. Time
/// is linear in the length, which is bounded.
struct Authorization {
    /// AWS's own headers stay far below this.
    static let maximumByteCount = 16 * 1024
    static let maximumSignedHeaderCount = 128

    let accessKeyID: String
    /// `yyyymmdd`; eight digits are not checked here: it must equal the day of the request's date.
    let day: String
    let region: String
    let service: String
    /// `<yyyymmdd>/<region>/<service>/<terminator>` as sent.
    let scope: String
    let terminator: String
    /// Lower-case names, sorted, each once.
    let signedHeaders: [ArraySlice<UInt8>]
    let signedHeaderList: ArraySlice<UInt8>
    /// As sent; compared, never decoded.
    let signature: ArraySlice<UInt8>

    /// Errors: `incompleteSignature` for everything that does not parse.
    init(parsing header: String, hasDate: Bool) throws(SigV4Error) {
        guard header.utf8.count <= Self.maximumByteCount else {
            throw .incompleteSignature("Authorization header must not be longer than \(Self.maximumByteCount) bytes.")
        }
        // Bytes, not the text's own view of them: what follows indexes them a lot.
        let utf8 = Array(header.utf8)[...]
        let algorithm = utf8.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        let parameters = try Parameters(utf8[algorithm.endIndex...], ofAlgorithm: algorithm, header: header)

        var missing = ""
        if parameters.credential == nil { missing += "Authorization header requires 'Credential' parameter. " }
        if parameters.signature == nil { missing += "Authorization header requires 'Signature' parameter. " }
        if parameters.signedHeaders == nil { missing += "Authorization header requires 'SignedHeaders' parameter. " }
        if !hasDate {
            missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        }
        guard missing.isEmpty, let credential = parameters.credential, let signature = parameters.signature,
            let signedHeaderList = parameters.signedHeaders
        else {
            throw .incompleteSignature(missing + "Authorization=" + SigV4Error.excerpt(header))
        }

        let parts = credential.split(
            separator: UInt8(ascii: "/"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 5, parts.allSatisfy({ !$0.isEmpty }), credential.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw .incompleteSignature(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"
                    + SigV4Error.excerpt(String(decoding: credential, as: UTF8.self)) + "'")
        }
        accessKeyID = String(decoding: parts[0], as: UTF8.self)
        day = String(decoding: parts[1], as: UTF8.self)
        region = String(decoding: parts[2], as: UTF8.self)
        service = String(decoding: parts[3], as: UTF8.self)
        terminator = String(decoding: parts[4], as: UTF8.self)
        scope = String(decoding: credential[parts[1].startIndex...], as: UTF8.self)
        self.signature = signature
        self.signedHeaderList = signedHeaderList
        signedHeaders = try Self.names(in: signedHeaderList)
    }

    /// Splits the list and insists on its canonical form: it stands in the canonical request as it is.
    private static func names(in list: ArraySlice<UInt8>) throws(SigV4Error) -> [ArraySlice<UInt8>] {
        let names = list.split(
            separator: UInt8(ascii: ";"), maxSplits: maximumSignedHeaderCount, omittingEmptySubsequences: false)
        guard names.count <= maximumSignedHeaderCount else {
            throw .incompleteSignature("SignedHeaders must not name more than \(maximumSignedHeaderCount) headers.")
        }
        for (position, name) in names.enumerated() {
            guard !name.isEmpty, name.allSatisfy(isLowerCaseTokenByte),
                position == 0 || names[position - 1].lexicographicallyPrecedes(name)
            else {
                throw .incompleteSignature("SignedHeaders must be lower-case header names, sorted, each of them once.")
            }
        }
        return names
    }

    /// RFC 9110 §5.6.2 `tchar`, without upper-case letters.
    private static func isLowerCaseTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
            UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }
}

/// The comma-separated `key=value` part of the header.
private struct Parameters {
    var credential: ArraySlice<UInt8>?
    var signedHeaders: ArraySlice<UInt8>?
    var signature: ArraySlice<UInt8>?

    init(
        _ text: ArraySlice<UInt8>, ofAlgorithm algorithm: ArraySlice<UInt8>, header: String
    ) throws(SigV4Error) {
        // Another scheme has none of the three parameters, as far as this service is concerned.
        guard algorithm.elementsEqual("AWS4-HMAC-SHA256".utf8) else { return }
        // One split more than there are parameters: a flood of commas ends the work early.
        let parts = text.split(separator: UInt8(ascii: ","), maxSplits: 3, omittingEmptySubsequences: false)
        for part in parts {
            let part = Self.trim(part)
            if part.isEmpty && parts.count == 1 { return }
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { throw Self.notKeyValue(part, header) }
            let value = part[part.index(after: equals)...]
            let isFirst: Bool
            let name = part[..<equals]
            if name.elementsEqual("Credential".utf8) {
                (isFirst, credential) = (credential == nil, value)
            } else if name.elementsEqual("SignedHeaders".utf8) {
                (isFirst, signedHeaders) = (signedHeaders == nil, value)
            } else if name.elementsEqual("Signature".utf8) {
                (isFirst, signature) = (signature == nil, value)
            } else {
                throw Self.notKeyValue(part, header)
            }
            guard isFirst, !value.isEmpty, !value.contains(UInt8(ascii: " ")) else {
                throw Self.notKeyValue(part, header)
            }
        }
    }

    private static func notKeyValue(_ part: ArraySlice<UInt8>, _ header: String) -> SigV4Error {
        let part = SigV4Error.excerpt(String(decoding: part, as: UTF8.self))
        return .incompleteSignature(
            "'\(part)' not a valid key=value pair in Authorization header: '\(SigV4Error.excerpt(header))'.")
    }

    private static func trim(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
