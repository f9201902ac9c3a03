public import PKCS11

/// What a token was seen to do, by known answers, when it was connected. Data, not opinion: a store's refusals
/// and the report of a device are made from it.
public struct TokenCapabilities: Sendable {
    /// What a key store can need of a token.
    public enum Need: String, Sendable, CaseIterable {
        /// C_GenerateKey makes AES-256 keys with exactly the attributes that were asked for.
        case keyGeneration
        /// AES-256-GCM of 1 to 4096 bytes with associated data, right answers and no other.
        case gcm
        /// The IV comes from where the profile says.
        case gcmIV
        /// A wrong tag and wrong associated data are refused.
        case gcmAuthentication
        /// AES-ECB of one block, for fingerprints.
        case ecb
        case random
    }

    public enum Finding: Sendable, Equatable {
        case yes
        /// The reason, for people.
        case no(String)
    }

    public internal(set) var findings: [Need: Finding] = [:]
    /// What the token answers to a wrong tag: vendors differ.
    public internal(set) var badTagReturnValue: ReturnValue?
    /// Whether C_CreateObject takes a secret key, so that known answers could be compared and not only round trips.
    public internal(set) var importsSecretKeys = false

    /// Nil when everything in `needs` was seen to work, else the first reason why not.
    public func refusal(of needs: [Need]) -> String? {
        for need in needs {
            switch findings[need] {
            case .yes: continue
            case .no(let reason): return "\(need.rawValue): \(reason)"
            case nil: return "\(need.rawValue): not probed"
            }
        }
        return nil
    }
}
