internal import CPKCS11

/// The attributes of an object, as C wants them.
struct BareTemplate {
    enum Value {
        case flag(Bool)
        case number(UInt)
        case bytes([UInt8])

        fileprivate var bytes: [UInt8] {
            switch self {
            case .flag(let flag): [flag ? 1 : 0]
            case .number(let number): unsafe withUnsafeBytes(of: CK_ULONG(number)) { unsafe [UInt8]($0) }
            case .bytes(let bytes): bytes
            }
        }
    }

    private let attributes: [(type: CK_ATTRIBUTE_TYPE, value: [UInt8])]

    init(_ attributes: [(UInt, Value)]) {
        self.attributes = attributes.map { (CK_ATTRIBUTE_TYPE($0.0), $0.1.bytes) }
    }

    /// What the server's keys are, whatever they are for.
    static let secret: [(UInt, Value)] = [
        (CKA_TOKEN, .flag(true)), (CKA_PRIVATE, .flag(true)), (CKA_SENSITIVE, .flag(true)),
        (CKA_EXTRACTABLE, .flag(false)),
    ]

    /// Lends the template for the time of `body`. Every value begins at a multiple of eight bytes.
    func withAttributes<R>(
        _ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, CK_ULONG) throws -> R
    ) rethrows -> R {
        var values: [UInt8] = []
        var offsets: [Int] = []
        for attribute in attributes {
            offsets.append(values.count)
            values += attribute.value
            values += [UInt8](repeating: 0, count: -values.count & 7)
        }
        return try unsafe values.withUnsafeMutableBytes { values in
            var template = unsafe zip(attributes, offsets).map { attribute, offset in
                unsafe CK_ATTRIBUTE(
                    type: attribute.type, pValue: values.baseAddress.map { unsafe $0 + offset },
                    ulValueLen: CK_ULONG(attribute.value.count))
            }
            return try unsafe template.withUnsafeMutableBufferPointer {
                try unsafe body($0.baseAddress, CK_ULONG($0.count))
            }
        }
    }
}
