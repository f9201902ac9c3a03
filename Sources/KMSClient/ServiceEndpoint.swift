internal import Foundation

/// Where the API is served.
public struct ServiceEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// Scheme, host, port; no path.
    public let url: String
    /// What the header `Host` says (RFC 9110 §7.2): without the port that the scheme has anyway.
    package let host: String

    public var description: String { url }

    /// AWS's own endpoint in a Region.
    static func standard(_ region: String, isFIPS: Bool) -> String {
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        return "https://kms\(isFIPS ? "-fips" : "").\(region).\(domain)"
    }

    /// Without TLS nobody knows whose public key it is that comes back, and the key material would be wrapped for
    /// whoever sits in between. On the machine itself nobody does.
    init(_ text: String, allowsPlainHTTP: Bool) throws(ClientError) {
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http"
        else { throw ClientError("the endpoint must be an http or https URL, not \(text)") }
        guard parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.fragment == nil, parts.user == nil
        else {
            throw ClientError("the endpoint must be scheme, host and port, without anything else")
        }
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        guard scheme == "https" || allowsPlainHTTP || Self.isLoopback(name) else {
            throw ClientError(
                "\(text) has no TLS: somebody on the way could put a public key of their own in the answer and get the "
                    + "key material; use https, or --allow-plain-http on a network that is yours alone")
        }
        let port = parts.port.flatMap { $0 == (scheme == "https" ? 443 : 80) ? nil : ":\($0)" } ?? ""
        self.host = name + port
        url = "\(scheme)://\(name)\(port)"
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers.allSatisfy { $0 != nil } && numbers[0] == 127
    }
}
