internal import KeyStores
internal import PKCS11

/// By what an object that somebody else made is known, at every connect anew: its class, its key type and its CKA_ID,
/// or its CKA_LABEL where it has no CKA_ID. Handles and slots change; these do not unless somebody changes them.
struct TokenObjectName: Hashable, Sendable {
    let objectClass: ObjectClass
    let keyType: KeyType
    /// Empty where the object has none.
    let id: [UInt8]
    /// Of an object without CKA_ID; else empty, and of no account.
    let label: [UInt8]

    /// Nil for what can be no backing key, or has nothing to be known by.
    init?(_ values: AttributeValues) {
        guard let objectClass = values.number(.objectClass).map(ObjectClass.init),
            let keyType = values.number(.keyType).map(KeyType.init)
        else { return nil }
        let id = values.bytes(.id) ?? []
        self.init(objectClass, keyType, id: id, label: id.isEmpty ? values.bytes(.label) ?? [] : [])
    }

    private init?(_ objectClass: ObjectClass, _ keyType: KeyType, id: [UInt8], label: [UInt8]) {
        guard TokenSweep.canBeBackingKey(objectClass, keyType), id.isEmpty != label.isEmpty else { return nil }
        self.objectClass = objectClass
        self.keyType = keyType
        self.id = id
        self.label = label
    }

    /// For a search. Where there is no CKA_ID, what it finds may have one all the same.
    var template: [Attribute] {
        [
            .objectClass(objectClass), .keyType(keyType), .flag(.token, true),
            id.isEmpty ? .bytes(.label, label) : .id(id),
        ]
    }

    // MARK: In the metadata

    private static let version: UInt8 = 1
    private static let numberByteCount = 8

    /// The version, class and key type in eight bytes each (big-endian), 0 for CKA_ID or 1 for CKA_LABEL, its bytes.
    var reference: [UInt8] {
        [Self.version] + Self.bytes(objectClass.rawValue) + Self.bytes(keyType.rawValue)
            + (id.isEmpty ? [1] + label : [0] + id)
    }

    /// Nil for anything that `reference` did not make.
    init?(reference: [UInt8]) {
        let numbers = reference.dropFirst()
        let name = numbers.dropFirst(2 * Self.numberByteCount)
        guard reference.first == Self.version, let kind = name.first, kind <= 1 else { return nil }
        let text = Array(name.dropFirst())
        self.init(
            ObjectClass(rawValue: Self.number(numbers.prefix(Self.numberByteCount))),
            KeyType(rawValue: Self.number(numbers.dropFirst(Self.numberByteCount).prefix(Self.numberByteCount))),
            id: kind == 0 ? text : [], label: kind == 1 ? text : [])
    }

    private static func bytes(_ number: UInt) -> [UInt8] {
        stride(from: 8 * (numberByteCount - 1), through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: number >> UInt($0))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt { bytes.reduce(0) { $0 << 8 | UInt($1) } }
}

extension TokenObjectName: CustomStringConvertible {
    var description: String {
        ObjectSelector(label: id.isEmpty ? String(decoding: label, as: UTF8.self) : nil, id: id.isEmpty ? nil : id)?
            .description ?? ""
    }
}
