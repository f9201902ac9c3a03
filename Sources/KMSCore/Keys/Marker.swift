import Foundation
package import KMSModel

/// The opaque Marker of a listing: the name of the last item of the page before. Listings are ordered by that name, so
/// a page goes on correctly when items come or go meanwhile.
package enum Marker {
    private static let prefix = "v1:"

    package static func encode(_ lastName: String) -> Text {
        Text(Data((prefix + lastName).utf8).base64EncodedString())
    }

    /// Errors: InvalidMarkerException for anything that `encode` did not make.
    package static func decode(_ marker: Text?) throws(KMSError) -> String? {
        guard let marker else { return nil }
        guard let bytes = Data(base64Encoded: marker.string), let text = String(data: bytes, encoding: .utf8),
            text.hasPrefix(prefix)
        else { throw .unknownMarker }
        return String(text.dropFirst(prefix.count))
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
