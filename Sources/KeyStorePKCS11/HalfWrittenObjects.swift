public import PKCS11
public import SecureMemory

/// Objects that are no objects: a token that does not write them in one step (SoftHSM) shows what a killed process left
/// of them, without a class, or with what SoftHSM writes before all else: a key without label and CKA_ID that is no
/// token object, though it is in the token's directory. Nobody can use one, and nobody destroys them unasked: another
/// process may be writing one at this moment.
public enum HalfWrittenObjects {
    public struct Entry: Sendable, Hashable {
        public let label: String
        /// CKA_ID; empty when there is none.
        public let id: [UInt8]
    }

    /// Lists them, and destroys them if that is wanted. For a process that makes no session objects.
    ///
    /// Errors: a sentence.
    public static func find(
        on token: TokenAccess, pin: SecretBytes, destroying: Bool = false
    ) throws(TokenAccessError) -> [Entry] {
        try token.withSession(pin) { session throws(TokenAccessError) in
            do throws(PKCS11Error) {
                var entries: [Entry] = []
                for object in try session.findObjects([]) {
                    let values = try? session.attributes(of: object, [.label, .id])
                    let entry = Entry(label: values?.text(.label) ?? "", id: values?.bytes(.id) ?? [])
                    guard try isHalfWritten(object, entry, &session) else { continue }
                    entries.append(entry)
                    if destroying { try destroy(object, &session) }
                }
                return entries
            } catch {
                throw TokenAccessError(error, token.token)
            }
        }
    }

    /// SoftHSM destroys an object that has lost its lock file, and answers CKR_FUNCTION_FAILED.
    private static func destroy(_ object: ObjectHandle, _ session: inout Session) throws(PKCS11Error) {
        do throws(PKCS11Error) {
            try session.destroyObject(object)
        } catch {
            guard try !session.findObjects([]).contains(object) else { throw error }
        }
    }

    /// SoftHSM answers CKR_ATTRIBUTE_VALUE_INVALID for the class of an object that has none.
    private static func isHalfWritten(
        _ object: ObjectHandle, _ entry: Entry, _ session: inout Session
    ) throws(PKCS11Error) -> Bool {
        let objectClass: ObjectClass?
        do throws(PKCS11Error) {
            objectClass = try session.attributes(of: object, [.objectClass]).number(.objectClass).map(ObjectClass.init)
        } catch {
            if error.isDeviceFault { throw error }
            return error.returnValue != .objectHandleInvalid
        }
        switch objectClass {
        case nil: return true
        case .secretKey, .privateKey, .publicKey:
            // One with a name may be another program's session object, which some tokens show to every session.
            guard entry.label.isEmpty, entry.id.isEmpty else { return false }
            return (try? session.attributes(of: object, [.token]))?.flag(.token) == false
        default: return false
        }
    }
}
