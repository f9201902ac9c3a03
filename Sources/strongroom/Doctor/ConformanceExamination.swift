import Conformance
import Foundation
import KeyStorePKCS11
import KeyStores
import PKCS11
import SecureMemory
import UnixSignals

/// Runs the conformance suite on a token, in the way in which a server would use it, and leaves the token as it was.
struct ConformanceExamination: Sendable {
    private static let clusterID = "cluster-conformance"

    let token: TokenAccess
    let pin: SecretBytes
    let examination: TokenExamination
    let showsProgress: Bool

    /// Ends early at SIGINT and SIGTERM: after the check that runs then, whose calls are not interrupted.
    func run() async throws -> ConformanceReport {
        // From here on nothing may end this process before the token is as it was.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let before = try TokenObjects.read(token, pin: pin)
        let devices = try TokenDevices([configuration])
        let store = try await devices.connect(Self.clusterID, password: pin, refusals: UntriedPIN())
        let run = Task { await runAll(on: store) }
        let watch = Task {
            for await _ in signals {
                run.cancel()
                return
            }
        }
        var report = await run.value
        watch.cancel()
        guard await devices.shutDown() else {
            // Another session would not get through to it either.
            FileHandle.standardError.write(
                Data(
                    "Error: a call to the token has not come back. Keys with the label \(ConformanceKeys.label) may be left.\n"
                        .utf8))
            ProcessProtection.leave(with: 1)
        }
        report.leftBehind = try TokenObjects.destroy(
            ConformanceKeys.allIdentities, canary: false, on: token, pin: pin)
        if !before.hasCanary { _ = try TokenObjects.destroy([], canary: true, on: token, pin: pin) }
        // An interruption leaves keys by right: they have just been destroyed.
        if report.wasInterrupted { report.leftBehind = 0 }
        report.changedByOthers = try TokenObjects.read(token, pin: pin).differenceCount(from: before)
        return report
    }

    private var configuration: TokenDeviceConfiguration {
        TokenDeviceConfiguration(
            clusterID: Self.clusterID, modulePath: URL(fileURLWithPath: token.modulePath).path, token: token.token,
            reservedInitString: token.initString, profile: examination.profile)
    }

    private func runAll(on store: any KeyStore) async -> ConformanceReport {
        var report = ConformanceReport()
        let cases = ConformanceCase.all
        for (number, check) in cases.enumerated() {
            if showsProgress { progress("\(number + 1)/\(cases.count) \(check)") }
            let entries = await entries(of: check, on: store)
            if Task.isCancelled {
                report.wasInterrupted = true
                break
            }
            report.entries += entries
        }
        if showsProgress { progress("") }
        return report
    }

    private func entries(of check: ConformanceCase, on store: any KeyStore) async -> [ConformanceReport.Entry] {
        do {
            return try await check.run(on: store).map { finding in
                switch finding.outcome {
                case .passed: .init(subject: finding.subject, outcome: .passed)
                case .notApplicable(let reason): .init(subject: finding.subject, outcome: .skipped, reason: reason)
                }
            }
        } catch {
            return [.init(subject: check.description, outcome: .failed, reason: "\(error)")]
        }
    }

    /// On a terminal, one line that is written over.
    private func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[2K\(text.prefix(100))".utf8))
    }
}

/// The examination has just logged in with this PIN.
private struct UntriedPIN: RefusedPINs {
    func isRefused(_ pin: SecretBytes, device clusterID: String) -> Bool { false }
    func refuse(_ pin: SecretBytes, device clusterID: String) async {}
    func isUndecided(_ pin: SecretBytes, device clusterID: String) -> Bool { false }
    func beginLogin(_ pin: SecretBytes, device clusterID: String) async {}
    func endLogin(_ pin: SecretBytes, device clusterID: String) async {}
}
