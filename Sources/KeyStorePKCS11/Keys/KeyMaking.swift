internal import KMSModel
internal import KeyStores
internal import PKCS11

/// Makes keys on a token: generates, reads back, and destroys what is not exactly what was asked for.
enum KeyMaking {
    enum Made: Sendable {
        /// The secret or private key, and DER SubjectPublicKeyInfo where there is a public half.
        case sound(ObjectHandle, publicKey: [UInt8]?)
        /// Nothing is left of it; the reason.
        case wrong(String)
    }

    /// - Parameter check: a last question about the new key; a text from it destroys the key.
    static func make(
        _ template: KeyTemplate, in session: inout Session,
        check: (ObjectHandle, [UInt8]?, inout Session) throws(PKCS11Error) -> String? = {
            (_, _, _) throws(PKCS11Error) in nil
        }
    ) throws(PKCS11Error) -> Made {
        template.form.isKeyPair
            ? try makePair(template, in: &session, check) : try makeSecret(template, in: &session, check)
    }

    private typealias Check = (ObjectHandle, [UInt8]?, inout Session) throws(PKCS11Error) -> String?

    private static func makeSecret(
        _ template: KeyTemplate, in session: inout Session, _ check: Check
    ) throws(PKCS11Error) -> Made {
        let object = try session.generateKey(template.form.generation, template.generationAttributes)
        return try keep(object, publicKey: nil, template, in: &session, check)
    }

    private static func makePair(
        _ template: KeyTemplate, in session: inout Session, _ check: Check
    ) throws(PKCS11Error) -> Made {
        let pair = try session.generateKeyPair(
            template.form.generation, publicKey: template.publicAttributes, privateKey: template.attributes)
        let publicKey: [UInt8]?
        do throws(PKCS11Error) {
            let values = try session.attributes(of: pair.publicKey, PublicKeyInfo.attributes)
            publicKey = PublicKeyInfo.encode(values, as: template.form)
            // It has been read, and nothing ever asks for it again.
            try session.destroyObject(pair.publicKey)
        } catch {
            try? session.destroyObject(pair.publicKey)
            try? session.destroyObject(pair.privateKey)
            throw error
        }
        guard let publicKey else {
            try session.destroyObject(pair.privateKey)
            return .wrong("the public key object is not one of the kind that was asked for")
        }
        return try keep(pair.privateKey, publicKey: publicKey, template, in: &session, check)
    }

    /// Reads a new object back and asks the last question about it. What is not as it should be is destroyed.
    static func keep(
        _ object: ObjectHandle, publicKey: [UInt8]?, _ template: KeyTemplate, in session: inout Session,
        _ check: (ObjectHandle, [UInt8]?, inout Session) throws(PKCS11Error) -> String?
    ) throws(PKCS11Error) -> Made {
        do throws(PKCS11Error) {
            let values = try session.attributes(of: object, template.readBack)
            var objection = template.deviation(of: values)
            if objection == nil { objection = try check(object, publicKey, &session) }
            guard let objection else { return .sound(object, publicKey: publicKey) }
            try session.destroyObject(object)
            return .wrong(objection)
        } catch {
            try? session.destroyObject(object)
            // SoftHSM answers CKR_OK for an object that its disk had no room for. Not a word about any other key.
            if error.returnValue == .objectHandleInvalid || error.returnValue == .keyHandleInvalid {
                return .wrong("the token did not keep it")
            }
            throw error
        }
    }
}
