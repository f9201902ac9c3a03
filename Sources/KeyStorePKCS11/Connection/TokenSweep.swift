internal import KeyStores
internal import PKCS11

/// Everything on a token that can matter to us, found by one linear search.
struct TokenSweep: Sendable {
    var keys: [BackingKeyID: ObjectHandle] = [:]
    /// Identities that two or more objects have.
    var ambiguous: Set<BackingKeyID> = []
    /// The same objects, and those with other CKA_IDs, by what they are known by if they are adopted.
    var names: [TokenObjectName: ObjectHandle] = [:]
    var ambiguousNames: Set<TokenObjectName> = []
    var canaries: [ObjectHandle] = []
    /// Identities of what is no key that could be used, but ours to destroy if they are: public halves, half-written
    /// objects.
    var leftovers: Set<BackingKeyID> = []
    /// Whether every object could be read.
    var isComplete = true
    /// Secret keys, private keys and objects of no readable class, the canary excluded.
    var inventory: [InventoryEntry] = []

    /// Searches without a template: objects that were only half written when a process died lack attributes, their
    /// class among them, and must be seen too.
    ///
    /// - Parameter only: the name of all that is wanted.
    static func run(in session: inout Session, only name: KeyName? = nil) throws(PKCS11Error) -> TokenSweep {
        var sweep = TokenSweep()
        for object in try session.findObjects(name?.template ?? []) {
            let values: AttributeValues
            do throws(PKCS11Error) {
                values = try session.attributes(
                    of: object, [.objectClass, .keyType, .token, .id, .label, .sensitive, .extractable])
            } catch {
                if error.isDeviceFault { throw error }
                // Too broken to be read, or destroyed since, or hidden because a login has ended and been made again.
                sweep.isComplete = false
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
        if objectClass == .publicKey, let id = values.bytes(.id).flatMap({ BackingKeyID(bytes: $0) }) {
            leftovers.insert(id)
        }
        guard objectClass == nil || objectClass == .secretKey || objectClass == .privateKey else { return }
        let isAESKey = objectClass == .secretKey && values.number(.keyType) == KeyType.aes.rawValue
        if isAESKey, values.bytes(.id) == Canary.id {
            canaries.append(object)
            return
        }
        let entry = InventoryEntry(values)
        inventory.append(entry)
        guard let objectClass, let type = values.number(.keyType).map(KeyType.init),
            Self.canBeBackingKey(objectClass, type)
        else {
            if let id = entry.id { leftovers.insert(id) }
            return
        }
        if let name = TokenObjectName(values) {
            if ambiguousNames.contains(name) || names.removeValue(forKey: name) != nil {
                ambiguousNames.insert(name)
            } else {
                names[name] = object
            }
        }
        guard let id = entry.id else { return }
        if ambiguous.contains(id) || keys.removeValue(forKey: id) != nil {
            ambiguous.insert(id)
        } else {
            keys[id] = object
        }
    }
}

extension TokenSweep {
    private static let kinds: [ObjectClass: Set<KeyType>] = [
        .secretKey: [.aes, .genericSecret, .sha224HMAC, .sha256HMAC, .sha384HMAC, .sha512HMAC],
        .privateKey: [.rsa, .ec, .ecEdwards],
    ]

    static func canBeBackingKey(_ objectClass: ObjectClass, _ keyType: KeyType) -> Bool {
        kinds[objectClass]?.contains(keyType) == true
    }

    /// The object that a search for one name has found; nil if there is none, or more than one.
    func object(named name: KeyName) -> ObjectHandle? {
        switch name {
        case .own(let id): keys[id]
        case .adopted(let name): names[name]
        }
    }
}

extension InventoryEntry {
    init(_ values: AttributeValues) {
        self.init(
            id: values.bytes(.id).flatMap { BackingKeyID(bytes: $0) }, label: values.text(.label) ?? "",
            isExposed: values.flag(.extractable) == true || values.flag(.sensitive) == false,
            reference: TokenObjectName(values)?.reference ?? [])
    }
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
