import SecureMemory
import Testing

@Suite struct ConstantTimeTests {
    @Test func `Equal bytes are equal`() {
        let bytes = (0..<255).map { UInt8($0) }
        #expect(areEqual(bytes, Array(bytes)))
        #expect(areEqual([], []))
    }

    @Test func `Every single changed bit is noticed`() {
        let bytes: [UInt8] = (0..<32).map { UInt8($0 * 8 % 251) }
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!areEqual(bytes, changed), "bit \(bit)")
        }
    }

    @Test func `Another length is never equal`() {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(!areEqual(bytes, [1, 2]))
        #expect(!areEqual(bytes, [1, 2, 3, 0]))
        #expect(!areEqual(bytes, []))
    }

    @Test func `Wiping clears every byte and keeps the length`() {
        var bytes = [UInt8](repeating: 0xa5, count: 4_097)
        wipe(&bytes)
        #expect(bytes == [UInt8](repeating: 0, count: 4_097))
        var none: [UInt8] = []
        wipe(&none)
        #expect(none.isEmpty)
    }

    @Test func `Wiping acts on the array's own storage`() {
        var bytes = [UInt8](repeating: 0xa5, count: 64)
        bytes.reserveCapacity(128)
        let before = unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        wipe(&bytes)
        let after = unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(before == after)
    }

    // `#expect` cannot take an expression apart that has a `Span` in it.
    private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool { constantTimeEquals(left.span, right.span) }
}
