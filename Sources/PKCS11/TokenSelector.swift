/// Which token of a module is meant. Never a slot number: it changes when tokens come and go.
public enum TokenSelector: Sendable, Hashable, CustomStringConvertible {
    case label(String)
    case serialNumber(String)

    public var description: String {
        switch self {
        case .label(let label): "labelled \"\(label)\""
        case .serialNumber(let serial): "with serial number \"\(serial)\""
        }
    }
}

/// What a module has of the token that is meant.
public enum TokenSearch: Sendable {
    case found(Slot)
    /// More than one token: nobody knows which is meant.
    case ambiguous
    case absent
    case failed(PKCS11Error)
}

extension Module {
    /// Looks for a token. A slot that cannot say what is in it holds another one as far as we know.
    public func search(_ selector: TokenSelector) -> TokenSearch {
        let slots: [Slot]
        do throws(PKCS11Error) {
            slots = try slotsWithToken()
        } catch {
            return .failed(error)
        }
        let found = slots.filter { slot in
            guard let info = try? slot.tokenInfo(), info.isInitialized else { return false }
            return switch selector {
            case .label(let label): info.label == label
            case .serialNumber(let serial): info.serialNumber == serial
            }
        }
        guard let slot = found.first else { return .absent }
        return found.count == 1 ? .found(slot) : .ambiguous
    }
}
