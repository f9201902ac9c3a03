/// What `strongroom doctor` finds out about a token. Data: for the page, for JSON, and to be compared with an earlier run.
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
        /// Keys and other objects that are there, seen after the login.
        public var objectCount: Int
        public var hasPINPad: Bool
        public var isPINCountLow: Bool
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
    public var abilities: [Ability]
    public var imports: [ImportAbility]
    /// What an operator should know before there are keys on the token.
    public var safetyFindings: [String]
    public var latencies: [Latency]

    /// The device as a file of hsm-config/, with a clusterId and a PIN file to be filled in.
    public func configuration(modulePath: String, initString: String?) -> String {
        var lines = [
            "# \(device.module)", "clusterId: cluster-replacethisid",
            "module: \(Self.quoted(modulePath))",
        ]
        if let initString { lines.append("initString: \(Self.quoted(initString))") }
        lines += [
            "token:", "  label: \(Self.quoted(device.label))", "pinFile: /path/to/pin  # mode 0600", "profile:",
            "  gcmIV: \(gcmIV ?? "caller")",
        ]
        if let maximumSessions = device.maximumSessions {
            // One for the login and one for the canary.
            lines.append("  maxSessions: \(max(1, min(maximumSessions - 2, 64)))")
        }
        if device.hasPINPad {
            lines.append("  ignoresPINPad: true  # the examination logged in with a PIN all the same")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
