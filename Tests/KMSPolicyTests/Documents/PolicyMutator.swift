import KMSModel

/// Makes texts that are almost policies, always the same ones for a seed.
struct PolicyMutator {
    private var random: SplitMix64
    private let seeds: [Text]
    private let trees: [JSONTree]

    init(seed: UInt64, seeds: [Text]) throws {
        random = SplitMix64(state: seed)
        self.seeds = seeds
        trees = try seeds.map { try JSONTree(parsing: $0) }
    }

    mutating func next() -> Text {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return mutatedBytes()
        case 1: return mutatedTokens()
        case 2: return written(anyTree(depth: 0))
        case 3: return written(anyPolicy())
        default: return written(mutated(pick(trees)))
        }
    }

    // MARK: Texts

    private mutating func mutatedBytes() -> Text {
        var bytes = Array(pick(seeds).utf8)
        for _ in 0...Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(pick(Array(#"{}[],:"\ *?u0"#.utf8)), at: place)
            case 4: bytes.removeSubrange(place...)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...80, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return Text(String(decoding: bytes, as: UTF8.self))
    }

    private mutating func mutatedTokens() -> Text {
        var tokens = Self.tokens(pick(seeds))
        for _ in 0...Int.random(in: 0..<3, using: &random) where !tokens.isEmpty {
            let place = Int.random(in: 0..<tokens.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: tokens.remove(at: place)
            case 1: tokens.swapAt(place, Int.random(in: 0..<tokens.count, using: &random))
            case 2: tokens[place] = pick(tokens)
            default: tokens.insert(pick(Self.oddTokens), at: place)
            }
        }
        return Text(tokens.joined())
    }

    private static let oddTokens = [
        "{", "}", "[", "]", ",", ":", "null", "true", "-1.5e3", "1e999", "\"\"", #""\ud800""#, #""\u0000""#, "\u{0}",
        "\"", #""*""#, #""Deny""#, "[]", "{}", "\u{FEFF}", "\u{2028}",
    ]

    /// Strings, and all other characters one by one.
    private static func tokens(_ text: Text) -> [String] {
        var tokens: [String] = []
        var string: String?
        for scalar in text.string.unicodeScalars {
            if let begun = string {
                string = begun + String(scalar)
                if scalar == "\"" {
                    tokens.append(begun + "\"")
                    string = nil
                }
            } else if scalar == "\"" {
                string = "\""
            } else {
                tokens.append(String(scalar))
            }
        }
        return tokens
    }

    // MARK: Trees

    private static let words: [Text] = [
        "Version", "2012-10-17", "2008-10-17", "Id", "Statement", "Sid", "Effect", "Allow", "Deny", "Principal",
        "NotPrincipal", "AWS", "Service", "Federated", "CanonicalUser", "Action", "NotAction", "Resource",
        "NotResource", "Condition", "*", "", "kms:*", "kms:Encrypt", "kms:Encrpyt", "sts:AssumeRole", "s3:Get?",
        "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/a/b", "arn:aws:iam::111122223333:group/g",
        "arn:aws:sts::111122223333:assumed-role/R/s1", "111122223333", "AIDACKCEVSQ6C2EXAMPLE",
        "ec2.amazonaws.com", "arn:aws:kms:*:*:key/*", "arn:aws:kms:*", "${aws:username}", "${", "${*}", "${a, 'b'}",
        "StringEquals", "StringLike", "NumericLessThan", "DateGreaterThan", "Bool", "IpAddress", "ArnLike", "Null",
        "BinaryEquals", "ForAllValues:StringEquals", "ForAnyValue:StringLike", "StringEqualsIfExists",
        "aws:PrincipalArn", "aws:CurrentTime", "aws:SourceIp", "aws:PrincipalTag/x", "kms:EncryptionContext:a",
        "kms:EncryptionContextKeys", "10.0.0.0/8", "2026-01-01T00:00:00Z", "true", "\u{0}", "e\u{301}", "\u{1F511}",
        "\"\\\n\u{7F}", "999999999999999999999", "*a*a*a*a*b", "????", "::::::",
    ]

    private mutating func anyTree(depth: Int) -> JSONTree {
        switch Int.random(in: 0..<(depth < 6 ? 10 : 6), using: &random) {
        case 0: return .null
        case 1: return .boolean(Bool.random(using: &random))
        case 2: return .number(pick(["0", "-1", "1.5", "1e5", "-0", "99999999999999999999999999", "1E-400"]))
        case 3...5: return .string(pick(Self.words))
        case 6, 7:
            return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in anyTree(depth: depth + 1) })
        default:
            return .object(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    JSONTree.Member(name: pick(Self.words), value: anyTree(depth: depth + 1))
                })
        }
    }

    /// The right elements with any values, so that each of them is reached often.
    private mutating func anyPolicy() -> JSONTree {
        let elements: [Text] = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]
        let statement = elements.map { JSONTree.Member(name: $0, value: element($0)) }
        return .object([
            JSONTree.Member(name: "Version", value: .string("2012-10-17")),
            JSONTree.Member(name: "Statement", value: .object(statement)),
        ])
    }

    private mutating func element(_ name: Text) -> JSONTree {
        if Int.random(in: 0..<12, using: &random) == 0 { return anyTree(depth: 3) }
        switch name {
        case "Effect": return .string(pick(["Allow", "Deny"]))
        case "Principal":
            return .object([JSONTree.Member(name: pick(["AWS", "Service"]), value: .string(pick(Self.words)))])
        case "Condition":
            let key = JSONTree.Member(name: pick(Self.words), value: .string(pick(Self.words)))
            return .object([JSONTree.Member(name: pick(Self.words), value: .object([key]))])
        case "Action": return .string(pick(["kms:*", "*", "kms:Sign", "sts:*", "sts:AssumeRole"]))
        case "Resource": return .string(pick(["*", "arn:aws:kms:*:*:key/*", "arn:aws:s3:::${aws:username}"]))
        default: return .string(pick(Self.words))
        }
    }

    /// One subtree replaced, removed, doubled or renamed.
    private mutating func mutated(_ tree: JSONTree) -> JSONTree {
        switch tree {
        case .object(var members) where !members.isEmpty:
            let index = Int.random(in: 0..<members.count, using: &random)
            let member = members[index]
            switch Int.random(in: 0..<10, using: &random) {
            case 0: members.remove(at: index)
            case 1: members.append(member)
            case 2: members[index] = JSONTree.Member(name: pick(Self.words), value: member.value)
            case 3: members.append(JSONTree.Member(name: pick(Self.words), value: anyTree(depth: 4)))
            case 4: members.swapAt(index, Int.random(in: 0..<members.count, using: &random))
            default: members[index] = JSONTree.Member(name: member.name, value: mutated(member.value))
            }
            return .object(members)
        case .array(var values) where !values.isEmpty:
            let index = Int.random(in: 0..<values.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: values.remove(at: index)
            case 1: values.append(values[index])
            default: values[index] = mutated(values[index])
            }
            return .array(values)
        default:
            return Bool.random(using: &random) ? .string(pick(Self.words)) : anyTree(depth: 4)
        }
    }

    // MARK: Writing

    private mutating func written(_ tree: JSONTree) -> Text {
        var text = ""
        write(tree, to: &text)
        return Text(text)
    }

    private mutating func write(_ tree: JSONTree, to text: inout String) {
        if Int.random(in: 0..<20, using: &random) == 0 { text += pick([" ", "\n", "\t", "\r"]) }
        switch tree {
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                write(.string(member.name), to: &text)
                text += ":"
                write(member.value, to: &text)
            }
            text += "}"
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                write(value, to: &text)
            }
            text += "]"
        case .string(let string):
            text += "\""
            for unit in string.string.utf16 {
                let isPlain = unit >= 0x20 && unit < 0x7F && unit != 0x22 && unit != 0x5C
                if isPlain, Int.random(in: 0..<60, using: &random) > 0, let scalar = Unicode.Scalar(unit) {
                    text.unicodeScalars.append(scalar)
                } else {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                }
            }
            text += "\""
        case .number(let literal): text += literal.string
        case .boolean(let value): text += value ? "true" : "false"
        case .null: text += "null"
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }
}

/// A generator of pseudorandom numbers that starts where a test wants (Steele, Lea, Flood: "Fast Splittable
/// Pseudorandom Number Generators", 2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
