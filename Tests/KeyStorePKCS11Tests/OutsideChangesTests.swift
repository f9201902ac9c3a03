internal import Conformance
internal import Foundation
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Tokens and keys that other processes make, move and destroy. One test after the other: SoftHSM's tools stumble
/// over a token directory that comes or goes while they look.
@Suite(.serialized) struct OutsideChangesTests {
    @Test func `A token made after the module started can be connected`() async throws {
        let fixture = try SoftHSMFixture.shared()
        // A module that nobody else uses, so that it may be started again.
        let module = try fixture.copyOfModule("late-token")
        let early = try TestDevice.softHSM { $0.modulePath = module }
        try await early.whileConnected { _ in }
        let late = try TestDevice.softHSM {
            $0.modulePath = module
            $0.token = .label("made later")
        }
        #expect(await failure { _ = try await late.connect(pin: "4321") }?.code == .clusterNotFound)
        try fixture.initializeToken(label: "made later", pin: "4321")
        let store = try await late.connect(pin: "4321")
        #expect(try await store.randomBytes(8).count == 8)
        await late.disconnect()
    }

    @Test func `A token that vanished and came back heals by itself`() async throws {
        let fixture = try SoftHSMFixture.shared()
        let module = try fixture.copyOfModule("vanishing")
        let label = "vanishing"
        let here = try makeToken(label)
        let away = try TestDirectory("away").path + "/token"

        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: module, token: .label(label),
            profile: {
                var profile = TokenProfile()
                profile.recoveryDelayMilliseconds = 20
                return profile
            }())
        let device = try TestDevice(configuration, pin: "1234")
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key)

            try FileManager.default.moveItem(atPath: here, toPath: away)
            #expect(
                await errorCode { _ = try await store.decrypt(message, associatedData: [], with: key) } == .unavailable)
            #expect(device.events.contains(.sick))

            try FileManager.default.moveItem(atPath: away, toPath: here)
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1, 2])
        }
    }

    @Test func `A key destroyed behind our back is not found, and the store stays well`() async throws {
        let fixture = try SoftHSMFixture.shared()
        let token = try fixture.takeToken()
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label))
        let device = try TestDevice(configuration, pin: token.pin)
        try await device.whileConnected { store async throws in
            let request = ConformanceKeys.request()
            let key = try await store.generateKey(request)
            let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key)
            try fixture.destroyKey(id: key.id.description, on: token)
            #expect(
                await errorCode { _ = try await store.decrypt(message, associatedData: [], with: key) } == .keyNotFound)
            #expect(
                await errorCode { _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key) }
                    == .keyNotFound)
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `Two objects with one identity are used by nobody`() async throws {
        let fixture = try SoftHSMFixture.shared()
        let token = try fixture.takeToken()
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label))
        let device = try TestDevice(configuration, pin: token.pin)
        let key = try await device.whileConnected { store async throws in
            try await store.generateKey(ConformanceKeys.request())
        }
        try fixture.generateKey(id: key.id.description, label: "a double", on: token)
        try await device.whileConnected { store async throws in
            #expect(
                await errorCode { _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key) }
                    == .internalFailure)
            #expect(await errorCode { try await store.destroyKey(key.id) } == .internalFailure)
            #expect(try await store.inventory()?.filter { $0.id == key.id }.count == 2)
            #expect(device.events.contains(.finding))
        }
    }

    @Test func `Objects of others are listed and left alone`() async throws {
        let fixture = try SoftHSMFixture.shared()
        let token = try fixture.takeToken()
        try fixture.generateKey(id: "0102", label: "somebody else's", on: token)
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label))
        let device = try TestDevice(configuration, pin: token.pin)
        for _ in 0..<2 {
            try await device.whileConnected { store async throws in
                let inventory = try #require(try await store.inventory())
                #expect(inventory.map(\.label) == ["somebody else's"])
                #expect(inventory.allSatisfy { $0.id == nil && $0.isExposed })
            }
        }
    }

    @Test func `Objects that a killed process left half written do not stand in the way`() async throws {
        let fixture = try SoftHSMFixture.shared()
        let directory = try makeToken("half written")
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: try fixture.copyOfModule("half-written"),
            token: .label("half written"))
        let device = try TestDevice(configuration, pin: "1234")
        let key = try await device.whileConnected { store async throws in
            // Where an object is cut decides what SoftHSM still shows of it: with labels as short as these, no CKA_ID.
            let key = try await store.generateKey(ConformanceKeys.request(label: "whole"))
            // Of another key and of the canary only the first half remains, and of a third nothing.
            _ = try await store.generateKey(ConformanceKeys.request(label: "half"))
            return key
        }
        let objects = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".object") && $0 != "token.object" }
        #expect(objects.count == 3)
        for name in objects {
            let file = URL(fileURLWithPath: "\(directory)/\(name)")
            let contents = try Data(contentsOf: file)
            let copy = URL(fileURLWithPath: "\(directory)/\(UUID().uuidString.lowercased()).object")
            try contents.prefix(contents.count / 2).write(to: copy)
        }
        try Data().write(to: URL(fileURLWithPath: "\(directory)/\(UUID().uuidString.lowercased()).object"))
        // A module that has just started reads the files.
        #expect(try Module.load(path: configuration.modulePath).restartIfIdle())
        try await device.whileConnected { store async throws in
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1])
            #expect(try await store.inventory()?.filter { $0.id == key.id }.count == 1)
            _ = try await store.generateKey(ConformanceKeys.request())
            #expect(!device.events.contains(.sick))
        }
    }

    /// Makes a token with the PIN 1234 and tells its directory.
    private func makeToken(_ label: String) throws -> String {
        let fixture = try SoftHSMFixture.shared()
        let before = try Set(FileManager.default.contentsOfDirectory(atPath: fixture.tokenDirectory))
        try fixture.initializeToken(label: label, pin: "1234")
        let after = try Set(FileManager.default.contentsOfDirectory(atPath: fixture.tokenDirectory))
        let name = try #require(after.subtracting(before).first)
        return "\(fixture.tokenDirectory)/\(name)"
    }
}
