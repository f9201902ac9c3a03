import KMSModel
import KMSPolicy
import Testing

struct `The index of grants` {
    private static let operations: [GrantOperation] = [.encrypt, .decrypt, .describeKey, .retireGrant, .createGrant]

    /// Two grants are alike when no request can tell them apart.
    private struct Likeness: Hashable {
        let grantee: Text
        let equals: [Text: Text]?
        let subset: [Text: Text]?

        init(_ grant: Grant, for operation: GrantOperation) {
            grantee = grant.granteePrincipal
            // Constraints do not count for these.
            let hasConstraints = operation != .describeKey && operation != .retireGrant
            equals = hasConstraints ? grant.encryptionContextEquals : nil
            // A subset constraint beside a stricter one, or an empty one, says nothing more.
            let subset = grant.encryptionContextSubset
            self.subset = hasConstraints && equals == nil && subset?.isEmpty == false ? subset : nil
        }
    }

    @Test(arguments: UInt64(1)...40)
    func `finds a grant exactly where a search over all grants does`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        var index = GrantIndex()
        var all: [String: Grant] = [:]
        for step in 0..<200 {
            if situations.chance(0.7) || all.isEmpty {
                // Sometimes an id that is there already.
                let id = "g\(situations.chance(0.1) ? step / 2 : step)"
                let grant = situations.grant(id, to: GeneratedSituations.grantees, Self.operations)
                index.insert(grant)
                all[id] = grant
            } else {
                let id = situations.one(of: all.keys.sorted())
                index.remove(id)
                all[id] = nil
            }
            guard step % 10 == 9 else { continue }
            for _ in 0..<10 {
                let principal = try situations.principal()
                let context = situations.chance(0.9) ? situations.encryptionContext() : nil
                let operation = situations.one(of: Self.operations)
                let wanted = all.values.filter {
                    principal.grantARNs.contains($0.granteePrincipal)
                        && $0.covers(operation, encryptionContext: context)
                }
                let found = index.candidates(for: principal, operation: operation, encryptionContext: context)
                #expect(found.allSatisfy { $0.covers(operation, encryptionContext: context) })
                #expect(found.allSatisfy { all[$0.id] == $0 })
                guard operation != .createGrant else {
                    #expect(Set(found) == Set(wanted))
                    continue
                }
                let likenesses = found.map { Likeness($0, for: operation) }
                #expect(Set(likenesses) == Set(wanted.map { Likeness($0, for: operation) }))
                // One of each, and that the one with the lowest id.
                #expect(Set(likenesses).count == likenesses.count)
                for grant in found {
                    let alike = wanted.filter {
                        Likeness($0, for: operation) == Likeness(grant, for: operation)
                    }
                    #expect(alike.map(\.id).min() == grant.id)
                }
            }
        }
    }

    @Test(arguments: UInt64(1)...40)
    func `finds a parent exactly where a search over all grants does`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        var index = GrantIndex()
        var all: [Grant] = []
        for number in 0..<30 {
            let grant = situations.grant("g\(number)", to: GeneratedSituations.grantees, Self.operations)
            index.insert(grant)
            all.append(grant)
        }
        for _ in 0..<50 {
            let principal = try situations.principal()
            let child = situations.grant("child", to: GeneratedSituations.grantees, [.encrypt, .decrypt])
            let wanted = all.filter {
                principal.grantARNs.contains($0.granteePrincipal) && $0.operations.contains(.createGrant)
                    && $0.contains(child: child)
            }
            let found = index.parents(of: child, for: principal)
            #expect(found.isEmpty == wanted.isEmpty)
            #expect(found.allSatisfy { wanted.contains($0) })
            #expect(Set(found.map(\.id)).count == found.count)
        }
    }

    @Test
    func `pages over ids in their order, also behind one that is gone`() {
        var situations = GeneratedSituations(seed: 1)
        var index = GrantIndex()
        for id in ["c", "a", "e", "b", "d"] {
            index.insert(situations.grant(id, to: GeneratedSituations.grantees, [.encrypt]))
        }
        #expect(index.ids(after: nil, limit: 2) == ["a", "b"])
        #expect(index.ids(after: "b", limit: 2) == ["c", "d"])
        index.remove("b")
        #expect(index.ids(after: "b", limit: 9) == ["c", "d", "e"])
        #expect(index.ids(after: "e", limit: 9) == [])
        #expect(index.ids(after: nil, limit: 0) == [])
        #expect(index.count == 4)
    }

    @Test
    func `finds by id, name and grantee, and forgets what is removed`() {
        var index = GrantIndex()
        let first = Self.grant("a", name: "n", to: "arn:aws:iam::111122223333:user/alice")
        let second = Self.grant("b", name: "n", to: "arn:aws:iam::111122223333:role/deploy")
        index.insert(second)
        index.insert(first)
        #expect(index.grant("a") == first)
        #expect(index.first(named: "n") { _ in true } == first)
        #expect(index.first(named: "n") { $0 != first } == second)
        #expect(index.granted(to: first.granteePrincipal) == [first])
        #expect(index.ids(grantedTo: first.granteePrincipal, after: nil, limit: 2) == ["a"])
        #expect(index.ids(grantedTo: first.granteePrincipal, after: "a", limit: 2) == [])
        index.remove("a")
        index.remove("a")
        #expect(index.grant("a") == nil)
        #expect(index.first(named: "n") { _ in true } == second)
        #expect(index.granted(to: first.granteePrincipal) == [])
        #expect(index.count == 1)
    }

    @Test
    func `replaces a grant of the same id`() {
        var index = GrantIndex()
        index.insert(Self.grant("a", name: "old", to: "arn:aws:iam::111122223333:user/alice"))
        let new = Self.grant("a", name: "new", to: "arn:aws:iam::111122223333:role/deploy")
        index.insert(new)
        #expect(index.first(named: "old") { _ in true } == nil)
        #expect(index.first(named: "new") { _ in true } == new)
        #expect(index.granted(to: "arn:aws:iam::111122223333:user/alice") == [])
        #expect(index.count == 1)
    }

    private static func grant(_ id: String, name: Text, to grantee: Text) -> Grant {
        Grant(
            id: id, name: name, granteePrincipal: grantee, retiringPrincipal: nil, operations: [.encrypt],
            encryptionContextEquals: nil, encryptionContextSubset: nil,
            issuingAccount: "arn:aws:iam::111122223333:root", creationDate: CaseTable.time)
    }
}
