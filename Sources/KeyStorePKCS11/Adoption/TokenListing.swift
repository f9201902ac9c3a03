internal import KeyStores
internal import PKCS11

/// Every object on a token, for people who want to know what is there.
enum TokenListing {
    private static let flags: [AttributeType] =
        [.token, .isPrivate, .sensitive, .extractable, .alwaysSensitive, .neverExtractable, .local]
        + AdoptionRules.usageFlags

    private static let attributes: [AttributeType] =
        [.objectClass, .keyType, .id, .label, .valueLength, .modulus, .ecParameters] + flags

    static func run(in session: inout Session) throws(PKCS11Error) -> [StoredObject] {
        var listing: [StoredObject] = []
        for object in try session.findObjects([]) {
            let values: AttributeValues
            do throws(PKCS11Error) {
                values = try session.attributes(of: object, attributes)
            } catch {
                if error.isDeviceFault { throw error }
                if error.returnValue != .objectHandleInvalid { listing.append(unreadable) }
                continue
            }
            // Copies in session memory are not on the token.
            if values.flag(.token) != false { listing.append(StoredObject(values)) }
        }
        return listing
    }

    private static var unreadable: StoredObject {
        StoredObject(
            entry: InventoryEntry(id: nil, label: "(unreadable object)"), id: [], label: "(unreadable object)",
            objectClass: "unknown", keyType: nil, sizeInBits: nil, flags: [:], isCanary: false)
    }

    fileprivate static func flags(of values: AttributeValues) -> [String: Bool] {
        var found: [String: Bool] = [:]
        for flag in flags { found[flag.description] = values.flag(flag) }
        return found
    }
}

extension StoredObject {
    fileprivate init(_ values: AttributeValues) {
        let objectClass = values.number(.objectClass).map(ObjectClass.init)
        let keyType = values.number(.keyType).map(KeyType.init)
        let isKey = objectClass == nil || objectClass == .secretKey || objectClass == .privateKey
        self.init(
            entry: isKey ? InventoryEntry(values) : nil, id: values.bytes(.id) ?? [], label: values.text(.label) ?? "",
            objectClass: objectClass?.description ?? "none (half written)", keyType: keyType?.description,
            sizeInBits: Self.size(values), flags: TokenListing.flags(of: values),
            isCanary: keyType == .aes && values.bytes(.id) == Canary.id)
    }

    private static func size(_ values: AttributeValues) -> Int? {
        if let modulus = values.bytes(.modulus)?.drop(while: { $0 == 0 }), let first = modulus.first {
            return 8 * modulus.count - first.leadingZeroBitCount
        }
        if let parameters = values.bytes(.ecParameters) {
            switch Curve.allCases.first(where: { $0.parameters == parameters }) {
            case .p256, .secp256k1: return 256
            case .p384: return 384
            case .p521: return 521
            case nil: return parameters == PublicKeyInfo.ed25519 ? 255 : nil
            }
        }
        return values.number(.valueLength).flatMap { (1...4096).contains($0) ? 8 * Int($0) : nil }
    }
}
