import KMSCore
import ServiceLifecycle
import UnixSignals

/// Compares metadata and key stores at every SIGUSR1; the log and the audit log say what was found.
struct ReconciliationService: Service {
    let service: KeyManagementService
    let signals: UnixSignalsSequence

    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in signals { await service.reconcile() }
        }
    }
}
