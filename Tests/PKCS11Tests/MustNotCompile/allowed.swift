// This must compile: what is refused beside it is then refused for its own sake.
import PKCS11

func useInOneTask(_ slot: Slot) async throws {
    let task = Task {
        var session = try slot.openSession(epoch: LoginEpoch())
        let random = try session.generateRandom(8)
        try session.close()
        return random.count
    }
    _ = try await task.value
}

func hand(over session: consuming Session) throws {
    try session.close()
}
