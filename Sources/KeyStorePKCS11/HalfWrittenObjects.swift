public import PKCS11
public import SecureMemory

/// Objects that are no objects: a token that does not write them in one step (SoftHSM) shows what a killed process left of
/// them, without a class, or with what SoftHSM writes before all else: that they are no token objects, though they are in
/// the token's directory. Nobody can use one, and nobody destroys them unasked: another process may be writing one at this
/// moment.
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
                    guard try !isWhole(object, &session) else { continue }
                    let values = try? session.attributes(of: object, [.label, .id])
                    entries.append(Entry(label: values?.text(.label) ?? "", id: values?.bytes(.id) ?? []))
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

    /// SoftHSM answers CKR_ATTRIBUTE_VALUE_INVALID for the class of an object that has none. Objects of other kinds than
    /// keys are never made here, and need not be on the token to be shown.
    private static func isWhole(_ object: ObjectHandle, _ session: inout Session) throws(PKCS11Error) -> Bool {
        do throws(PKCS11Error) {
            let values = try session.attributes(of: object, [.objectClass, .token])
            switch values.number(.objectClass).map(ObjectClass.init) {
            case nil: return false
            case .secretKey, .privateKey, .publicKey: return values.flag(.token) != false
            default: return true
            }
        } catch {
            if error.isDeviceFault { throw error }
            return error.returnValue == .objectHandleInvalid
        }
    }
}
