internal import PKCS11

/// A copy of a key in session memory, by C_CopyObject.
enum SessionCopy {
    /// What the copy changes; everything else it takes from its original.
    private static let changes: [Attribute] = [.flag(.token, false)]

    /// - Returns: nil when the token made something else than a copy that stays inside; nothing is left of it.
    static func make(of object: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> ObjectHandle? {
        let copy = try session.copyObject(object, changes)
        do throws(PKCS11Error) {
            let values = try session.attributes(of: copy, [.token, .sensitive, .extractable])
            if values.flag(.token) == false, values.flag(.sensitive) == true, values.flag(.extractable) == false {
                return copy
            }
            try session.destroyObject(copy)
            return nil
        } catch {
            try? session.destroyObject(copy)
            throw error
        }
    }
}
