import KMSCore

/// What `strongroom keys` prints for people.
struct KeyListingPage {
    let listing: KeyListing

    var text: String {
        var lines = listing.rows.flatMap(lines)
        for other in listing.others {
            lines.append("\(other.isOurs ? "ours" : "not ours"), \(other.keyStore): \(other.remark)")
            lines += Self.lines(other.object)
        }
        for (device, reason) in listing.unreachable.sorted(by: { $0.key < $1.key }) {
            lines.append("\(device) could not be looked at: \(reason)")
        }
        let count = "\(listing.rows.count) key materials, \(listing.others.count) other objects"
        return (lines + [count]).map { $0 + "\n" }.joined()
    }

    private func lines(_ row: KeyListing.Row) -> [String] {
        var lines = [([row.arn] + row.aliases).joined(separator: "  ")]
        let keyStore = row.customKeyStoreID.map { "\($0) on \(row.keyStore)" } ?? row.keyStore
        var facts = [row.keyState, row.keySpec, row.keyUsage, row.origin, keyStore]
        switch row.onDeletion {
        case "leave"?: facts.append("adopted, stays when the key is deleted")
        case "destroy"?: facts.append("adopted, goes with the key")
        default: break
        }
        lines.append("  " + facts.joined(separator: ", "))
        if let id = row.keyMaterialID { lines.append("  material \(id), \(row.keyMaterialState ?? "")") }
        if let problem = row.problem { lines.append("  PROBLEM: \(problem)") }
        return lines + row.objects.flatMap(Self.lines)
    }

    private static func lines(_ object: KeyListing.Object) -> [String] {
        let size = object.sizeInBits.map { ", \($0) bits" } ?? ""
        let kind = [object.objectClass, object.keyType].compactMap(\.self).joined(separator: " ") + size
        let attributes = object.attributes.sorted { $0.key < $1.key }.map { "\($0.value ? "" : "not ")\($0.key)" }
        return [
            "  object id \(object.id.isEmpty ? "none" : object.id), label \"\(object.label)\": \(kind)",
            "    " + attributes.joined(separator: ", "),
        ]
    }
}
