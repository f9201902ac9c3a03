public import KeyStores
public import PKCS11
public import SecureMemory

/// The objects on a token before and after something that makes some of its own: nothing of it may be left, and nothing
/// else may be gone.
public struct TokenObjects: Sendable, Hashable {
    /// How many there are of each class, CKA_ID and label.
    private var counts: [Description: Int] = [:]

    private struct Description: Sendable, Hashable {
        let objectClass: UInt?
        let id: [UInt8]
        let label: String
    }

    public var count: Int { counts.values.reduce(0, +) }
    public var hasCanary: Bool { counts.keys.contains { $0.id == Canary.id } }

    /// Objects that are in one of the two and not in the other.
    public func differenceCount(from other: TokenObjects) -> Int {
        Set(counts.keys).union(other.counts.keys).reduce(0) { sum, object in
            sum + abs(counts[object, default: 0] - other.counts[object, default: 0])
        }
    }

    /// Errors: a sentence.
    public static func read(_ token: TokenAccess, pin: SecretBytes) throws(TokenAccessError) -> TokenObjects {
        try token.withSession(pin) { session throws(TokenAccessError) in
            do throws(PKCS11Error) {
                return try read(&session)
            } catch {
                throw TokenAccessError(error, token.token)
            }
        }
    }

    private static func read(_ session: inout Session) throws(PKCS11Error) -> TokenObjects {
        var objects = TokenObjects()
        for object in try session.findObjects([.flag(.token, true)]) {
            let values = try? session.attributes(of: object, [.objectClass, .id, .label])
            let description = Description(
                objectClass: values?.number(.objectClass), id: values?.bytes(.id) ?? [],
                label: values?.text(.label) ?? "")
            objects.counts[description, default: 0] += 1
        }
        return objects
    }

    /// Destroys the objects with these identities, which the caller made, and looks again.
    ///
    /// - Parameter canary: the canary too: it was not there before.
    /// - Returns: how many had been left there.
    public static func destroy(
        _ identities: [BackingKeyID], canary: Bool, on token: TokenAccess, pin: SecretBytes
    ) throws(TokenAccessError) -> Int {
        let identities = identities.map(\.bytes) + (canary ? [Canary.id] : [])
        return try token.withSession(pin) { session throws(TokenAccessError) in
            do throws(PKCS11Error) {
                let objects = try find(identities, &session)
                for object in objects { try session.destroyObject(object) }
                guard try find(identities, &session).isEmpty else {
                    throw PKCS11Error(.destroyObject, .functionFailed)
                }
                return objects.count
            } catch {
                throw TokenAccessError(error, token.token)
            }
        }
    }

    /// One search for all: there may be hundreds of identities, and a search is linear on some tokens.
    private static func find(_ identities: [[UInt8]], _ session: inout Session) throws(PKCS11Error) -> [ObjectHandle] {
        let wanted = Set(identities)
        var found: [ObjectHandle] = []
        for object in try session.findObjects([.flag(.token, true)]) {
            let values = try? session.attributes(of: object, [.id])
            if let id = values?.bytes(.id), wanted.contains(id) { found.append(object) }
        }
        return found
    }
}
