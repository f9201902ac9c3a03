internal import CPKCS11
internal import Dispatch
internal import Foundation
internal import Synchronization

/// A loaded and initialised PKCS#11 module: one per library file in the process.
///
/// C_Initialize and C_Finalize are process-wide, so two owners of one library would finalise under each other. The
/// module is initialised with CKF_OS_LOCKING_OK and never trusts it: one thread per session is what `Session` enforces.
public final class Module: Sendable {
    /// The library file, symbolic links resolved.
    public let path: String
    let functions: FunctionTable
    private let reserved: String?
    private let life = Mutex(Life())

    /// Everything that is inside the module now is counted, so that C_Finalize runs only when nothing is: the count
    /// is the stop-the-world lock, without a lock held over C.
    private struct Life {
        var isInitialized = false
        var isChanging = false
        /// Whether a session has been open since the module started.
        var hasServed = false
        /// Open sessions and calls on slots.
        var occupants = 0
        /// Threads that wait for a change to end.
        var waiting: [DispatchSemaphore] = []
    }

    /// How long a thread waits while another one starts or restarts the module.
    private static let longestWait = DispatchTimeInterval.seconds(10)

    private static let loaded = Mutex<[String: Module]>([:])

    /// Loads and initialises the module, or gives back the one that is loaded already.
    ///
    /// - Parameter reserved: the module's own initialisation string (NSS softoken needs one). It is the same for
    ///   the whole process; another one for a loaded module is refused.
    public static func load(path: String, reserved: String? = nil) throws(ModuleLoadFailure) -> Module {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ModuleLoadFailure(.missingFile, "there is no module file \(path)")
        }
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let module = try loaded.withLock { loaded throws(ModuleLoadFailure) in
            if let module = loaded[resolved] {
                guard module.reserved == reserved else {
                    throw ModuleLoadFailure(.conflict, "\(path) is in use with another initialisation string")
                }
                return module
            }
            let module = Module(path: resolved, reserved: reserved, functions: try FunctionTable.load(path: resolved))
            loaded[resolved] = module
            return module
        }
        do {
            try module.initializeIfNeeded()
        } catch {
            throw ModuleLoadFailure(.notInitialized, "\(path) does not start: \(error)")
        }
        return module
    }

    private init(path: String, reserved: String?, functions: FunctionTable) {
        self.path = path
        self.reserved = reserved
        self.functions = functions
    }

    // MARK: Life

    /// C_Finalize and C_Initialize, if nobody is inside: the last rung of recovery. Some modules see neither a
    /// new token nor a token that came back without it.
    ///
    /// - Returns: false when sessions are open or calls under way, and nothing was done.
    public func restartIfIdle() throws(PKCS11Error) -> Bool {
        guard beginChange() else { return false }
        defer { endChange() }
        try finalizeNow()
        try initializeNow()
        return true
    }

    /// Starts the module again unless no session has been open since it started. Some modules learn the PIN of a token
    /// when they start, and refuse one that another program has given it since (SoftHSM).
    ///
    /// - Returns: false when sessions are open or calls under way, and nothing was done.
    public func freshenIfIdle() throws(PKCS11Error) -> Bool {
        guard life.withLock({ !$0.isInitialized || $0.hasServed || $0.isChanging }) else { return true }
        return try restartIfIdle()
    }

    /// C_Finalize, if nobody is inside. The next `load` initialises again.
    public func finalizeIfIdle() throws(PKCS11Error) -> Bool {
        guard beginChange() else { return false }
        defer { endChange() }
        try finalizeNow()
        return true
    }

    private func initializeIfNeeded() throws(PKCS11Error) {
        let isMine = waitForChange(.initialize) { life in
            if !life.isInitialized { life.isChanging = true }
            return !life.isInitialized
        }
        guard try isMine.get() else { return }
        defer { endChange() }
        try initializeNow()
    }

    private func finalizeNow() throws(PKCS11Error) {
        guard life.withLock({ $0.isInitialized }) else { return }
        // Marked first: after an error nobody knows what is left, and C_Initialize tells.
        life.withLock { $0.isInitialized = false }
        do {
            try call(.finalize) { $0.C_Finalize?(nil) }
        } catch  where error.returnValue == .cryptokiNotInitialized {
            return
        }
    }

    private func initializeNow() throws(PKCS11Error) {
        guard life.withLock({ !$0.isInitialized }) else { return }
        let result = functions.initialize(reserved: reserved)
        guard result == .ok || result == .cryptokiAlreadyInitialized else { throw PKCS11Error(.initialize, result) }
        life.withLock { life in
            life.isInitialized = true
            life.hasServed = false
        }
    }

    private func beginChange() -> Bool {
        life.withLock { life in
            guard !life.isChanging, life.occupants == 0 else { return false }
            life.isChanging = true
            return true
        }
    }

    private func endChange() {
        let waiting = life.withLock { life in
            life.isChanging = false
            defer { life.waiting = [] }
            return life.waiting
        }
        for semaphore in waiting { semaphore.signal() }
    }

    /// Runs `body` on the life of the module when nobody is starting or ending it.
    private func waitForChange<R: Sendable>(
        _ function: CryptokiFunction, _ body: (inout Life) -> R
    ) -> Result<R, PKCS11Error> {
        let deadline = DispatchTime.now() + Self.longestWait
        while true {
            let semaphore = DispatchSemaphore(value: 0)
            let result = life.withLock { life -> R? in
                guard life.isChanging else { return body(&life) }
                life.waiting.append(semaphore)
                return nil
            }
            if let result { return .success(result) }
            if semaphore.wait(timeout: deadline) == .timedOut {
                return .failure(PKCS11Error(function, .cryptokiNotInitialized))
            }
        }
    }

    // MARK: Calls

    /// Calls one Cryptoki function and turns any CK_RV but CKR_OK into an error that names the function. A function
    /// that the module does not have answers CKR_FUNCTION_NOT_SUPPORTED.
    func call(_ function: CryptokiFunction, _ body: (borrowing CK_FUNCTION_LIST) -> CK_RV?) throws(PKCS11Error) {
        let result = functions.with(body).map(ReturnValue.init) ?? .functionNotSupported
        guard result == .ok else { throw PKCS11Error(function, result) }
    }

    /// Notes that a session or a call on a slot begins. Waits while the module is being restarted.
    func enter(_ function: CryptokiFunction) throws(PKCS11Error) {
        let entered = waitForChange(function) { life in
            if life.isInitialized {
                life.occupants += 1
                if function == .openSession { life.hasServed = true }
            }
            return life.isInitialized
        }
        guard try entered.get() else { throw PKCS11Error(function, .cryptokiNotInitialized) }
    }

    func leave() {
        life.withLock { $0.occupants -= 1 }
    }
}

/// Why a module cannot be used.
public struct ModuleLoadFailure: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        case missingFile
        /// The file is there but is no PKCS#11 module that loads here.
        case notLoadable
        case notInitialized
        /// Loaded already with another initialisation string.
        case conflict
    }

    public let kind: Kind
    public let reason: String

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    public var description: String { reason }
}
