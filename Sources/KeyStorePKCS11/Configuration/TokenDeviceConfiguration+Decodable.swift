// The form of the files in hsm-config/. Which file format they are in is the executable's business.

internal import PKCS11

extension TokenDeviceConfiguration: Decodable {
    private enum Keys: String, CodingKey, CaseIterable {
        case clusterId, module, initString, token, userName, pinFile, pinEnvironment, accounts, trustAnchor, profile
    }

    private enum TokenKeys: String, CodingKey, CaseIterable {
        case label, serial
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(Keys.self)
        self.init(
            clusterID: try values.decode(String.self, forKey: .clusterId),
            modulePath: try values.decode(String.self, forKey: .module),
            token: try Self.token(in: try values.superDecoder(forKey: .token)),
            reservedInitString: try values.decodeIfPresent(String.self, forKey: .initString),
            userName: try values.decodeIfPresent(String.self, forKey: .userName),
            accounts: try values.decodeIfPresent(Set<String>.self, forKey: .accounts),
            trustAnchor: try values.decodeIfPresent(String.self, forKey: .trustAnchor),
            profile: try values.decodeIfPresent(TokenProfile.self, forKey: .profile) ?? TokenProfile())
        let file = try values.decodeIfPresent(String.self, forKey: .pinFile)
        let environment = try values.decodeIfPresent(String.self, forKey: .pinEnvironment)
        switch (file, environment) {
        case (let file?, nil): pin = .file(file)
        case (nil, let name?): pin = .environment(name)
        case (nil, nil): pin = nil
        case (_?, _?):
            throw DecodingError.dataCorruptedError(
                forKey: .pinEnvironment, in: values, debugDescription: "give pinFile or pinEnvironment, not both")
        }
        do {
            try validate()
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.reason))
        }
    }

    private static func token(in decoder: any Decoder) throws -> TokenSelector {
        let values = try decoder.strictContainer(TokenKeys.self)
        let label = try values.decodeIfPresent(String.self, forKey: .label)
        let serial = try values.decodeIfPresent(String.self, forKey: .serial)
        switch (label, serial) {
        case (let label?, nil): return .label(label)
        case (nil, let serial?): return .serialNumber(serial)
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "token needs a label or a serial, not both"))
        }
    }
}

extension TokenProfile: Decodable {
    private enum Keys: String, CodingKey, CaseIterable {
        case gcmIV, sessionCopies, sessionCopyLimit, syncDirectory, ignoresPINPad, maxSessions, callTimeoutMilliseconds
        case keyPairTimeoutMilliseconds
        case connectTimeoutMilliseconds, queueLimit, stuckCallLimit, canaryIntervalMilliseconds,
            recoveryDelayMilliseconds
    }

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.strictContainer(Keys.self)
        if let name = try values.decodeIfPresent(String.self, forKey: .gcmIV) {
            guard let gcmIV = GCMIV(rawValue: name) else {
                let known = GCMIV.allCases.map(\.rawValue).joined(separator: " or ")
                throw DecodingError.dataCorruptedError(
                    forKey: .gcmIV, in: values, debugDescription: "gcmIV must be \(known), not \(name)")
            }
            self.gcmIV = gcmIV
        }
        func set<Value: Decodable>(_ path: WritableKeyPath<TokenProfile, Value>, _ key: Keys) throws {
            if let value = try values.decodeIfPresent(Value.self, forKey: key) { self[keyPath: path] = value }
        }
        try set(\.sessionCopies, .sessionCopies)
        try set(\.sessionCopyLimit, .sessionCopyLimit)
        syncDirectory = try values.decodeIfPresent(String.self, forKey: .syncDirectory)
        try set(\.ignoresPINPad, .ignoresPINPad)
        try set(\.maxSessions, .maxSessions)
        try set(\.callTimeoutMilliseconds, .callTimeoutMilliseconds)
        try set(\.keyPairTimeoutMilliseconds, .keyPairTimeoutMilliseconds)
        try set(\.connectTimeoutMilliseconds, .connectTimeoutMilliseconds)
        try set(\.queueLimit, .queueLimit)
        try set(\.stuckCallLimit, .stuckCallLimit)
        try set(\.canaryIntervalMilliseconds, .canaryIntervalMilliseconds)
        try set(\.recoveryDelayMilliseconds, .recoveryDelayMilliseconds)
    }
}

extension Decoder {
    /// A container that refuses keys which `Keys` does not know.
    fileprivate func strictContainer<Keys: CodingKey & CaseIterable>(
        _ keys: Keys.Type
    ) throws -> KeyedDecodingContainer<Keys> {
        let known = Keys.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath + [key],
                    debugDescription:
                        "unknown key \(key.stringValue); known are \(known.sorted().joined(separator: ", "))"))
        }
        return try container(keyedBy: keys)
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
