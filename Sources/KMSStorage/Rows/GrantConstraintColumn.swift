internal import Foundation
internal import KMSCore
internal import KMSModel
internal import KMSPolicy

/// The constraints of a grant in one column, as the API writes them:
/// `{"EncryptionContextEquals":{"Department":"IT"}}`. NULL when there are none; an empty map is not the same as none.
///
/// JSON escapes NUL characters, and `Text` keeps names apart that look alike, so that nothing is lost.
struct GrantConstraintColumn {
    private(set) var equals: [Text: Text]?
    private(set) var subset: [Text: Text]?

    static func encode(_ grant: Grant) -> Data? {
        guard grant.encryptionContextEquals != nil || grant.encryptionContextSubset != nil else { return nil }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member(equalsName, grant.encryptionContextEquals)
        writer.member(subsetName, grant.encryptionContextSubset)
        writer.endObject()
        return Data(writer.finish())
    }

    /// A constraint that is not known is refused, never ignored: the grant would allow more than was granted.
    init(_ row: StoredRow) throws(MetadataStoreError) {
        guard let json = try row.optionalBytes("constraints") else { return }
        do throws(KMSError) {
            let isKnown = try read(json.span)
            guard isKnown else { throw .serialization("unknown member") }
        } catch {
            throw row.malformed("constraints", "holds a grant constraint that this version of Strongroom does not know")
        }
    }

    /// Returns whether all constraints are known.
    private mutating func read(_ body: Span<UInt8>) throws(KMSError) -> Bool {
        var reader = try JSONReader(checking: body)
        var object = try reader.beginObject(body)
        while let name = try reader.nextName(body, in: &object) {
            if name.matches(Self.equalsName, body) {
                equals = try Self.map(body, &reader)
            } else if name.matches(Self.subsetName, body) {
                subset = try Self.map(body, &reader)
            } else {
                return false
            }
        }
        try reader.end(body)
        return true
    }

    private static func map(_ body: Span<UInt8>, _ reader: inout JSONReader) throws(KMSError) -> [Text: Text] {
        var map: [Text: Text] = [:]
        var object = try reader.beginObject(body)
        while let name = try reader.nextName(body, in: &object) {
            map[try reader.text(of: name, body)] = try reader.text(of: try reader.string(body), body)
        }
        return map
    }

    private static let equalsName = "EncryptionContextEquals"
    private static let subsetName = "EncryptionContextSubset"
}
