internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// How a token opens the one block of RSA-OAEP in which key material comes, or the AES key that it is wrapped under.
enum BlockOpening: Sendable, Hashable {
    /// C_UnwrapKey: what is in the block becomes a key that nobody sees.
    case unwrapping
    /// C_Decrypt into memory that is wiped.
    case decryption(TokenOAEP.Method)

    /// For people.
    func description(_ hash: MechanismHash) -> String {
        switch self {
        case .unwrapping: "C_UnwrapKey with CKM_RSA_PKCS_OAEP, \(hash)"
        case .decryption(.token): "C_Decrypt with CKM_RSA_PKCS_OAEP, \(hash)"
        case .decryption(.bareOperation): "C_Decrypt with CKM_RSA_X_509 and OAEP in host memory, \(hash)"
        }
    }
}

/// What came of bytes that somebody sent.
enum Opened<Contents: Sendable>: Sendable {
    case contents(Contents)
    /// The bytes are nothing of the kind, as far as the token says. What it said, where it said something.
    case junk(PKCS11Error?)
}

/// Opens blocks with a wrapping key on a token.
struct BlockOpener: Sendable {
    let hash: MechanismHash
    let opening: BlockOpening

    /// The contents in memory that is wiped. A token that unwraps does it into a key of the session that can be read,
    /// which is destroyed at once: its wrapping keys do not decrypt.
    func open(
        _ block: [UInt8], with key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Opened<SecretBytes> {
        switch opening {
        case .decryption(let method):
            do throws(PKCS11Error) {
                switch try TokenOAEP(hash: hash, method: method).decrypt(block, with: key, in: &session) {
                case .plaintext(let contents): return .contents(contents)
                case .invalid: return .junk(nil)
                case .failure: throw PKCS11Error(.decrypt, .functionFailed)
                }
            } catch {
                guard error.mayMeanJunk else { throw error }
                return .junk(error)
            }
        case .unwrapping:
            let object: ObjectHandle
            switch try unwrap(block, with: key, Self.readable, in: &session) {
            case .junk(let error): return .junk(error)
            case .contents(let handle): object = handle
            }
            let contents: SecretBytes
            do throws(PKCS11Error) {
                contents = try session.secretValue(of: object, longest: block.count)
            } catch {
                try? session.destroyObject(object)
                throw error
            }
            try session.destroyObject(object)
            return .contents(contents)
        }
    }

    /// The contents as a key on the token.
    func unwrap(
        _ block: [UInt8], with key: ObjectHandle, _ template: [Attribute], in session: inout Session
    ) throws(PKCS11Error) -> Opened<ObjectHandle> {
        try session.unwrap(block, .rsaOAEP(hash: hash), with: key, template)
    }

    private static let readable: [Attribute] = [
        .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.sensitive, false),
        .flag(.extractable, true), .flag(.encrypt, false), .flag(.decrypt, false), .flag(.sign, false),
        .flag(.verify, false), .flag(.wrap, false), .flag(.unwrap, false), .flag(.derive, false),
    ]
}

extension Session {
    /// C_UnwrapKey of bytes that somebody sent.
    mutating func unwrap(
        _ wrapped: [UInt8], _ mechanism: Mechanism, with key: ObjectHandle, _ template: [Attribute]
    ) throws(PKCS11Error) -> Opened<ObjectHandle> {
        do throws(PKCS11Error) {
            return .contents(try unwrapKey(wrapped.span, mechanism, with: key, template))
        } catch {
            // What other functions call the handle of a key that is gone.
            if error.returnValue == .unwrappingKeyHandleInvalid { throw PKCS11Error(.unwrapKey, .keyHandleInvalid) }
            guard error.mayMeanJunk else { throw error }
            return .junk(error)
        }
    }
}

extension PKCS11Error {
    /// Whether a token may say this of bytes that do not unwrap, or are no key of the type that was asked for. Tokens
    /// say nearly anything of them; the canary knows whether they are well.
    var mayMeanJunk: Bool {
        switch returnValue {
        case .objectHandleInvalid, .keyHandleInvalid, .unwrappingKeyHandleInvalid, .keyFunctionNotPermitted,
            .unwrappingKeyTypeInconsistent, .mechanismInvalid, .mechanismParamInvalid, .functionNotSupported,
            .sessionHandleInvalid, .sessionClosed, .sessionReadOnly, .userNotLoggedIn, .operationActive,
            .operationNotInitialized, .cryptokiNotInitialized, .tokenNotPresent, .tokenWriteProtected, .deviceRemoved,
            .deviceMemory, .hostMemory:
            false
        default: true
        }
    }
}
