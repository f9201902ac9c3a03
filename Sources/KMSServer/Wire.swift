package import KMSModel
package import SecureMemory

/// One HTTP request as it came, before anything of it is believed.
package struct WireRequest: Sendable {
    package let method: String
    /// The path as it stands in the request line, without the query.
    package let path: String
    /// What follows the `?`, or empty.
    package let query: String
    /// In the order received, duplicates kept; names in the case received.
    package let headers: [(name: String, value: String)]
    /// The address of whoever is at the other end of the connection, as text; nil when there is no network between.
    package let sourceIP: Text?
    /// May hold a plaintext or a PIN: cleared when the last reference goes.
    package let body: SecretBytes

    package init(
        method: String, path: String, query: String = "", headers: [(name: String, value: String)],
        sourceIP: Text? = nil, body: SecretBytes
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.sourceIP = sourceIP
        self.body = body
    }

    /// The value of the first header of this name, which is given in lower case.
    package func header(_ lowercaseName: String) -> String? {
        headers.first { header in
            header.name.utf8.count == lowercaseName.utf8.count
                && zip(header.name.utf8, lowercaseName.utf8).allSatisfy { byte, lower in
                    byte == lower || (UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte && byte | 0x20 == lower)
                }
        }?.value
    }
}

/// One HTTP response.
package struct WireResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
