import Foundation
import KMSModel
import KMSPolicy
import Testing

/// Whatever the text, reading it ends with a policy or a refusal; and a policy that was read is printed as a text that
/// means the same.
@Suite struct PolicyFuzzTests {
    private static let kinds: [PolicyDocument.Kind] = [.keyPolicy, .identityPolicy, .trustPolicy]

    /// STRONGROOM_FUZZ_ITERATIONS asks for more than the few seconds of every test run.
    private static let iterations =
        ProcessInfo.processInfo.environment["STRONGROOM_FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 20_000

    /// - Returns: whether it was taken.
    private func check(_ text: Text, _ kind: PolicyDocument.Kind) -> Bool {
        let printed = PolicyDocument.prettyPrinted(text)
        do {
            let tree = try JSONTree(parsing: text)
            let again = try? JSONTree(parsing: printed)
            #expect(again == tree, "\(text)")
        } catch {
            #expect(printed == text)
        }
        do {
            let document = try PolicyDocument(parsing: text, as: kind)
            let again = try? PolicyDocument(parsing: printed, as: kind)
            #expect(again == document, "\(kind): \(text)")
            #expect(!document.statements.isEmpty)
            return true
        } catch {
            #expect(error.description.utf8.count < 1000, "\(text)")
            return false
        }
    }

    @Test(.timeLimit(.minutes(60)), arguments: [PolicyDocument.Kind.keyPolicy, .identityPolicy, .trustPolicy])
    func `Texts that are almost policies are read or refused`(_ kind: PolicyDocument.Kind) throws {
        let (seed, seeds): (UInt64, [Text]) =
            switch kind {
            case .keyPolicy: (1, Examples.keyPolicies)
            case .identityPolicy: (2, Examples.identityPolicies)
            case .trustPolicy: (3, Examples.trustPolicies)
            }
        var mutator = try PolicyMutator(seed: seed, seeds: seeds)
        var taken = 0
        let count = max(1000, Self.iterations / Self.kinds.count)
        for _ in 0..<count where check(mutator.next(), kind) { taken += 1 }
        #expect(taken > count / 100, "mutations that are all refused test little")
        #expect(taken < count * 9 / 10, "mutations that are all taken test little")
    }

    /// Texts as long as the service model allows, and nested ones that are longer.
    private static let large: [(name: String, text: @Sendable () -> String)] = {
        let size = 131_072
        func filled(_ start: String, _ piece: @escaping @Sendable (Int) -> String, _ end: String)
            -> @Sendable () -> String
        {
            {
                var text = start
                var number = 0
                while text.utf8.count + end.utf8.count < size - 200 {
                    if number > 0 { text += "," }
                    text += piece(number)
                    number += 1
                }
                return text + end
            }
        }
        let head = #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*""#
        return [
            ("arrays", { String(repeating: "[", count: 100_000) }),
            ("closed arrays", { String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) }),
            ("objects", { String(repeating: #"{"a":"#, count: 100_000) }),
            ("statements in statements", { String(repeating: #"{"Statement":["#, count: 100_000) }),
            ("one string", { #"{"Id":""# + String(repeating: "a", count: size) + #""}"# }),
            ("escapes", { #"{"Id":""# + String(repeating: #"\u0041"#, count: size / 6) + #""}"# }),
            ("an open string", { "\"" + String(repeating: #"\\"#, count: size / 2) }),
            ("a number", { #"{"Id":"# + String(repeating: "9", count: size) + "}" }),
            ("white space", { String(repeating: " ", count: size) }),
            ("NUL", { String(repeating: "\u{0}", count: size) }),
            ("unknown elements", filled("{", { #""e\#($0)":0"# }, "}")),
            ("empty statements", filled(#"{"Statement":["#, { _ in "{}" }, "]}")),
            ("statements", filled(#"{"Statement":["#, { _ in String(head.dropFirst(13)) + "}" }, "]}")),
            (
                "Sids",
                filled(
                    #"{"Statement":["#, { #"{"Sid":"\#($0)","Effect":"Deny","Action":"*","Resource":"*"}"# }, "]}")
            ),
            (
                "principals",
                filled(
                    #"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Principal":{"AWS":["#,
                    { #""arn:aws:iam::111122223333:user/u\#($0)""# }, "]}}}")
            ),
            (
                "actions",
                filled(
                    #"{"Statement":{"Effect":"Deny","Principal":"*","Resource":"*","Action":["#,
                    { #""kms:*a*b*c*\#($0)""# }, "]}}")
            ),
            (
                "resources",
                filled(
                    #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":["#,
                    { #""arn:aws:kms:*:*:key/*\#($0)*""# }, "]}}")
            ),
            (
                "one pattern",
                {
                    #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:kms:*:*:"#
                        + String(repeating: "*a", count: size / 2 - 100) + #""}}"#
                }
            ),
            (
                "condition values",
                filled(head + #","Condition":{"StringLike":{"aws:PrincipalArn":["#, { #""*\#($0)*""# }, "]}}}}")
            ),
            (
                "condition keys",
                filled(head + #","Condition":{"StringLike":{"#, { #""kms:EncryptionContext:\#($0)":"x""# }, "}}}}")
            ),
            (
                "variables",
                {
                    #"{"Version":"2012-10-17","# + head.dropFirst() + #","Condition":{"StringEquals":{"aws:username":""#
                        + String(repeating: "${aws:username}", count: 8000) + #""}}}}"#
                }
            ),
            (
                "open variables",
                {
                    #"{"Version":"2012-10-17","# + head.dropFirst() + #","Condition":{"StringEquals":{"aws:username":""#
                        + String(repeating: "${", count: 60_000) + #""}}}}"#
                }
            ),
        ]
    }()

    @Test(.timeLimit(.minutes(2)), arguments: Self.large.indices)
    func `Long and deep texts are read or refused without delay`(_ index: Int) {
        let text = Text(Self.large[index].text())
        let taken = Self.kinds.contains { check(text, $0) }
        let takenOnes: Set<String> = [
            "statements", "Sids", "principals", "actions", "resources", "one pattern", "condition values",
            "condition keys", "variables",
        ]
        #expect(taken == takenOnes.contains(Self.large[index].name), "\(Self.large[index].name)")
    }
}
