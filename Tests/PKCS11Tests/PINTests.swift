internal import Foundation
internal import KMSTesting
internal import PKCS11
internal import SecureMemory
internal import Testing

@Suite struct PINTests {
    @Test(arguments: [("1234", "1234"), ("1234\n", "1234"), ("1234\r\n", "1234"), (" 12 \n\n", " 12 \n")])
    func `A PIN file loses one line ending and nothing else`(_ text: String, _ pin: String) throws {
        let file = try TestDirectory("pin").write(text, to: "pin")
        #expect(try SecretBytes.pin(file: file).revealed == Array(pin.utf8))
    }

    @Test(arguments: [0o640, 0o604, 0o660])
    func `A PIN file that others may read or write is refused`(_ mode: Int) throws {
        let file = try TestDirectory("pin").write("open sesame", to: "pin", mode: mode)
        let error = #expect(throws: PINUnreadable.self) { try SecretBytes.pin(file: file) }
        #expect(error?.reason.contains("0600") == true)
        #expect(error?.reason.contains("sesame") == false)
    }

    @Test func `A PIN file that is empty, too long, a directory or missing is refused`() throws {
        let directory = try TestDirectory("pin")
        let files = [
            try directory.write("\n", to: "empty"),
            try directory.write(String(repeating: "1", count: 1025), to: "long"), directory.path,
            directory.path + "/missing",
        ]
        for file in files {
            #expect(throws: PINUnreadable.self, "\(file)") { try SecretBytes.pin(file: file) }
        }
    }

    @Test func `A PIN in the environment is taken as it is`() throws {
        #expect(try SecretBytes.pin(environment: "HOME").revealed == Array(NSHomeDirectory().utf8))
        #expect(throws: PINUnreadable.self) { try SecretBytes.pin(environment: "STRONGROOM_NO_SUCH_PIN") }
    }

    @Test func `A user and a password are joined by a colon`() {
        let pin = SecretBytes.pin(user: "kmsuser", password: SecretBytes([0x61, 0x3A]))
        #expect(pin.revealed == Array("kmsuser:a:".utf8))
    }
}
