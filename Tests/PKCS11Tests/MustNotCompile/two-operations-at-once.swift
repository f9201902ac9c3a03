// expect: overlapping accesses to 'session'
import PKCS11

func twice(_ first: inout Session, _ second: inout Session) {}

func overlap(_ slot: Slot) throws {
    var session = try slot.openSession(epoch: LoginEpoch())
    twice(&session, &session)
}
