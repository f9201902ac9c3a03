internal import CPKCS11
internal import Glibc
internal import SecureMemory

/// A template as C wants it: the CK_ATTRIBUTE array and all values behind it in one aligned allocation, which lives
/// for the time of one call and is wiped after it, whatever the call did.
@safe
struct AttributeArena: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let count: Int

    private static let alignment = 16

    /// The values of `template`, for C_CreateObject and its like.
    init(_ template: [Attribute]) {
        self.init(types: template.map(\.type), lengths: template.map(\.value.byteCount))
        for index in template.indices {
            guard let target = unsafe attributes[index].pValue else { continue }
            let value = template[index].value
            unsafe value.write(to: target)
        }
    }

    /// Room for values that C_GetAttributeValue writes.
    init(types: [AttributeType], lengths: [Int]) {
        count = types.count
        var offset = unsafe Self.padded(count * MemoryLayout<CK_ATTRIBUTE>.stride)
        var offsets: [Int] = []
        for length in lengths {
            offsets.append(offset)
            offset += Self.padded(length)
        }
        byteCount = max(offset, Self.alignment)
        unsafe base = .allocate(byteCount: byteCount, alignment: Self.alignment)
        unsafe memset(base, 0, byteCount)
        for index in types.indices {
            // An empty value has no address: some modules take a non-null pointer of length 0 for a query.
            let value = unsafe lengths[index] == 0 ? nil : base + offsets[index]
            unsafe attributes[index] = CK_ATTRIBUTE(
                type: types[index].rawValue, pValue: value, ulValueLen: CK_ULONG(lengths[index]))
        }
    }

    private var attributes: UnsafeMutablePointer<CK_ATTRIBUTE> {
        unsafe base.assumingMemoryBound(to: CK_ATTRIBUTE.self)
    }

    /// Lends the array and its length for the time of one call.
    func withAttributes<R>(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>, CK_ULONG) -> R) -> R {
        unsafe body(attributes, CK_ULONG(count))
    }

    /// The length that C wrote into the attribute at `index`; nil where it wrote CK_UNAVAILABLE_INFORMATION or
    /// something larger than any attribute.
    func writtenLength(at index: Int) -> Int? {
        let length = unsafe attributes[index].ulValueLen
        return length <= CK_ULONG(Self.longestValue) ? Int(length) : nil
    }

    /// The first `length` bytes of the value at `index`.
    func bytes(at index: Int, length: Int) -> [UInt8] {
        guard length > 0, let value = unsafe attributes[index].pValue else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: value, count: length))
    }

    /// The same as a secret.
    func secret(at index: Int, length: Int) -> SecretBytes {
        guard length > 0, let value = unsafe attributes[index].pValue else { return SecretBytes(capacity: 0) { _ in } }
        let bytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
        return SecretBytes(capacity: length) { output in
            for offset in 0..<length { unsafe output.append(bytes[offset]) }
        }
    }

    deinit {
        unsafe explicit_bzero(base, byteCount)
        unsafe base.deallocate()
    }

    /// No attribute that we read is longer; a module that says otherwise is not believed.
    static let longestValue = 1 << 16

    private static func padded(_ length: Int) -> Int { (length + alignment - 1) & ~(alignment - 1) }
}

extension Attribute.Value {
    fileprivate var byteCount: Int {
        switch self {
        case .flag: MemoryLayout<CK_BBOOL>.size
        case .number: MemoryLayout<CK_ULONG>.size
        case .bytes(let bytes): bytes.count
        case .secret(let secret): secret.count
        }
    }

    /// Writes `byteCount` bytes.
    fileprivate func write(to target: UnsafeMutableRawPointer) {
        switch self {
        case .flag(let flag):
            unsafe target.storeBytes(of: flag ? 1 : 0, as: CK_BBOOL.self)
        case .number(let number):
            unsafe target.storeBytes(of: number, as: CK_ULONG.self)
        case .bytes(let bytes):
            unsafe bytes.withUnsafeBytes {
                unsafe target.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: $0.count)
            }
        case .secret(let secret):
            secret.withBytes { span in
                for index in span.indices {
                    unsafe target.storeBytes(of: span[index], toByteOffset: index, as: UInt8.self)
                }
            }
        }
    }
}
