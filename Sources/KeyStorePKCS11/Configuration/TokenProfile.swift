/// What a device is like, and how much is asked of it. The quirks of vendors are values here, never code elsewhere.
public struct TokenProfile: Sendable, Hashable {
    /// Who makes the IV of AES-GCM.
    public enum GCMIV: String, Sendable, Hashable, CaseIterable {
        /// We give 12 random bytes and the token uses them.
        case caller
        /// We give 12 zero bytes and the token writes its own over them (AWS CloudHSM, nShield). Believed only after
        /// two different IVs: SoftHSM and NSS answer CKR_OK and encrypt under IV zero.
        case zeroBufferOut
    }

    public var gcmIV: GCMIV = .caller
    /// Work with copies of the keys in session memory (C_CopyObject at the first use). Faster on tokens that read their
    /// disk at every use (docs/benchmarks.md, "Many keys"). A key destroyed behind our back goes on working until the
    /// next connect, so it is a choice.
    public var sessionCopies = false
    /// Copies at a time: each takes 6 to 9 KB of a soft token's memory. Further keys are used where they are.
    public var sessionCopyLimit = 10_000
    /// The directory in which the module keeps its token directories, if it does not bring new objects to the disk
    /// itself (SoftHSM never does): changed files and directories are fsynced before an answer.
    public var syncDirectory: String?
    /// Log in with the configured PIN although the token has a keypad of its own for it.
    public var ignoresPINPad = false
    /// Sessions that work in parallel, each on a thread of its own. One more is kept open for the login.
    public var maxSessions = 4
    /// From the request's arrival in the queue to its answer.
    public var callTimeoutMilliseconds = 5_000
    /// The same for making a key pair: RSA with 4096 bits takes a soft token many seconds when luck is bad.
    public var keyPairTimeoutMilliseconds = 60_000
    /// For login, probe and sweep together.
    public var connectTimeoutMilliseconds = 60_000
    /// Requests that wait for a session; one more is answered as overloaded.
    public var queueLimit = 1_024
    /// Calls that never came back, each with its thread, before the store stops taking work.
    public var stuckCallLimit = 4
    /// How often the canary runs unasked.
    public var canaryIntervalMilliseconds = 15_000
    /// The pause between attempts at recovery; doubled after each one up to half a second, half of it drawn by lot.
    public var recoveryDelayMilliseconds = 250

    public init() {}

    func validate(_ refusal: (String) -> TokenConfigurationError) throws(TokenConfigurationError) {
        func require(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(TokenConfigurationError) {
            guard range.contains(value) else {
                throw refusal("profile.\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value)")
            }
        }
        try require("sessionCopyLimit", sessionCopyLimit, in: 1...1_000_000)
        try require("maxSessions", maxSessions, in: 1...256)
        try require("callTimeoutMilliseconds", callTimeoutMilliseconds, in: 10...600_000)
        try require("keyPairTimeoutMilliseconds", keyPairTimeoutMilliseconds, in: 10...600_000)
        try require("connectTimeoutMilliseconds", connectTimeoutMilliseconds, in: 10...600_000)
        try require("queueLimit", queueLimit, in: 1...1_000_000)
        try require("stuckCallLimit", stuckCallLimit, in: 1...256)
        try require("canaryIntervalMilliseconds", canaryIntervalMilliseconds, in: 10...3_600_000)
        try require("recoveryDelayMilliseconds", recoveryDelayMilliseconds, in: 1...30_000)
        if let syncDirectory, !syncDirectory.hasPrefix("/") {
            throw refusal("profile.syncDirectory must be an absolute path")
        }
    }
}
