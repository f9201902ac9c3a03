import KeyStorePKCS11
import Logging

extension TokenEvent {
    func log(to logger: Logger) {
        let level: Logger.Level =
            switch kind {
            case .connected, .disconnected: .info
            case .recovered: .notice
            case .finding, .stuckCall, .stillSick: .warning
            case .sick, .gaveUp: .error
            }
        logger.log(level: level, "\(message)", metadata: ["device": "\(clusterID)", "event": "\(kind.rawValue)"])
    }
}
