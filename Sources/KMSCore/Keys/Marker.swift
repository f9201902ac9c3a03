import Foundation
package import KMSModel
import KeyStores
package import SecureMemory

/// The opaque Marker of a listing: the name of the last item of the page before, authenticated, so that a marker of
/// another listing, account or Region is none, nor one that somebody made up. Listings are ordered by that name, so a
/// page goes on correctly when items come or go meanwhile.
package struct Marker {
    private static let codeByteCount = 16

    private let secret: ServerSecret
    /// What the marker is good for.
    private let listing: String

    init(_ secret: ServerSecret, of operation: KMSOperation, _ scope: Scope) {
        self.secret = secret
        listing = "\(operation.rawValue)/\(scope.region)/\(scope.accountID)/"
    }

    package init(secret: SecretBytes, of operation: KMSOperation, _ scope: Scope) {
        self.init(ServerSecret(secret), of: operation, scope)
    }

    package func encode(_ lastName: String) throws(KMSError) -> Text {
        Text(Data(try code(lastName) + Array(lastName.utf8)).base64EncodedString())
    }

    /// Errors: InvalidMarkerException for anything that `encode` did not make.
    package func decode(_ marker: Text?) throws(KMSError) -> String? {
        guard let marker else { return nil }
        guard let bytes = Data(base64Encoded: marker.string), bytes.count >= Self.codeByteCount,
            let name = String(data: bytes.dropFirst(Self.codeByteCount), encoding: .utf8)
        else { throw .unknownMarker }
        let (given, expected) = (Array(bytes.prefix(Self.codeByteCount)), try code(name))
        guard constantTimeEquals(given.span, expected.span) else { throw .unknownMarker }
        return name
    }

    private func code(_ name: String) throws(KMSError) -> [UInt8] {
        Array(try secret.markerCode(Array((listing + name).utf8)).prefix(Self.codeByteCount))
    }
}

extension KeyManagementService {
    func marker(of operation: KMSOperation, _ context: RequestContext) -> Marker {
        Marker(serverSecret, of: operation, context.scope)
    }
}

extension Marker {
    /// NextMarker: nil on the last page.
    func encode(_ lastName: String?, isLast: Bool) throws(KMSError) -> Text? {
        guard !isLast, let lastName else { return nil }
        return try encode(lastName)
    }
}

/// One page of a listing.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    package let isLast: Bool

    /// A Limit above the maximum of the operation counts as the maximum: a page may be smaller than asked for.
    package init(_ rest: ArraySlice<Item>, limit: Int?, default defaultLimit: Int, maximum: Int) {
        items = Array(rest.prefix(min(limit ?? defaultLimit, maximum)))
        isLast = items.count == rest.count
    }
}
