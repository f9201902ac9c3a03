import KMSCore
import KMSModel
import KeyStores
import Testing

/// Which imported material becomes what, row by row (KMS API: ImportKeyMaterial).
struct ImportRulesTests {
    private static let (first, second, third) = (
        [UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32), [UInt8](repeating: 3, count: 32)
    )

    private static func key(_ keySpec: KeySpec, _ materials: [([UInt8], KeyMaterialState)]) -> KMSKey {
        KMSKey(
            id: "k", scope: Scope(accountID: "111122223333", region: "eu-central-1"),
            creationDate: .earliest, keySpec: keySpec,
            keyUsage: keySpec == .symmetricDefault ? .encryptDecrypt : .signVerify,
            origin: .external, customKeyStoreID: nil, description: "", status: .enabled, tags: [],
            placement: .software,
            materials: materials.map { id, state in
                var generator = SystemRandomNumberGenerator()
                return KeyMaterial(
                    backingKey: BackingKey(
                        id: BackingKeyID(randomFrom: &generator), keySpec: keySpec, kmsKeyID: "k", reference: []),
                    placement: .software, materialID: id, creationDate: .earliest, state: state,
                    importDetails: .init(state: .imported, description: nil, validTo: nil))
            })
    }

    private static func request(
        _ type: ImportType? = nil, id: [UInt8]? = nil, description: Text? = nil
    ) -> ImportRules.Request {
        ImportRules.Request(
            importType: type,
            keyMaterialID: id.map { $0.map { "0\($0)" }.joined() }, description: description)
    }

    struct Row: Sendable {
        let materials: [([UInt8], KeyMaterialState)]
        let request: ImportRules.Request
        let imported: [UInt8]
        /// Nil expects `error`.
        let verdict: ImportRules.Verdict?
        var error: KMSErrorCode?
    }

    private static let symmetricRows: [Row] = [
        Row(materials: [], request: request(), imported: first, verdict: .first),
        Row(materials: [], request: request(.newKeyMaterial), imported: first, verdict: .first),
        Row(
            materials: [], request: request(.existingKeyMaterial), imported: first, verdict: nil,
            error: .incorrectKeyMaterial),
        Row(materials: [(first, .current)], request: request(), imported: first, verdict: .again(0)),
        Row(
            materials: [(first, .current)], request: request(), imported: second, verdict: nil,
            error: .incorrectKeyMaterial),
        Row(
            materials: [(first, .current)], request: request(.newKeyMaterial), imported: first, verdict: nil,
            error: .incorrectKeyMaterial),
        Row(
            materials: [(first, .current)], request: request(.newKeyMaterial), imported: second,
            verdict: .pendingRotation),
        Row(
            materials: [(first, .current), (second, .pendingRotation)], request: request(.newKeyMaterial),
            imported: third, verdict: nil, error: .kmsInvalidState),
        Row(
            materials: [(first, .current), (second, .pendingRotation)], request: request(.newKeyMaterial),
            imported: second, verdict: nil, error: .incorrectKeyMaterial),
        Row(
            materials: [(first, .current), (second, .pendingRotation)], request: request(), imported: second,
            verdict: .again(1)),
        Row(
            materials: [(first, .nonCurrent), (second, .current)],
            request: request(.existingKeyMaterial, id: first), imported: first, verdict: .again(0)),
        Row(
            materials: [(first, .nonCurrent), (second, .current)],
            request: request(.existingKeyMaterial, id: second), imported: first, verdict: nil,
            error: .incorrectKeyMaterial),
        Row(
            materials: [(first, .nonCurrent), (second, .current)], request: request(id: third), imported: third,
            verdict: nil, error: .incorrectKeyMaterial),
    ]

    @Test(arguments: symmetricRows.indices) func `Symmetric keys`(index: Int) {
        check(Self.symmetricRows[index], .symmetricDefault)
    }

    @Test(arguments: [KeySpec.hmac256, .rsa2048, .eccNistP256])
    func `Other keys take back the same bytes and nothing else, for life`(keySpec: KeySpec) {
        for row in [
            Row(materials: [], request: Self.request(), imported: Self.first, verdict: .first),
            Row(
                materials: [(Self.first, .current)], request: Self.request(), imported: Self.first,
                verdict: .again(0)),
            Row(
                materials: [(Self.first, .current)], request: Self.request(), imported: Self.second, verdict: nil,
                error: .incorrectKeyMaterial),
        ] {
            check(row, keySpec)
        }
    }

    private func check(_ row: Row, _ keySpec: KeySpec) {
        let result = Result { () throws(KMSError) in
            try ImportRules.verdict(on: row.imported, row.request, for: Self.key(keySpec, row.materials))
        }
        switch result {
        case .success(let verdict): #expect(verdict == row.verdict)
        case .failure(let error): #expect(row.verdict == nil && error.code == row.error, "\(error)")
        }
    }

    @Test func `The text about other material that waits is AWS's`() {
        let key = Self.key(.symmetricDefault, [(Self.first, .current), (Self.second, .pendingRotation)])
        #expect {
            try ImportRules.verdict(on: Self.third, Self.request(.newKeyMaterial), for: key)
        } throws: { error in
            let ids = [Self.third, Self.second].map { $0.map { "0\($0)" }.joined() }
            return (error as? KMSError)?.message
                == "New key material (id: \(ids[0])) cannot be imported into KMS key \(key.arn), because another key "
                + "material (id: \(ids[1])) is pending rotation."
        }
    }

    @Test func `A KeyMaterialId goes with existing material only`() {
        let (fresh, used) = (Self.key(.symmetricDefault, []), Self.key(.symmetricDefault, [(Self.first, .current)]))
        #expect(refusal(Self.request(.newKeyMaterial, id: Self.first), used) == .validation)
        #expect(refusal(Self.request(id: Self.first), fresh) == .validation)
        #expect(refusal(Self.request(id: Self.first), used) == nil)
    }

    @Test func `Keys that are not symmetric take no import type, id or description`() {
        let key = Self.key(.eccNistP256, [])
        #expect(refusal(Self.request(.newKeyMaterial), key) == .validation)
        #expect(refusal(Self.request(id: Self.first), key) == .validation)
        #expect(refusal(Self.request(description: "x"), key) == .validation)
        #expect(refusal(Self.request(), key) == nil)
    }

    private func refusal(_ request: ImportRules.Request, _ key: KMSKey) -> KMSErrorCode? {
        do {
            try ImportRules.check(request, for: key)
            return nil
        } catch {
            return error.code
        }
    }
}
