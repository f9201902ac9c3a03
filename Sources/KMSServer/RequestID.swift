import Cryptography

/// The id of a request, as `x-amzn-RequestId` and the log carry it: a version 4 UUID (RFC 9562 §5.4) in lower case.
enum RequestID {
    // Foundation's UUID opens /dev/urandom each time, which was 4 % of the work of an Encrypt (docs/benchmarks.md).
    static func make() -> String {
        // Ids need not be secret; if libcrypto has no random bytes, signatures and keys fail anyway.
        var bytes = (try? SystemRandom.bytes(16)) ?? [UInt8](repeating: 0, count: 16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
