// expect: 'self.session' is borrowed and cannot be consumed
import PKCS11

actor Keeper {
    private var session: Session?

    func put(_ new: consuming sending Session) { session = consume new }

    // Out of the actor while it may still be in use there.
    func peek() -> Session { session! }
}
