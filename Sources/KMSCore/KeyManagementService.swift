import Cryptography
public import KMSModel
public import KMSPolicy
public import KeyStores
public import Logging
public import SecureMemory

/// The KMS API without its wire: one method per operation, one file per method in `Operations/`.
///
/// Every operation has the same order, because order decides what a stranger may learn: resolve the key → authorize →
/// state → usage → algorithm and sizes → DryRun → act → answer (docs/api-coverage.md).
public final class KeyManagementService: Sendable {
    public struct Configuration: Sendable {
        /// Where the backing keys of KMS keys that name no custom key store are made.
        public var defaultPlacement: Placement
        public var compatibility: Compatibility
        public var quotas: Quotas

        public init(
            defaultPlacement: Placement, compatibility: Compatibility = .extended, quotas: Quotas = Quotas()
        ) {
            self.defaultPlacement = defaultPlacement
            self.compatibility = compatibility
            self.quotas = quotas
        }
    }

    let configuration: Configuration
    let metadata: Metadata
    let registry: KeyStoreRegistry
    let devices: any KeyStoreDevices
    let sealing: any SecretSealing
    let serverSecret: ServerSecret
    let refusedPINs: StoredRefusedPINs
    let messageCounter: MessageCounter
    let clock: DomainClock
    let logger: Logger
    /// Everyone there is, as the principals file says at this moment.
    let principals: @Sendable () -> PrincipalDirectory
    /// Opening a public key takes longer than using it.
    let publicKeys = BoundedCache<BackingKeyID, PublicKey>(limit: 10_000)
    /// Work with public keys may take a millisecond, and the threads that answer requests must not wait for it.
    let publicKeyWork = WorkPool(name: "strongroom.public-keys", width: 2, queueLimit: 512, waitLimit: .seconds(5))
    /// An RSA key takes up to seconds of a processor.
    let keyPairMakers = WorkPool(name: "strongroom.data-key-pairs", width: 1, queueLimit: 32, waitLimit: .seconds(30))
    let serviceEvents: @Sendable (ServiceEvent) -> Void
    let lastUses = LastUses()
    /// Runs connects and reconciliations; the executable runs it as a service.
    public let backgroundWork = BackgroundWork()
    let intentsInFlight = IntentsInFlight()

    /// Reads the metadata and makes what a first start lacks. Touches no device yet: see `connectAtStart`.
    ///
    /// - Parameter serviceEvents: is told what the service does by itself, once it is durable.
    /// Errors: `MetadataStoreError`, or what `sealing` throws when the root key does not fit the database.
    public init(
        configuration: Configuration, store: any MetadataStore, sealing: any SecretSealing,
        softwareKeyStore: any KeyStore, devices: any KeyStoreDevices,
        principals: @escaping @Sendable () -> PrincipalDirectory, logger: Logger,
        serviceEvents: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) async throws {
        self.configuration = configuration
        self.sealing = sealing
        self.devices = devices
        self.principals = principals
        self.logger = logger
        self.serviceEvents = serviceEvents
        let metadata = try Metadata(store, logger: logger)
        self.metadata = metadata
        registry = KeyStoreRegistry(software: softwareKeyStore)
        messageCounter = MessageCounter(metadata: metadata, logger: logger)
        serverSecret = try await Self.serverSecret(metadata, sealing)
        refusedPINs = StoredRefusedPINs(metadata: metadata, serverSecret: serverSecret)
        // What libcrypto offers is found out by trying, which takes a moment: not at the first request.
        _ = AlgorithmAvailability.current
        clock = DomainClock(
            offsetSeconds: metadata.read { Self.clockOffset(in: $0) })
        try await Self.startTrackingUsage(metadata, at: clock.now)
    }

    /// Domain time: what expiry, deletion and conditions on the time go by.
    public var now: Timestamp { clock.now }

    /// 32 bytes from which session credentials are made. The same after a restart.
    public func sessionSecret() throws(KMSError) -> SecretBytes { try serverSecret.sessionSecret() }

    private static func serverSecret(
        _ metadata: Metadata, _ sealing: any SecretSealing
    ) async throws -> ServerSecret {
        if let sealed = metadata.read({ $0.settings[.serverSecret] }) {
            return ServerSecret(try sealing.open(sealed, purpose: ServerSecret.sealingPurpose, associatedData: []))
        }
        let secret = try SystemRandom.secret(ServerSecret.byteCount)
        let sealed = try sealing.seal(secret, purpose: ServerSecret.sealingPurpose, associatedData: [])
        try await metadata.write { _, changes throws(KMSError) in changes.append(.putSetting(.serverSecret, sealed)) }
        return ServerSecret(secret)
    }
}
