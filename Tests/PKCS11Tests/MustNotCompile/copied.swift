// expect: 'session' consumed more than once|'session' used after consume
import PKCS11

func use(_ session: consuming Session) {}

func copy(_ slot: Slot) throws {
    let session = try slot.openSession(epoch: LoginEpoch())
    use(session)
    use(session)
}
