import SecureMemory
import Testing

@Suite struct SecretBytesTests {
    private struct Refusal: Error {}

    @Test func `A copy holds the bytes it was made from`() {
        let secret = SecretBytes(copying: [1, 2, 3].span)
        #expect(secret.count == 3)
        #expect(bytes(of: secret) == [1, 2, 3])
    }

    @Test func `An empty secret can be made and read`() {
        let secret = SecretBytes(copying: [UInt8]().span)
        #expect(secret.count == 0)
        #expect(bytes(of: secret) == [])
    }

    @Test func `The count is what was filled, not the capacity`() {
        let secret = SecretBytes(capacity: 64) { output in
            for byte: UInt8 in 0..<5 { output.append(byte) }
        }
        #expect(secret.count == 5)
        #expect(bytes(of: secret) == [0, 1, 2, 3, 4])
    }

    @Test func `The source may change after the copy`() {
        var source: [UInt8] = [9, 9, 9]
        let secret = SecretBytes(copying: source.span)
        wipe(&source)
        #expect(source == [0, 0, 0])
        #expect(bytes(of: secret) == [9, 9, 9])
    }

    @Test func `An error thrown while filling comes out unchanged`() {
        #expect(throws: Refusal.self) {
            _ = try SecretBytes(capacity: 32) { output throws(Refusal) in
                output.append(0x5a)
                throw Refusal()
            }
        }
    }

    @Test func `An error thrown while reading comes out unchanged`() {
        let secret = SecretBytes(copying: [1].span)
        #expect(throws: Refusal.self) {
            try secret.withBytes { _ throws(Refusal) in throw Refusal() }
        }
    }

    @Test func `Descriptions, dumps and mirrors show no byte`() {
        let secret = SecretBytes(copying: Array("hunter2-hunter2".utf8).span)
        var dumped = ""
        dump(secret, to: &dumped)
        var nested = ""
        dump(["pin": secret], to: &nested)
        let shown = [dumped, nested, "\(secret)", String(reflecting: secret), "\([secret])"]
        for text in shown {
            #expect(!text.contains("hunter"))
            #expect(!text.contains("104"), "decimal byte of the secret in \(text)")
            #expect(!text.contains("base"))
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.customMirror.children.isEmpty)
    }

    @Test func `Secrets are shared between tasks without being copied or changed`() async {
        let expected = (0..<1_024).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let secret = SecretBytes(copying: expected.span)
        let agreements = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { secret.withBytes { constantTimeEquals($0, expected.span) } }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(agreements == 16)
    }

    private func bytes(of secret: SecretBytes) -> [UInt8] {
        secret.withBytes { span in span.indices.map { span[$0] } }
    }
}
