internal import Cryptography
internal import KeyStorePKCS11
internal import PKCS11
internal import SecureMemory

// Decodes blocks of one class, so that scripts/check-constant-time can count the instructions:
//
//   constant-time sha1|sha256 CLASS
//
// Only what happens inside `measuredDecode` is counted.

/// RFC 8017 §7.1.1, step 2, with one thing wrong.
enum BlockClass: String, CaseIterable {
    case firstByte = "a first byte that is not zero"
    case labelStart = "a hash of the label that differs in its first byte"
    case labelEnd = "a hash of the label that differs in its last byte"
    case earlyPadding = "a byte of the padding that is not zero, at its start"
    case latePadding = "a byte of the padding that is not zero, at its end"
    case noSeparator = "zeros to the end"
    case wrongSeparator = "another separator"
    case everything = "all of it"
    case random = "random bytes"
}

let blockByteCount = 256
let rounds = 50

func block(_ kind: BlockClass, _ hash: HashFunction, round: Int) throws -> SecretBytes {
    let count = hash.byteCount
    var generator = SystemRandomNumberGenerator()
    let message = (0..<32).map { UInt8(truncatingIfNeeded: $0 &+ round) }
    var data = try hash.digest([UInt8]().span)
    data += [UInt8](repeating: 0, count: blockByteCount - message.count - 2 * count - 2) + [1] + message
    var first: UInt8 = 0
    let separator = data.count - message.count - 1
    switch kind {
    case .firstByte: first = UInt8.random(in: 1...255, using: &generator)
    case .labelStart: data[0] ^= UInt8.random(in: 1...255, using: &generator)
    case .labelEnd: data[count - 1] ^= UInt8.random(in: 1...255, using: &generator)
    case .earlyPadding: data[count] = UInt8.random(in: 2...255, using: &generator)
    case .latePadding: data[separator - 1] = UInt8.random(in: 2...255, using: &generator)
    case .noSeparator: for index in count..<data.count { data[index] = 0 }
    case .wrongSeparator: data[separator] = UInt8.random(in: 2...255, using: &generator)
    case .everything:
        first = 1
        for index in data.indices { data[index] = 0xff }
    case .random:
        first = UInt8.random(in: 0...255, using: &generator)
        data = try SystemRandom.bytes(data.count)
    }
    let seed = try SystemRandom.bytes(count)
    let maskedData = zip(data, try mask(seed, data.count, hash)).map { $0 ^ $1 }
    let maskedSeed = zip(seed, try mask(maskedData, count, hash)).map { $0 ^ $1 }
    let whole = [first] + maskedSeed + maskedData
    return SecretBytes(copying: whole.span)
}

/// MGF1 (RFC 8017 §B.2.1).
func mask(_ seed: [UInt8], _ count: Int, _ hash: HashFunction) throws -> [UInt8] {
    var mask: [UInt8] = []
    var counter: UInt8 = 0
    while mask.count < count {
        mask += try hash.digest((seed + [0, 0, 0, counter]).span)
        counter += 1
    }
    return Array(mask.prefix(count))
}

@inline(never)
func measuredDecode(_ block: SecretBytes, _ hash: MechanismHash) throws(CryptographyError) -> Bool {
    try OAEPDecoding.decode(block, hash: hash) != nil
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--list" {
    for kind in BlockClass.allCases { print(kind.rawValue) }
} else if let hash = arguments.first, let kind = arguments.dropFirst().first.flatMap(BlockClass.init) {
    let mechanismHash: MechanismHash = hash == "sha1" ? .sha1 : .sha256
    let function: HashFunction = hash == "sha1" ? .sha1 : .sha256
    // What is done once in a process is done before anything is counted.
    _ = try OAEPDecoding.decode(block(.firstByte, function, round: 0), hash: mechanismHash)
    for round in 0..<rounds {
        let made = try block(kind, function, round: round)
        let isTaken = try measuredDecode(made, mechanismHash)
        precondition(!isTaken, "a wrong block is taken")
    }
} else {
    print("usage: constant-time sha1|sha256 CLASS, or constant-time --list")
}
