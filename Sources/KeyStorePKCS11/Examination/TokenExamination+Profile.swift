// What a server should be told about the device.

extension TokenExamination {
    /// What differs from the defaults.
    public var profile: TokenProfile {
        var profile = TokenProfile()
        profile.gcmIV = gcmIV.flatMap(TokenProfile.GCMIV.init) ?? .caller
        // One for the login and one for the canary.
        if let maximumSessions = device.maximumSessions { profile.maxSessions = max(1, min(maximumSessions - 2, 64)) }
        profile.ignoresPINPad = device.hasPINPad
        return profile
    }

    /// The device as a file of hsm-config/, with a clusterId and a PIN file to be filled in. What the server has no
    /// setting for is a remark in it, on the topics of every such file.
    public func configuration(modulePath: String, initString: String?) -> String {
        let profile = profile
        var lines = ["# \(device.module)", "clusterId: cluster-replacethisid", "module: \(Self.quoted(modulePath))"]
        if let initString {
            lines += ["# Reserved init string: as it was given.", "initString: \(Self.quoted(initString))"]
        } else {
            lines.append("# Reserved init string: none was needed.")
        }
        lines += [
            "token:", "  label: \(Self.quoted(device.label))",
            "# PIN format: as it was given. Of \"user:password\", userName may have the first part.",
            "pinFile: /path/to/pin  # mode 0600", "profile:",
            "  # GCM IV policy: \(policy)", "  gcmIV: \(profile.gcmIV.rawValue)", "  # Session copies: \(copies)",
            "  sessionCopies: false",
        ]
        if device.maximumSessions != nil { lines.append("  maxSessions: \(profile.maxSessions)") }
        if profile.ignoresPINPad {
            lines.append("  ignoresPINPad: true  # the examination logged in with a PIN all the same")
        }
        lines += [
            "# Read-only sessions: \(readOnlySessions). The server opens read/write sessions only.",
            "# Busy codes: unknown. The canary tells a device that is busy from one that is away.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private var policy: String {
        switch gcmIV {
        case TokenProfile.GCMIV.caller.rawValue?: "ours."
        case .some: "the token makes the IV."
        case nil: "none, because AES-GCM cannot be used."
        }
    }

    private var copies: String {
        switch sessionCopyRefusal {
        case ""?: "allowed. true is faster where the module reads its disk at every use of a key."
        case let refusal?: "no. \(refusal)"
        case nil: "unknown"
        }
    }

    private var readOnlySessions: String {
        switch device.opensReadOnlySessions {
        case true?: "allowed"
        case false?: "refused"
        case nil: "unknown"
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
