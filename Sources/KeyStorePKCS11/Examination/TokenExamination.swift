/// What `strongroom doctor` finds out about a token. Data: for the page, for JSON, and to be compared with an earlier
/// run.
public struct TokenExamination: Codable, Sendable, Hashable {
    public struct Device: Codable, Sendable, Hashable {
        /// What the module says of itself: manufacturer, description, version.
        public var module: String
        public var label: String
        public var serialNumber: String
        public var manufacturer: String
        public var model: String
        public var firmwareVersion: String
        /// Nil when the token does not say, or sets no limit.
        public var maximumSessions: Int?
        /// Bytes for private objects that are free; nil when the token does not say.
        public var freePrivateMemory: Int?
        public var totalPrivateMemory: Int?
        /// Keys and other objects that are there, seen after the login.
        public var objectCount: Int
        public var hasPINPad: Bool
        public var isPINCountLow: Bool
        // Not in the examinations of earlier versions.
        public var isPINToBeChanged: Bool?
        public var opensReadOnlySessions: Bool?
    }

    /// What keys of one spec can be used for.
    public struct Ability: Codable, Sendable, Hashable {
        public var keySpec: String
        public var keyUsage: String
        /// Each algorithm that works, and how.
        public var algorithms: [String: String]
        /// Each algorithm that does not, and why.
        public var refusals: [String: String]
    }

    /// How material of one spec gets in.
    public struct ImportAbility: Codable, Sendable, Hashable {
        public var keySpec: String
        /// Nil when it does not.
        public var path: String?
        public var reason: String?
    }

    public struct Latency: Codable, Sendable, Hashable {
        public var operation: String
        public var medianMicroseconds: Int
        public var p99Microseconds: Int
    }

    public var device: Device
    /// `caller`, `zeroBufferOut`, or nil when AES-GCM cannot be used.
    public var gcmIV: String?
    /// Why AES-GCM cannot be used.
    public var gcmRefusal: String?
    public var oaepHashes: [String]
    /// Why there can be no copies of keys in session memory; empty when there can. Not in the examinations of earlier
    /// versions.
    public var sessionCopyRefusal: String?
    public var abilities: [Ability]
    public var imports: [ImportAbility]
    /// What an operator should know before there are keys on the token.
    public var safetyFindings: [String]
    public var latencies: [Latency]
}
