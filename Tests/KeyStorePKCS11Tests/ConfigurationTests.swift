internal import Foundation
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import Testing

/// What a device file may say. JSON stands for whatever format the file is in.
@Suite struct ConfigurationTests {
    private static let smallest = """
        {"clusterId": "cluster-abcdefghijk", "module": "/lib/m.so", "token": {"label": "l"}}
        """

    private static func decode(_ json: String) throws -> TokenDeviceConfiguration {
        try JSONDecoder().decode(TokenDeviceConfiguration.self, from: Data(json.utf8))
    }

    @Test func `The smallest device has every default`() throws {
        let device = try Self.decode(Self.smallest)
        #expect(
            device
                == TokenDeviceConfiguration(
                    clusterID: "cluster-abcdefghijk", modulePath: "/lib/m.so", token: .label("l")))
        #expect(device.device.accounts == nil)
        #expect(device.profile.gcmIV == .caller)
        #expect(!device.profile.sessionCopies)
    }

    @Test func `Everything that can be said is understood`() throws {
        let device = try Self.decode(
            """
            {"clusterId": "cluster-222222222222", "module": "/m.so", "token": {"serial": "ab12"}, "initString": "x=y",
             "userName": "kmsuser", "pinFile": "/pin", "accounts": ["000000000000"], "trustAnchor": "PEM",
             "profile": {"gcmIV": "zeroBufferOut", "sessionCopies": true, "sessionCopyLimit": 9, "syncDirectory": "/t", "maxSessions": 8,
                         "callTimeoutMilliseconds": 100, "keyPairTimeoutMilliseconds": 150,
                         "connectTimeoutMilliseconds": 200, "queueLimit": 5,
                         "stuckCallLimit": 2, "canaryIntervalMilliseconds": 300, "recoveryDelayMilliseconds": 20}}
            """)
        var profile = TokenProfile()
        profile.gcmIV = .zeroBufferOut
        profile.sessionCopies = true
        profile.sessionCopyLimit = 9
        profile.syncDirectory = "/t"
        profile.maxSessions = 8
        profile.callTimeoutMilliseconds = 100
        profile.keyPairTimeoutMilliseconds = 150
        profile.connectTimeoutMilliseconds = 200
        profile.queueLimit = 5
        profile.stuckCallLimit = 2
        profile.canaryIntervalMilliseconds = 300
        profile.recoveryDelayMilliseconds = 20
        #expect(
            device
                == TokenDeviceConfiguration(
                    clusterID: "cluster-222222222222", modulePath: "/m.so", token: .serialNumber("ab12"),
                    reservedInitString: "x=y", userName: "kmsuser", pin: .file("/pin"), accounts: ["000000000000"],
                    trustAnchor: "PEM", profile: profile))
    }

    @Test(arguments: [
        (#""token": {"label": "l"}, "modul": "/m""#, "modul"),
        (#""token": {"slot": 1}"#, "slot"),
        (#""token": {}"#, "label or a serial"),
        (#""token": {"label": "l", "serial": "s"}"#, "not both"),
        (#""token": {"label": "\#(String(repeating: "l", count: 33))"}"#, "32 bytes"),
        (#""token": {"label": "l"}, "pinFile": "/p", "pinEnvironment": "P""#, "not both"),
        (#""token": {"label": "l"}, "userName": "a:b""#, "colon"),
        (#""token": {"label": "l"}, "profile": {"gcmIV": "x"}"#, "gcmIV"),
        (#""token": {"label": "l"}, "profile": {"maxSessions": 0}"#, "maxSessions"),
        (#""token": {"label": "l"}, "profile": {"sessionCopyLimit": 0}"#, "sessionCopyLimit"),
        (#""token": {"label": "l"}, "profile": {"syncDirectory": "t"}"#, "absolute"),
        (#""token": {"label": "l"}, "profile": {"rwOnly": true}"#, "rwOnly"),
    ])
    func `What cannot be used is refused with the reason`(_ members: String, _ reason: String) {
        let json = #"{"clusterId": "cluster-abcdefghijk", "module": "/m", \#(members)}"#
        let error = #expect(throws: DecodingError.self) { try Self.decode(json) }
        #expect(error.map { "\($0)" }?.contains(reason) == true)
    }

    @Test(arguments: [
        ("cluster-abc1", "/m", "clusterId"), ("cluster-abcdefghij1", "/m", "clusterId"),
        ("cluster-abcdefghijklmnopq", "/m", "clusterId"), ("luster-abcdefghijk", "/m", "clusterId"),
        ("cluster-abcdefghijk", "m.so", "absolute"),
    ])
    func `A device needs a clusterId of AWS's form and the full path of its module`(
        _ clusterID: String, _ module: String, _ reason: String
    ) {
        let json = #"{"clusterId": "\#(clusterID)", "module": "\#(module)", "token": {"label": "l"}}"#
        let error = #expect(throws: DecodingError.self) { try Self.decode(json) }
        #expect(error.map { "\($0)" }?.contains(reason) == true)
    }

    @Test func `Two devices may not have one clusterId or one token`() throws {
        let device = try Self.decode(Self.smallest)
        #expect(throws: TokenConfigurationError.self) { try TokenDevices([device, device]) }
        var other = device
        other.clusterID = "cluster-kjihgfedcba"
        #expect(throws: TokenConfigurationError.self) { try TokenDevices([device, other]) }
        other.token = .label("another")
        #expect(try TokenDevices([device, other]).clusterIDs == ["cluster-abcdefghijk", "cluster-kjihgfedcba"])
    }
}
