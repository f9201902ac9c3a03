internal import CPKCS11

/// The 2.40 function list of a loaded library.
@safe
struct FunctionTable: Sendable {
    // Points into the library's own memory, which it fills before C_GetFunctionList returns and never changes, and
    // which stays mapped for the life of the process.
    private nonisolated(unsafe) let list: UnsafeMutablePointer<CK_FUNCTION_LIST>

    static func load(path: String) throws(ModuleLoadFailure) -> FunctionTable {
        strongroom_pkcs11_ignore_sigpipe()
        var reason = [CChar](repeating: 0, count: 512)
        let capacity = UInt(reason.count)
        let loaded = unsafe reason.withUnsafeMutableBufferPointer { buffer in
            unsafe strongroom_pkcs11_load(path, buffer.baseAddress, capacity)
        }
        guard let list = unsafe loaded else {
            let text = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ModuleLoadFailure(.notLoadable, text)
        }
        return unsafe FunctionTable(list: list)
    }

    func with<R>(_ body: (borrowing CK_FUNCTION_LIST) -> R) -> R {
        unsafe body(list.pointee)
    }

    func initialize(reserved: String?) -> ReturnValue {
        guard let reserved else { return unsafe ReturnValue(rawValue: strongroom_pkcs11_initialize(list, nil)) }
        return unsafe reserved.withCString { unsafe ReturnValue(rawValue: strongroom_pkcs11_initialize(list, $0)) }
    }
}
