internal import Foundation
internal import SecureMemory
public import SigV4

/// What a caller may say on the command line; everything else comes from the environment and the profile files.
public struct ClientOptions: Sendable {
    public var endpointURL: String?
    public var region: String?
    public var profile: String?
    /// Whether an endpoint beyond this machine may be called without TLS.
    public var allowsPlainHTTP = false

    public init() {}
}

/// Where to call, and as whom, found as AWS clients find it (AWS SDKs and Tools Reference Guide, "Credentials and
/// access", "Service-specific endpoints").
public struct ClientSettings: Sendable {
    public let endpoint: ServiceEndpoint
    public let region: String
    public let credentials: SigningCredentials
    /// A file of PEM certificates that are trusted instead of the system's.
    public let trustedCertificates: String?

    /// - Parameters:
    ///   - environment: of the process.
    ///   - read: the text of a file, nil when there is no such file.
    public static func resolve(
        _ options: ClientOptions, environment: [String: String],
        read: (String) throws(ClientError) -> String? = readFile
    ) throws(ClientError) -> ClientSettings {
        let sources = try Sources(options, environment, read)
        guard
            let region = options.region ?? sources.variable("AWS_REGION") ?? sources.variable("AWS_DEFAULT_REGION")
                ?? sources.setting("region")
        else {
            throw ClientError("no Region is configured: give --region or set AWS_REGION")
        }
        guard region.utf8.allSatisfy({ isRegionByte($0) }), !region.isEmpty else {
            throw ClientError("\(region) is not the name of a Region")
        }
        return ClientSettings(
            endpoint: try ServiceEndpoint(
                sources.endpointURL()
                    ?? ServiceEndpoint.standard(region, isFIPS: sources.isOn("AWS_USE_FIPS_ENDPOINT")),
                allowsPlainHTTP: options.allowsPlainHTTP),
            region: region, credentials: try sources.credentials(),
            trustedCertificates: sources.variable("AWS_CA_BUNDLE") ?? sources.setting("ca_bundle"))
    }

    private static func isRegionByte(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "-")
    }

    public static func readFile(_ path: String) throws(ClientError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do { return try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) } catch {
            throw ClientError("\(path) cannot be read")
        }
    }
}

/// The environment, and the profile in the two files.
private struct Sources {
    private let options: ClientOptions
    private let environment: [String: String]
    private let profile: String
    private let config: ProfileFile
    private let shared: ProfileFile

    init(
        _ options: ClientOptions, _ environment: [String: String],
        _ read: (String) throws(ClientError) -> String?
    ) throws(ClientError) {
        self.options = options
        self.environment = environment
        func file(_ variable: String, _ name: String, _ kind: ProfileFile.Kind) throws(ClientError) -> ProfileFile {
            let home = environment["HOME"] ?? ""
            var path = environment[variable].flatMap { $0.isEmpty ? nil : $0 } ?? "~/.aws/\(name)"
            if path.hasPrefix("~/") { path = home + path.dropFirst() }
            guard let text = try read(path) else { return ProfileFile() }
            return try ProfileFile(text, kind: kind, name: path)
        }
        config = try file("AWS_CONFIG_FILE", "config", .config)
        shared = try file("AWS_SHARED_CREDENTIALS_FILE", "credentials", .credentials)
        let named =
            options.profile ?? Self.value(environment["AWS_PROFILE"])
            ?? Self.value(environment["AWS_DEFAULT_PROFILE"])
        profile = named ?? "default"
        if let named, config.profiles[named] == nil, shared.profiles[named] == nil {
            throw ClientError("the profile \(named) is neither in the AWS config file nor in the credentials file")
        }
    }

    private static func value(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }

    /// An environment variable that is not empty.
    func variable(_ name: String) -> String? { Self.value(environment[name]) }

    func isOn(_ name: String) -> Bool { variable(name)?.lowercased() == "true" }

    /// A setting of the profile. Credentials files hold settings too, and win.
    func setting(_ name: String) -> String? {
        Self.value(shared.profiles[profile]?[name]) ?? Self.value(config.profiles[profile]?[name])
    }

    func endpointURL() -> String? {
        if let url = options.endpointURL { return url }
        guard !isOn("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
            setting("ignore_configured_endpoint_urls")?.lowercased() != "true"
        else { return nil }
        let service = setting("services").flatMap { config.services[$0]?["kms.endpoint_url"] }
        return variable("AWS_ENDPOINT_URL_KMS") ?? variable("AWS_ENDPOINT_URL") ?? Self.value(service)
            ?? setting("endpoint_url")
    }

    func credentials() throws(ClientError) -> SigningCredentials {
        // A profile that is asked for on the command line goes before keys that happen to be in the environment.
        if options.profile == nil {
            switch (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            case (let id?, let secret?): return Self.credentials(id, secret, variable("AWS_SESSION_TOKEN"))
            case (nil, nil): break
            default:
                throw ClientError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together, and one of them is not set")
            }
        }
        for file in [shared, config] {
            guard let section = file.profiles[profile] else { continue }
            switch (Self.value(section["aws_access_key_id"]), Self.value(section["aws_secret_access_key"])) {
            case (let id?, let secret?):
                return Self.credentials(id, secret, Self.value(section["aws_session_token"]))
            case (nil, nil): break
            default:
                throw ClientError(
                    "the profile \(profile) has one of aws_access_key_id and aws_secret_access_key but not the other")
            }
        }
        for other in ["role_arn", "sso_session", "sso_start_url", "credential_process", "login_session"]
        where setting(other) != nil {
            throw ClientError(
                "the profile \(profile) gets its credentials by \(other), which only AWS's own tools do; put them into "
                    + "the environment: eval \"$(aws configure export-credentials --profile \(profile) --format env)\"")
        }
        throw ClientError(
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has them"
        )
    }

    private static func credentials(_ id: String, _ secret: String, _ token: String?) -> SigningCredentials {
        SigningCredentials(
            accessKeyID: id, secretAccessKey: SecretBytes(copying: Array(secret.utf8).span), sessionToken: token)
    }
}
