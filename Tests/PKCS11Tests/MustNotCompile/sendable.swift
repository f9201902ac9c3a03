// expect: type 'Session' does not conform to( the)? ('?Sendable'?)|requires that 'Session' conform to 'Sendable'
import PKCS11

func requireSendable<T: Sendable & ~Copyable>(_ type: T.Type) {}

func check() {
    requireSendable(Session.self)
}
