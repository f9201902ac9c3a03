import KMSClient
import SecureMemory
import SigV4
import Testing

/// Where a client finds its Region, its endpoint and its credentials, and what goes before what.
@Suite struct ClientSettingsTests {
    private static let config = """
        [default]
        region = eu-west-1
        [profile work]
        region = eu-west-2
        endpoint_url = https://profile.example.com
        aws_access_key_id = AKCONFIG
        aws_secret_access_key = config-secret
        [profile serviced]
        region = eu-west-3
        services = ours
        endpoint_url = https://general.example.com
        [services ours]
        kms =
          endpoint_url = https://kms.example.com
        [profile assuming]
        role_arn = arn:aws:iam::111122223333:role/x
        source_profile = work
        """
    private static let shared = """
        [default]
        aws_access_key_id = AKSHARED
        aws_secret_access_key = shared-secret
        [serviced]
        aws_access_key_id = AKSERVICED
        aws_secret_access_key = serviced-secret
        aws_session_token = serviced-token
        [half]
        aws_access_key_id = AKHALF
        """

    private func resolve(
        _ environment: [String: String] = [:], files: Bool = true, _ change: (inout ClientOptions) -> Void = { _ in }
    ) throws -> ClientSettings {
        var options = ClientOptions()
        change(&options)
        return try ClientSettings.resolve(
            options, environment: environment.merging(["HOME": "/home/user"]) { given, _ in given }
        ) { path throws(ClientError) in
            switch path {
            case "/home/user/.aws/config" where files, "/elsewhere/config": Self.config
            case "/home/user/.aws/credentials" where files, "/elsewhere/credentials": Self.shared
            default: nil
            }
        }
    }

    private func refusal(
        _ environment: [String: String] = [:], files: Bool = true, _ change: (inout ClientOptions) -> Void = { _ in }
    ) -> String {
        let error = #expect(throws: ClientError.self) { _ = try resolve(environment, files: files, change) }
        return error?.description ?? ""
    }

    private static let keys = ["AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "env-secret"]

    private func secret(_ settings: ClientSettings) -> String {
        settings.credentials.secretAccessKey.withBytes { bytes in
            String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        }
    }

    @Test func `The default profile, at AWS`() throws {
        let settings = try resolve()
        #expect(settings.region == "eu-west-1")
        #expect(settings.endpoint.url == "https://kms.eu-west-1.amazonaws.com")
        #expect(settings.credentials.accessKeyID == "AKSHARED")
        #expect(secret(settings) == "shared-secret")
        #expect(settings.credentials.sessionToken == nil)
    }

    @Test func `The Region comes from the flag, then the environment, then the profile`() throws {
        let environment = ["AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-west-1"]
        #expect(try resolve(environment) { $0.region = "ca-central-1" }.region == "ca-central-1")
        #expect(try resolve(environment).region == "us-east-2")
        #expect(try resolve(["AWS_DEFAULT_REGION": "us-west-1"]).region == "us-west-1")
        #expect(try resolve(["AWS_PROFILE": "work"]).region == "eu-west-2")
        #expect(refusal(Self.keys, files: false).contains("no Region"))
        #expect(refusal { $0.region = "evil.example.com/" }.contains("not the name of a Region"))
    }

    @Test func `The endpoint comes from the flag, then the environment, then the profile, then AWS`() throws {
        let both = [
            "AWS_ENDPOINT_URL": "https://all.example.com", "AWS_ENDPOINT_URL_KMS": "https://one.example.com",
            "AWS_PROFILE": "serviced",
        ]
        #expect(
            try resolve(both) { $0.endpointURL = "https://flag.example.com/" }.endpoint.url
                == "https://flag.example.com")
        #expect(try resolve(both).endpoint.url == "https://one.example.com")
        #expect(try resolve(["AWS_ENDPOINT_URL": "https://all.example.com"]).endpoint.url == "https://all.example.com")
        #expect(try resolve(["AWS_PROFILE": "serviced"]).endpoint.url == "https://kms.example.com")
        #expect(try resolve(["AWS_PROFILE": "work"]).endpoint.url == "https://profile.example.com")
        let ignored = both.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
        #expect(try resolve(ignored).endpoint.url == "https://kms.eu-west-3.amazonaws.com")
        #expect(
            try resolve(["AWS_USE_FIPS_ENDPOINT": "true"]).endpoint.url == "https://kms-fips.eu-west-1.amazonaws.com")
        #expect(
            try resolve { $0.region = "cn-north-1" }.endpoint.url == "https://kms.cn-north-1.amazonaws.com.cn")
    }

    @Test func `Keys in the environment go before profiles, but not before one that the command line names`() throws {
        #expect(try resolve(Self.keys).credentials.accessKeyID == "AKENV")
        let session = Self.keys.merging(["AWS_SESSION_TOKEN": "token", "AWS_PROFILE": "work"]) { $1 }
        let settings = try resolve(session)
        #expect(settings.credentials.accessKeyID == "AKENV")
        #expect(settings.credentials.sessionToken == "token")
        #expect(settings.region == "eu-west-2")
        #expect(try resolve(session) { $0.profile = "serviced" }.credentials.accessKeyID == "AKSERVICED")
        #expect(try resolve(session) { $0.profile = "serviced" }.credentials.sessionToken == "serviced-token")
        #expect(try resolve(["AWS_PROFILE": "work"]).credentials.accessKeyID == "AKCONFIG")
    }

    @Test func `The two files may be elsewhere`() throws {
        let environment = [
            "AWS_CONFIG_FILE": "/elsewhere/config", "AWS_SHARED_CREDENTIALS_FILE": "/elsewhere/credentials",
        ]
        #expect(try resolve(environment, files: false).credentials.accessKeyID == "AKSHARED")
    }

    @Test func `Missing credentials are an error that says which, and shows no secret`() {
        #expect(refusal(["AWS_REGION": "us-east-1"], files: false).contains("there are no credentials"))
        #expect(refusal(["AWS_SECRET_ACCESS_KEY": "env-secret"]).contains("go together"))
        #expect(!refusal(["AWS_SECRET_ACCESS_KEY": "env-secret"]).contains("env-secret"))
        #expect(refusal(["AWS_REGION": "x"]) { $0.profile = "half" }.contains("but not the other"))
        #expect(refusal { $0.profile = "nobody" }.contains("the profile nobody is neither"))
        let assuming = refusal(["AWS_REGION": "us-east-1"]) { $0.profile = "assuming" }
        #expect(assuming.contains("role_arn") && assuming.contains("export-credentials"))
    }

    @Test func `An endpoint without TLS is taken on this machine only, unless it is asked for`() throws {
        for url in ["http://localhost:8555", "http://127.0.0.1:8555", "http://127.8.8.8", "http://[::1]:8555"] {
            #expect(try resolve { $0.endpointURL = url }.endpoint.url == url)
        }
        for url in ["http://10.0.0.1:8555", "http://kms.example.com", "http://127.example.com", "http://128.0.0.1"] {
            #expect(refusal { $0.endpointURL = url }.contains("no TLS"))
            let allowed = try resolve {
                $0.endpointURL = url
                $0.allowsPlainHTTP = true
            }
            #expect(allowed.endpoint.url == url)
        }
    }

    @Test(arguments: ["ftp://localhost", "localhost:8555", "https://", "https://h/path", "https://u@h", "https://h?q"])
    func `What is no endpoint is refused`(url: String) {
        #expect(refusal { $0.endpointURL = url }.contains("the endpoint must be"))
    }

    @Test(arguments: [
        ("https://h:443", "h"), ("https://h:8555", "h:8555"), ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:8555", "[::1]:8555"),
    ])
    func `The Host header has the port that is not the usual one`(url: String, host: String) throws {
        #expect(try resolve { $0.endpointURL = url }.endpoint.host == host)
    }
}
