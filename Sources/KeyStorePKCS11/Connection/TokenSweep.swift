internal import KeyStores
internal import PKCS11

/// Everything on a token that can matter to us, found by one linear search.
struct TokenSweep: Sendable {
    var keys: [BackingKeyID: ObjectHandle] = [:]
    /// Identities that two or more objects have.
    var ambiguous: Set<BackingKeyID> = []
    var canaries: [ObjectHandle] = []
    /// Secret keys, private keys and objects of no readable class, the canary excluded.
    var inventory: [InventoryEntry] = []

    /// Searches without a template: objects that were only half written when a process died lack attributes, their
    /// class among them, and must be seen too.
    ///
    /// - Parameter only: the CKA_ID of all that is wanted.
    static func run(in session: inout Session, only id: BackingKeyID? = nil) throws(PKCS11Error) -> TokenSweep {
        var sweep = TokenSweep()
        for object in try session.findObjects(id.map { [.id($0.bytes), .flag(.token, true)] } ?? []) {
            let values: AttributeValues
            do throws(PKCS11Error) {
                values = try session.attributes(
                    of: object, [.objectClass, .keyType, .token, .id, .label, .sensitive, .extractable])
            } catch {
                if error.isDeviceFault { throw error }
                // Destroyed since, or too broken to be read.
                if error.returnValue != .objectHandleInvalid {
                    sweep.inventory.append(InventoryEntry(id: nil, label: "(unreadable object)"))
                }
                continue
            }
            sweep.note(object, values)
        }
        return sweep
    }

    private mutating func note(_ object: ObjectHandle, _ values: AttributeValues) {
        // Our own copies in session memory have the identity of their originals.
        if values.flag(.token) == false { return }
        let objectClass = values.number(.objectClass).map(ObjectClass.init)
        guard objectClass == nil || objectClass == .secretKey || objectClass == .privateKey else { return }
        let isAESKey = objectClass == .secretKey && values.number(.keyType) == KeyType.aes.rawValue
        if isAESKey, values.bytes(.id) == Canary.id {
            canaries.append(object)
            return
        }
        let id = values.bytes(.id).flatMap { BackingKeyID(bytes: $0) }
        inventory.append(
            InventoryEntry(
                id: id, label: values.text(.label) ?? "",
                isExposed: values.flag(.extractable) == true || values.flag(.sensitive) == false))
        guard let id, let type = values.number(.keyType).map(KeyType.init),
            Self.kinds[objectClass]?.contains(type) == true
        else { return }
        if ambiguous.contains(id) || keys.removeValue(forKey: id) != nil {
            ambiguous.insert(id)
        } else {
            keys[id] = object
        }
    }
}

extension TokenSweep {
    /// What a backing key can be.
    private static let kinds: [ObjectClass?: Set<KeyType>] = [
        .secretKey: [.aes, .genericSecret, .sha224HMAC, .sha256HMAC, .sha384HMAC, .sha512HMAC],
        .privateKey: [.rsa, .ec, .ecEdwards],
    ]
}

extension PKCS11Error {
    /// The device, the login or the session is at fault, not the one object or mechanism that was asked about.
    var isDeviceFault: Bool {
        switch returnValue {
        case .deviceError, .deviceRemoved, .tokenNotPresent, .tokenNotRecognized, .slotIDInvalid, .hostMemory,
            .sessionHandleInvalid, .sessionClosed, .sessionCount, .userNotLoggedIn, .cryptokiNotInitialized:
            true
        default:
            false
        }
    }
}
