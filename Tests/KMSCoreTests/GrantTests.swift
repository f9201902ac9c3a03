import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import Testing

struct GrantTests {
    let bob = RequestContext(caller: People.bob, region: "eu-central-1")
    let carol = RequestContext(caller: People.carol, region: "eu-central-1")

    @Test func `A grant holds for the very next request, and so does its end`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        for _ in 0..<20 {
            let id = try await grant(kms, key, to: People.bob).grantId ?? ""
            _ = try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            try await kms.service.revokeGrant(.init(grantId: id, keyId: key), kms.context)
            let answer = await refusal {
                try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            }
            #expect(answer?.code == .accessDenied)
        }
    }

    @Test func `The same name and parameters give the same grant and another token; a difference gives another grant`()
        async throws
    {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let first = try await grant(kms, key, to: People.bob, name: "one")
        let same = try await grant(kms, key, to: People.bob, name: "one")
        let other = try await grant(kms, key, to: People.carol, name: "one")
        #expect(first.grantId == same.grantId)
        #expect(first.grantToken != same.grantToken)
        #expect(first.grantId != other.grantId)
        #expect(try await kms.service.listGrants(.init(keyId: key), kms.context).grants?.count == 2)
    }

    @Test func `A token is checked; that of a grant that is gone is unknown`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let made = try await grant(kms, key, to: People.bob)
        let token = made.grantToken ?? ""
        _ = try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x"), grantTokens: [token]), bob)
        var bytes = Array(token.utf8)
        bytes[20] = bytes[20] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        let forged = Text(String(decoding: bytes, as: UTF8.self))
        try await kms.service.retireGrant(.init(grantToken: token), kms.context)
        for token in [token, forged, "AAAA", "not base64"] {
            let answer = await refusal {
                try await kms.service.encrypt(
                    .init(keyId: key, plaintext: secret("x"), grantTokens: [token]), kms.context)
            }
            #expect(answer?.code == .invalidGrantToken)
        }
    }

    @Test func `Who may create grants only by a grant may not create wider ones`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let arn = Text("arn:aws:kms:eu-central-1:111111111111:key/\(key)")
        _ = try await kms.service.createGrant(
            .init(
                keyId: key, operations: [.encrypt, .createGrant],
                constraints: .init(encryptionContextSubset: ["team": "red"]), granteePrincipal: People.bob.arn),
            kms.context)
        func child(_ operations: [GrantOperation], _ constraints: GrantConstraints?) async -> KMSError? {
            await refusal {
                try await kms.service.createGrant(
                    .init(
                        keyId: arn, operations: operations, constraints: constraints,
                        granteePrincipal: People.carol.arn), bob)
            }
        }
        #expect(await child([.encrypt], nil)?.code == .accessDenied)
        #expect(
            await child([.encrypt, .decrypt], .init(encryptionContextSubset: ["team": "red"]))?.code == .accessDenied)
        #expect(await child([.encrypt], .init(encryptionContextSubset: ["team": "blue"]))?.code == .accessDenied)
        #expect(await child([.encrypt], .init(encryptionContextSubset: ["team": "red", "a": "b"])) == nil)
        #expect(await child([.encrypt], .init(encryptionContextEquals: ["team": "red"])) == nil)
        // The grant of the child works, with its constraint, and in the account that never had a policy for it.
        _ = try await kms.service.encrypt(
            .init(keyId: arn, plaintext: secret("x"), encryptionContext: ["team": "red"]), carol)
        let without = await refusal {
            try await kms.service.encrypt(.init(keyId: arn, plaintext: secret("x")), carol)
        }
        #expect(without?.code == .accessDenied)
    }

    @Test func `Retiring is for the retiring principal, the grantee whom the grant lets, and the account that made it`()
        async throws
    {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let arn = Text("arn:aws:kms:eu-central-1:111111111111:key/\(key)")
        let plain = try await grant(kms, key, to: People.carol)
        for stranger in [bob, carol] {
            let answer = await refusal {
                try await kms.service.retireGrant(.init(grantId: plain.grantId, keyId: arn), stranger)
            }
            #expect(answer?.code == .accessDenied)
        }
        #expect(try await kms.service.listGrants(.init(keyId: key), kms.context).grants?.count == 1)
        let byGrantee = try await kms.service.createGrant(
            .init(keyId: key, operations: [.encrypt, .retireGrant], granteePrincipal: People.bob.arn), kms.context)
        try await kms.service.retireGrant(.init(grantToken: byGrantee.grantToken), bob)
        let byRetiring = try await kms.service.createGrant(
            .init(
                keyId: key, operations: [.encrypt], granteePrincipal: People.alice.arn,
                retiringPrincipal: People.carol.arn), kms.context)
        #expect(
            try await kms.service.listRetirableGrants(.init(retiringPrincipal: People.carol.arn), carol)
                .grants?.map(\.grantId) == [byRetiring.grantId])
        try await kms.service.retireGrant(.init(grantToken: byRetiring.grantToken), carol)
        #expect(
            try await kms.service.listRetirableGrants(.init(retiringPrincipal: People.carol.arn), carol).grants?.isEmpty
                == true)
        try await kms.service.retireGrant(.init(grantId: plain.grantId, keyId: arn), kms.context)
        #expect(try await kms.service.listGrants(.init(keyId: key), kms.context).grants?.isEmpty == true)
    }

    @Test func `Grants survive a restart, page completely, and go with their key`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        var made: Set<Text> = []
        for _ in 0..<7 { made.insert(try await grant(kms, key, to: People.bob).grantId ?? "") }
        let again = try await Installation(at: kms.directory)
        var found: [Text] = []
        var marker: Text?
        repeat {
            let page = try await again.service.listGrants(.init(keyId: key, limit: 3, marker: marker), kms.context)
            found += page.grants?.compactMap(\.grantId) ?? []
            marker = page.nextMarker
        } while marker != nil
        #expect(found.count == 7)
        #expect(Set(found) == made)
        _ = try await again.service.scheduleKeyDeletion(.init(keyId: key, pendingWindowInDays: 7), kms.context)
        _ = try await again.service.advanceClock(bySeconds: 8 * 86_400)
        #expect(try again.store.load().grants.isEmpty)
    }

    @Test func `What a grant cannot be is refused and leaves none`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let cases: [(CreateGrantRequest, KMSErrorCode)] = [
            (.init(keyId: key, operations: [.sign], granteePrincipal: People.bob.arn), .validation),
            (
                .init(keyId: key, operations: [.encrypt], granteePrincipal: "arn:aws:iam::111111111111:user/nobody"),
                .invalidArn
            ),
            (.init(keyId: key, operations: [.encrypt], granteePrincipal: "*"), .invalidArn),
            (
                .init(keyId: key, operations: [.encrypt], granteePrincipal: "arn:aws:iam::333333333333:root"),
                .invalidArn
            ),
            (.init(keyId: key, operations: [.encrypt]), .validation),
            (
                .init(keyId: key, operations: [.encrypt], granteeServicePrincipal: "s3.amazonaws.com"),
                .unsupportedOperation
            ),
            (
                .init(keyId: key, operations: [.encrypt], dryRun: true, granteePrincipal: People.bob.arn),
                .dryRunOperation
            ),
        ]
        for (request, code) in cases {
            #expect(await refusal { try await kms.service.createGrant(request, kms.context) }?.code == code)
        }
        #expect(try await kms.service.listGrants(.init(keyId: key), kms.context).grants?.isEmpty == true)
    }

    @Test(arguments: ["cn-north-1", "us-gov-west-1"])
    func `Accounts are the same in every partition`(region: String) async throws {
        let kms = try await Installation()
        let alice = RequestContext(caller: People.alice, region: region)
        let carol = RequestContext(caller: People.carol, region: region)
        let key = try await kms.service.createKey(.init(), alice).keyMetadata?.arn ?? ""
        let made = try await kms.service.createGrant(
            .init(keyId: key, operations: [.encrypt], granteePrincipal: "222222222222"), alice)
        _ = try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), carol)
        try await kms.service.retireGrant(.init(grantId: made.grantId, keyId: key), alice)
        #expect(try await kms.service.listGrants(.init(keyId: key), alice).grants?.isEmpty == true)
    }

    @Test func `A token is for the Region of its grant`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let token = try await grant(kms, key, to: People.bob).grantToken
        let elsewhere = RequestContext(caller: People.alice, region: "us-east-1")
        let answer = await refusal { try await kms.service.retireGrant(.init(grantToken: token), elsewhere) }
        #expect(answer?.code == .invalidGrantToken)
        try await kms.service.retireGrant(.init(grantToken: token), kms.context)
    }

    private func grant(
        _ kms: Installation, _ key: Text, to grantee: Principal, name: Text? = nil
    ) async throws -> CreateGrantResponse {
        try await kms.service.createGrant(
            .init(keyId: key, operations: [.encrypt], granteePrincipal: grantee.arn, name: name), kms.context)
    }
}
