// expect: sending value of non-Sendable type .* risks causing data races
import PKCS11

func share(_ slot: Slot) async throws {
    var session = try slot.openSession(epoch: LoginEpoch())
    let first = Task { _ = try session.generateRandom(8) }
    let second = Task { _ = try session.generateRandom(8) }
    try await first.value
    try await second.value
}
