internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel

/// The tags of KMS keys, in the order in which they were first set.
enum TagRows {
    /// Replaces the tags of a key, unless they are the same already.
    static func put(_ tags: [Tag], of key: KeyName, into database: Database) throws {
        var stored: [Tag] = []
        try database.forEachRow(of: "tags", selectOfKey, key.columns) { row in stored.append(try Tag(row)) }
        if stored == tags { return }
        try database.run(deleteOfKey, key.columns)
        for (position, tag) in tags.enumerated() {
            try database.run(insert, key.columns + ["position": position] + tag.columns)
        }
    }

    static func all(in database: Database) throws -> [KeyName: [Tag]] {
        var tags: [KeyName: [Tag]] = [:]
        try database.forEachRow(of: "tags", selectAll) { row in
            let key = KeyName(scope: try row.scope(), id: try row.string("key_id"))
            tags[key, default: []].append(try Tag(row))
        }
        return tags
    }

    private static let select = """
        SELECT account_id, region, key_id, position, CAST(tag_key AS BLOB) AS tag_key,
            CAST(tag_value AS BLOB) AS tag_value
        FROM tags
        """
    private static let selectAll = select + " ORDER BY account_id, region, key_id, position"
    private static let selectOfKey =
        select + " WHERE account_id = :account_id AND region = :region AND key_id = :key_id ORDER BY position"

    private static let deleteOfKey =
        "DELETE FROM tags WHERE account_id = :account_id AND region = :region AND key_id = :key_id"

    private static let insert = """
        INSERT INTO tags (account_id, region, key_id, position, tag_key, tag_value)
        VALUES (:account_id, :region, :key_id, :position, CAST(:tag_key AS TEXT), CAST(:tag_value AS TEXT))
        """
}

extension Tag {
    fileprivate init(_ row: StoredRow) throws(MetadataStoreError) {
        self.init(tagKey: try row.text("tag_key"), tagValue: try row.text("tag_value"))
    }

    fileprivate var columns: Columns { ["tag_key": tagKey.utf8Data, "tag_value": tagValue.utf8Data] }
}
